/**
 * What the kernel says of a flow, as bytes: entries of dumps and answers, and events. The order of
 * attributes is the kernel's (6.18).
 */
import { messageType, protocol, statusBit } from '../../../src/conntrack/constants.js';
import { MessageBatch } from '../../../src/conntrack/codec/messageBatch.js';
import { addressBytes } from './addressText.js';
import { eventBit } from './eventBits.js';
import type { Flow } from './flow.js';
import type { Tuple } from './kernelPorts.js';
import { hasPorts } from './tuple.js';

/** CTA_* (linux/netfilter/nfnetlink_conntrack.h). */
export const attribute = {
  original: 1,
  reply: 2,
  status: 3,
  protocolInfo: 4,
  help: 5,
  natSource: 6,
  timeout: 7,
  mark: 8,
  use: 11,
  id: 12,
  natDestination: 13,
  master: 14,
  sequenceOriginal: 15,
  sequenceReply: 16,
  zone: 18,
  markMask: 21,
  labels: 22,
  labelsMask: 23,
  synproxy: 24,
  statusMask: 26,
  eventTime: 27,
} as const;

const largestMessage = 1_024;
const out = new MessageBatch(largestMessage);
/** NLM_F_MULTI, NLM_F_CREATE | NLM_F_EXCL. */
const flag = { multi: 0x002, isNew: 0x600 } as const;

/** An entry of a dump (`use` 1) or the answer to a GET (2). */
export function entryMessage(
  flow: Flow,
  now: number,
  sequence: number,
  portId: number,
  use: number,
): Uint8Array {
  out.clear();
  begin(messageType.flowNew, flag.multi, sequence, flow);
  writeTuples(flow);
  out.u32(attribute.status, flow.status);
  out.u32(attribute.mark, flow.mark);
  out.u32(attribute.id, flow.id);
  out.u32(attribute.use, use);
  if (flow.master !== undefined) writeTuple(attribute.master, flow.master.original, flow.isIpv6);
  out.u32(attribute.timeout, flow.secondsLeft(now));
  writeProtocolInfo(flow, false);
  writeHelper(flow);
  writeLabels(flow);
  writeSequence(flow);
  writeSynproxy(flow);
  return finished(portId);
}

/**
 * `events`: bits of `eventBit`; one of them decides whether this is a beginning, an end or a
 * change.
 */
export function eventMessage(flow: Flow, events: number, now: number, portId: number): Uint8Array {
  out.clear();
  const isEnd = (events & eventBit.destroy) !== 0;
  const isNew = !isEnd && (events & (eventBit.new | eventBit.related)) !== 0;
  begin(isEnd ? messageType.flowDelete : messageType.flowNew, isNew ? flag.isNew : 0, 0, flow);
  writeTuples(flow);
  out.u32(attribute.id, flow.id);
  out.u32(attribute.status, flow.status);
  const left = flow.secondsLeft(now);
  if (!isEnd || left > 0) out.u32(attribute.timeout, left);
  if (isEnd) writeProtocolInfo(flow, true);
  else writeChanges(flow, events);
  if (flow.mark !== 0 || (!isEnd && (events & eventBit.mark) !== 0)) {
    out.u32(attribute.mark, flow.mark);
  }
  return finished(portId);
}

/** The bit of nl_groups that an event goes to. */
export function groupOf(events: number): number {
  if ((events & eventBit.destroy) !== 0) return 0x04;
  return (events & (eventBit.new | eventBit.related)) !== 0 ? 0x01 : 0x02;
}

function begin(type: number, flags: number, sequence: number, flow: Flow): void {
  out.begin(type, flags, sequence, flow.isIpv6 ? 10 : 2);
}

function finished(portId: number): Uint8Array {
  out.finish();
  const bytes = out.written().slice();
  if (portId !== 0) new DataView(bytes.buffer).setUint32(12, portId, true);
  return bytes;
}

function writeTuples(flow: Flow): void {
  const { zone, zoneScope } = flow;
  const zoneFor = (scope: 'original' | 'reply'): number => (zoneScope === scope ? zone : 0);
  writeTuple(attribute.original, flow.original, flow.isIpv6, zoneFor('original'));
  writeTuple(attribute.reply, flow.reply, flow.isIpv6, zoneFor('reply'));
  if (zoneScope === 'both' && zone !== 0) out.u16(attribute.zone, zone);
}

