/**
 * What ctnetlink writes into an entry, each part with the refusals of the kernel. Throws Refusal.
 */
import { EBUSY, EINVAL, ENOSPC, EOPNOTSUPP, EPERM, ERANGE } from '../../../src/base/errno.js';
import { protocol, statusBit, tcpFlag } from '../../../src/conntrack/constants.js';
import { Refusal, type Attributes } from './attributes.js';
import type { Conntrack } from './conntrack.js';
import type { Flow } from './flow.js';
import { attribute } from './flowMessage.js';
import { needed } from './requestTuple.js';

/** INT_MAX / HZ, with HZ 250. */
const longestTimeoutSeconds = 8_589_934;
const { seenReply, assured, confirmed, expected, dying, fixedTimeout } = statusBit;
const helperBit = statusBit.helper;
const settable = seenReply | assured | fixedTimeout | helperBit;
/** Helpers that are built in, and their protocols. */
const helpers = new Map([
  ['ftp', [protocol.tcp]],
  ['tftp', [protocol.udp]],
  ['sip', [protocol.tcp, protocol.udp]],
]);

export function expiryFrom(attributes: Attributes, now: number): number | undefined {
  const wanted = attributes.u32(attribute.timeout);
  if (wanted === undefined) return undefined;
  return now + Math.min(wanted, longestTimeoutSeconds) * 1_000_000;
}

export function changeTimeout(conntrack: Conntrack, flow: Flow, attributes: Attributes): void {
  const expiresAt = expiryFrom(attributes, conntrack.now);
  if (expiresAt === undefined) return;
  if (flow.has(fixedTimeout)) throw new Refusal(EPERM);
  conntrack.refresh(flow, expiresAt);
}

/** Some bits may only be set, others must be as they are; the rest is ignored. */
export function changeStatus(flow: Flow, attributes: Attributes): void {
  const wanted = attributes.u32(attribute.status);
  if (wanted === undefined) return;
  const changed = flow.status ^ wanted;
  const dropped = changed & ~wanted;
  if ((changed & (expected | confirmed | dying)) !== 0) throw new Refusal(EBUSY);
  if ((dropped & (seenReply | assured)) !== 0) throw new Refusal(EBUSY);
  flow.status |= wanted & settable;
}

/** With a mask: (old & ~mask) XOR mark. */
export function changeMark(flow: Flow, attributes: Attributes): void {
  const mark = attributes.u32(attribute.mark);
  if (mark === undefined) return;
  const mask = attributes.u32(attribute.markMask) ?? 0xffff_ffff;
  flow.mark = ((flow.mark & ~mask) ^ mark) >>> 0;
}

export function changeProtocolInfo(flow: Flow, attributes: Attributes): void {
  const nest = attributes.nest(attribute.protocolInfo);
  if (nest === undefined) return;
  const tcp = nest.nest(1);
  if (tcp !== undefined) changeTcp(flow, tcp);
  const sctp = nest.nest(3);
  if (sctp !== undefined && flow.original.protocol === protocol.sctp) changeSctp(flow, sctp);
}

function changeTcp({ tcp }: Flow, info: Attributes): void {
  const state = atMost(info.u8(1), 9);
  const scales = [atMost(info.u8(2), 14), atMost(info.u8(3), 14)] as const;
  if (tcp === undefined) return;
  if (state !== undefined) tcp.state = state;
  for (const side of [0, 1] as const) {
    const at = info.at(4 + side, 2);
    if (at === undefined) continue;
    const value = info.view.getUint8(at);
    const mask = info.view.getUint8(at + 1);
    tcp.flags[side] = (tcp.flags[side] & ~mask) | (value & mask);
  }
  const bothScale = (tcp.flags[0] & tcp.flags[1] & tcpFlag.windowScale) !== 0;
  if (!bothScale || scales[0] === undefined || scales[1] === undefined) return;
  tcp.scales[0] = scales[0];
  tcp.scales[1] = scales[1];
}

function changeSctp(flow: Flow, info: Attributes): void {
  const state = needed(atMost(info.u8(1), 8));
  flow.sctp = { state, tags: [needed(info.u32(2)), needed(info.u32(3))] };
}

function atMost(value: number | undefined, limit: number): number | undefined {
  if (value !== undefined && value > limit) throw new Refusal(ERANGE);
  return value;
}

/** The name in CTA_HELP; undefined where there is none. */
function helperName(attributes: Attributes): string | undefined {
  const nest = attributes.nest(attribute.help);
  if (nest === undefined) return undefined;
  const bytes = needed(nest.bytes(1));
  const end = bytes.indexOf(0);
  if (end < 0 || end > 15) throw new Refusal(EINVAL);
  return Buffer.from(bytes.subarray(0, end)).toString('latin1');
}

export function attachHelper(flow: Flow, attributes: Attributes): void {
  const name = helperName(attributes);
  if (name === undefined) return;
  const protocols = helpers.get(name) ?? [];
  if (!protocols.some((number) => number === flow.original.protocol)) throw new Refusal(EOPNOTSUPP);
  flow.helper = name;
  flow.hadHelper = true;
  flow.status |= helperBit;
}

/** A helper that is there may be named again, or be taken away. */
export function changeHelper(flow: Flow, attributes: Attributes): void {
  const name = helperName(attributes);
  if (name === undefined) return;
  if (!flow.hadHelper) throw new Refusal(EOPNOTSUPP);
  if (name === '') flow.helper = undefined;
  else if (name !== flow.helper) throw new Refusal(EBUSY);
}

/** CTA_SEQ_ADJ_*: both directions are there from then on. */
export function changeSequence(flow: Flow, attributes: Attributes): void {
  const numbers = [attribute.sequenceOriginal, attribute.sequenceReply] as const;
  numbers.forEach((type, side) => {
    const nest = attributes.nest(type);
    if (nest === undefined) return;
    flow.stored.sequence ??= [new Uint32Array(3), new Uint32Array(3)];
    flow.stored.sequence[side === 0 ? 0 : 1].set(threeWords(nest));
    flow.status |= statusBit.sequenceAdjust;
  });
}

export function changeSynproxy(flow: Flow, attributes: Attributes): void {
  const nest = attributes.nest(attribute.synproxy);
  if (nest !== undefined) flow.stored.synproxy = Uint32Array.from(threeWords(nest));
}

function threeWords(nest: Attributes): number[] {
  return [1, 2, 3].map((type) => needed(nest.u32(type)));
}

/** Of a kernel whose rules use no labels: nothing can be attached. */
export function changeLabels(attributes: Attributes): void {
  const labels = attributes.bytes(attribute.labels);
  if (labels === undefined) return;
  if (labels.length > 16) throw new Refusal(ERANGE);
  const mask = attributes.bytes(attribute.labelsMask);
  const hasOtherLength = mask !== undefined && mask.length !== labels.length;
  if (labels.length % 4 !== 0 || hasOtherLength) throw new Refusal(EINVAL);
  throw new Refusal(ENOSPC);
}
