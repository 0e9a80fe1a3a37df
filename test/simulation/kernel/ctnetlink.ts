/**
 * Requests of subsystem NFNL_SUBSYS_CTNETLINK about flows, carried out one by one. What the kernel
 * refuses, and in which order it looks, stands in docs/decisions/flow-injection.md; each case was
 * watched on the real kernel (test/simulation/truth).
 */
import { EEXIST, EINVAL, ENOENT, ENOMEM, EOPNOTSUPP } from '../../../src/base/errno.js';
import type { RandomSource } from '../../../src/base/time.js';
import {
  messageFlag,
  netlinkFamily,
  protocol,
  statusBit,
} from '../../../src/conntrack/constants.js';
import { addressAt } from './addressText.js';
import { Refusal, type Attributes } from './attributes.js';
import type { Conntrack } from './conntrack.js';
import { changedBits, createdBits, eventBit } from './eventBits.js';
import { Flow } from './flow.js';
import * as change from './flowChange.js';
import { attribute } from './flowMessage.js';
import type { NatMapping } from './kernelPorts.js';
import { applyMapping } from './packetPath.js';
import { keyIn, needed, readTuple, readZone, type Zone } from './requestTuple.js';
import { inverseOf } from './tuple.js';

/** One request of a datagram. */
export interface Request {
  /** NLM_F_*. */
  readonly flags: number;
  /** nfgen_family and version. */
  readonly family: number;
  readonly version: number;
  readonly attributes: Attributes;
  /** Of the socket: it stands in the events of what the request does. */
  readonly portId: number;
}

/** What a dump or a flush selects; absent parts select all. */
export interface Selection {
  readonly isIpv6?: boolean;
  readonly mark?: { readonly value: number; readonly mask: number };
  readonly status?: { readonly value: number; readonly mask: number };
  readonly zone?: number;
}

export class Ctnetlink {
  readonly #conntrack: Conntrack;
  readonly #random: RandomSource;

  constructor(conntrack: Conntrack, random: RandomSource) {
    this.#conntrack = conntrack;
    this.#random = random;
  }

  /** IPCTNL_MSG_CT_NEW. Throws Refusal. */
  createOrChange(request: Request): void {
    const { attributes, flags, portId } = request;
    const isIpv6 = familyOf(request);
    const zone = readZone(attributes);
    const found = this.#named(attributes, zone, isIpv6);
    if (found === undefined) {
      if ((flags & messageFlag.create) === 0) throw new Refusal(ENOENT);
      const flow = this.#create(attributes, zone, isIpv6);
      const kind = flow.master === undefined ? eventBit.new : eventBit.related;
      this.#conntrack.tell(flow, createdBits | kind, portId);
      return;
    }
    if ((flags & messageFlag.exclusive) !== 0) throw new Refusal(EEXIST);
    this.#change(found, attributes);
    this.#conntrack.tell(found, changedBits, portId);
  }

  /** IPCTNL_MSG_CT_GET without NLM_F_DUMP. Throws Refusal. */
  get(request: Request): Flow {
    const { attributes } = request;
    const isIpv6 = familyOf(request);
    if (!attributes.has(attribute.original) && !attributes.has(attribute.reply)) {
      throw new Refusal(EINVAL);
    }
    const flow = this.#named(attributes, readZone(attributes), isIpv6);
    if (flow === undefined) throw new Refusal(ENOENT);
    return flow;
  }

  /** IPCTNL_MSG_CT_DELETE: one flow, or all that the filters select. Throws Refusal. */
  remove(request: Request): void {
    const { attributes, portId, version } = request;
    if (!attributes.has(attribute.original) && !attributes.has(attribute.reply)) {
      this.#flush(selectionOf(request, version !== 0), portId);
      return;
    }
    const flow = this.get(request);
    const id = attributes.u32(attribute.id);
    if (id !== undefined && id !== flow.id) throw new Refusal(ENOENT);
    this.#conntrack.delete(flow, portId);
  }

  #flush(selection: Selection, portId: number): void {
    for (const flow of [...this.#conntrack.store.all()]) {
      if (isSelected(flow, selection)) this.#conntrack.delete(flow, portId);
    }
  }