export function writeTuple(type: number, tuple: Tuple, isIpv6: boolean, zone = 0, to = out): void {
  const nest = to.openNest(type);
  const ip = to.openNest(1);
  writeAddress(to, isIpv6 ? 3 : 1, tuple.source);
  writeAddress(to, isIpv6 ? 4 : 2, tuple.destination);
  to.closeNest(ip);
  const layer4 = to.openNest(2);
  const { protocol: number, sourcePort, destinationPort } = tuple;
  to.u8(1, number);
  if (number === protocol.icmp || number === protocol.icmpv6) {
    const first = number === protocol.icmp ? 4 : 7;
    to.u16(first, sourcePort);
    to.u8(first + 1, destinationPort >>> 8);
    to.u8(first + 2, destinationPort & 0xff);
  } else if (hasPorts(number) || number === protocol.gre) {
    to.u16(2, sourcePort);
    to.u16(3, destinationPort);
  }
  to.closeNest(layer4);
  if (zone !== 0) to.u16(3, zone);
  to.closeNest(nest);
}

const addressWords = new Uint32Array(4);
const addressView = new Uint8Array(addressWords.buffer);

function writeAddress(to: MessageBatch, type: number, text: string): void {
  const bytes = addressBytes(text);
  addressView.set(bytes);
  to.raw(type, addressWords, 0, bytes.length / 4);
}

function writeProtocolInfo(flow: Flow, isEnd: boolean): void {
  const { tcp, sctp } = flow;
  if (tcp === undefined && sctp === undefined) return;
  const nest = out.openNest(attribute.protocolInfo);
  if (tcp !== undefined) {
    const inner = out.openNest(1);
    out.u8(1, tcp.state);
    if (!isEnd) {
      out.u8(2, tcp.scales[0]);
      out.u8(3, tcp.scales[1]);
      out.flags(4, tcp.flags[0], 0);
      out.flags(5, tcp.flags[1], 0);
    }
    out.closeNest(inner);
  } else if (sctp !== undefined) {
    const inner = out.openNest(3);
    out.u8(1, sctp.state);
    if (!isEnd) {
      out.u32(2, sctp.tags[0]);
      out.u32(3, sctp.tags[1]);
    }
    out.closeNest(inner);
  }
  out.closeNest(nest);
}

function writeChanges(flow: Flow, events: number): void {
  if ((events & eventBit.protocolInfo) !== 0) writeProtocolInfo(flow, false);
  writeHelper(flow);
  if ((events & eventBit.label) !== 0) writeLabels(flow);
  if ((events & eventBit.related) !== 0 && flow.master !== undefined) {
    writeTuple(attribute.master, flow.master.original, flow.isIpv6);
  }
  if ((events & eventBit.sequence) !== 0) writeSequence(flow);
  if ((events & eventBit.synproxy) !== 0) writeSynproxy(flow);
}

function writeHelper({ helper }: Flow): void {
  if (helper === undefined) return;
  const nest = out.openNest(attribute.help);
  out.text(1, new TextEncoder().encode(helper));
  out.closeNest(nest);
}

function writeLabels({ stored: { labels } }: Flow): void {
  if (labels?.some((byte) => byte !== 0) !== true) return;
  const words = new Uint32Array(4);
  new Uint8Array(words.buffer).set(labels);
  out.raw(attribute.labels, words, 0, 4);
}

function writeSequence(flow: Flow): void {
  const { sequence } = flow.stored;
  if (sequence === undefined || !flow.has(statusBit.sequenceAdjust)) return;
  writeWords(attribute.sequenceOriginal, sequence[0]);
  writeWords(attribute.sequenceReply, sequence[1]);
}

function writeSynproxy({ stored: { synproxy } }: Flow): void {
  if (synproxy !== undefined) writeWords(attribute.synproxy, synproxy);
}

/** Three words, numbered from 1. */
function writeWords(type: number, words: Uint32Array): void {
  const nest = out.openNest(type);
  words.forEach((word, i) => {
    out.u32(i + 1, word);
  });
  out.closeNest(nest);
}