  #named(attributes: Attributes, zone: Zone, isIpv6: boolean): Flow | undefined {
    const original = readTuple(attributes, attribute.original, isIpv6);
    if (original !== undefined) return this.#conntrack.find(keyIn(original, zone, 'original'));
    const reply = readTuple(attributes, attribute.reply, isIpv6);
    return reply === undefined ? undefined : this.#conntrack.find(keyIn(reply, zone, 'reply'));
  }

  #create(attributes: Attributes, zone: Zone, isIpv6: boolean): Flow {
    const original = needed(readTuple(attributes, attribute.original, isIpv6));
    const reply = needed(readTuple(attributes, attribute.reply, isIpv6));
    if (original.protocol !== reply.protocol) throw new Refusal(EINVAL);
    const place = this.#conntrack.allocate();
    if (place === undefined) throw new Refusal(ENOMEM);
    const flow = new Flow({
      original,
      reply,
      zone: zone.id,
      zoneScope: zone.scope,
      ...place,
      hasEvents: this.#conntrack.makesEvents(),
    });
    try {
      this.#fill(flow, attributes, zone, isIpv6);
      if (!this.#conntrack.insert(flow)) throw new Refusal(EEXIST);
    } catch (error) {
      this.#conntrack.store.release(flow);
      throw error;
    }
    return flow;
  }

  #fill(flow: Flow, attributes: Attributes, zone: Zone, isIpv6: boolean): void {
    flow.expiresAt = needed(change.expiryFrom(attributes, this.#conntrack.now));
    change.attachHelper(flow, attributes);
    this.#setUpNat(flow, attributes);
    flow.status |= statusBit.confirmed;
    if (flow.original.protocol === protocol.sctp) flow.sctp = { state: 0, tags: [0, 0] };
    flow.stored.synproxy = new Uint32Array(3);
    change.changeStatus(flow, attributes);
    change.changeSequence(flow, attributes);
    change.changeProtocolInfo(flow, attributes);
    change.changeSynproxy(flow, attributes);
    flow.mark = attributes.u32(attribute.mark) ?? 0;
    const master = readTuple(attributes, attribute.master, isIpv6);
    if (master === undefined) return;
    flow.master = this.#conntrack.find(keyIn(master, zone, 'original'));
    if (flow.master === undefined) throw new Refusal(ENOENT);
    flow.status |= statusBit.expected;
  }

  /** One nest is enough: the other manipulation is bound to nothing by itself. */
  #setUpNat(flow: Flow, attributes: Attributes): void {
    const nests = {
      destination: attributes.nest(attribute.natDestination),
      source: attributes.nest(attribute.natSource),
    };
    if (nests.destination === undefined && nests.source === undefined) return;
    for (const manipulation of ['destination', 'source'] as const) {
      const own = inverseOf(flow.reply)[manipulation];
      const mapping = readMapping(nests[manipulation], own, flow.isIpv6);
      applyMapping(this.#conntrack, this.#random, flow, manipulation, mapping);
    }
    flow.status |= statusBit.sourceNatDone | statusBit.destinationNatDone;
  }

  /** Not atomic: what comes before a refusal stays. */
  #change(flow: Flow, attributes: Attributes): void {
    const fixed = [attribute.natSource, attribute.natDestination, attribute.master];
    if (fixed.some((type) => attributes.has(type))) throw new Refusal(EOPNOTSUPP);
    change.changeHelper(flow, attributes);
    change.changeTimeout(this.#conntrack, flow, attributes);
    change.changeStatus(flow, attributes);
    change.changeProtocolInfo(flow, attributes);
    change.changeMark(flow, attributes);
    change.changeSequence(flow, attributes);
    change.changeSynproxy(flow, attributes);
    change.changeLabels(attributes);
  }
}

/** CTA_NAT_SRC or CTA_NAT_DST: address and ports, or what the flow has already. */
function readMapping(nest: Attributes | undefined, own: string, isIpv6: boolean): NatMapping {
  if (nest === undefined) return { address: own };
  const length = isIpv6 ? 16 : 4;
  const at = nest.at(isIpv6 ? 4 : 1, length);
  const address = at === undefined ? own : addressAt(nest.view, at, length);
  const ports = nest.nest(3);
  const low = ports?.u16(1);
  if (low === undefined) return { address };
  return { address, ports: [low, ports?.u16(2) ?? low] };
}

/** True for IPv6. Throws Refusal with EOPNOTSUPP for other families. */
function familyOf({ family }: Request): boolean {
  if (family !== netlinkFamily.ipv4 && family !== netlinkFamily.ipv6) {
    throw new Refusal(EOPNOTSUPP);
  }
  return family === netlinkFamily.ipv6;
}

/** The filters of a dump or a flush; a flush looks at the family from version 1 on only. */
export function selectionOf(request: Request, usesFamily: boolean): Selection {
  const { attributes, family } = request;
  const mark = attributes.u32(attribute.mark);
  const status = attributes.u32(attribute.status);
  const zone = attributes.u16(attribute.zone);
  const statusMask = attributes.u32(attribute.statusMask) ?? status;
  if (status !== undefined && statusMask === 0) throw new Refusal(EINVAL);
  return {
    ...(usesFamily && family !== netlinkFamily.any
      ? { isIpv6: family === netlinkFamily.ipv6 }
      : {}),
    ...(mark === undefined
      ? {}
      : { mark: { value: mark, mask: attributes.u32(attribute.markMask) ?? 0xffff_ffff } }),
    ...(status === undefined ? {} : { status: { value: status, mask: statusMask ?? status } }),
    ...(zone === undefined ? {} : { zone }),
  };
}

export function isSelected(flow: Flow, { isIpv6, mark, status, zone }: Selection): boolean {
  if (isIpv6 !== undefined && flow.isIpv6 !== isIpv6) return false;
  if (mark !== undefined && (flow.mark & mark.mask) >>> 0 !== mark.value) return false;
  if (status !== undefined && (flow.status & status.mask) >>> 0 !== status.value) return false;
  return zone === undefined || flow.zoneOf('original') === zone;
}
