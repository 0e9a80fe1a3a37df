/**
 * One record of a flow table as a view for listings. Counters, timestamps and the use count are held by
 * scratch records only, so cache listings never show them, as conntrackd's do not.
 */
import { ipFromBytes, type IpAddress } from '../../base/ipAddress.js';
import { printable } from '../../base/printable.js';
import {
  has,
  info,
  kind,
  rare,
  role,
  word,
  zoneScope,
  type AddressRole,
  type FlowCursor,
} from '../record/flowRecord.js';
import { definedOnly } from './definedOnly.js';
import type { FlowView, SequenceAdjustment, TupleView } from './flowView.js';
import { isIcmp } from './names.js';

export interface RecordViewOptions {
  /** The external cache knows no reply tuple: only what the peer told is shown. */
  readonly withReply: boolean;
}

export function flowFromRecord(flow: FlowCursor, options: RecordViewOptions): FlowView {
  const known = <T>(bit: number, value: () => T): T | undefined =>
    flow.knows(bit) ? value() : undefined;
  const zone = flow.get(word.zone);
  const scope = zone & zoneScope.mask;
  const zoneOf = (wanted: number): number | undefined =>
    flow.knows(has.zone) && scope === wanted ? zone & 0xffff : undefined;
  return definedOnly<FlowView>({
    family: flow.isIpv6 ? 10 : 2,
    original: tuple(
      flow,
      role.originalSource,
      role.originalDestination,
      flow.get(word.originalPorts),
      zoneOf(zoneScope.original),
    ),
    reply: options.withReply
      ? tuple(
          flow,
          role.replySource,
          role.replyDestination,
          flow.get(word.replyPorts),
          zoneOf(zoneScope.reply),
        )
      : undefined,
    master: known(has.master, () => masterTuple(flow)),
    status: known(has.status, () => flow.get(word.status)),
    timeoutSeconds: known(has.timeout, () => flow.get(word.timeout)),
    protocolState: known(has.state, () => flow.state),
    windowScaleOriginal: known(has.scaleOriginal, () => bits(flow, info.scaleOriginalShift, 0xf)),
    windowScaleReply: known(has.scaleReply, () => bits(flow, info.scaleReplyShift, 0xf)),
    tcpFlagsOriginal: known(has.tcpFlagsOriginal, () => bits(flow, info.flagsOriginalShift, 0xff)),
    tcpFlagsReply: known(has.tcpFlagsReply, () => bits(flow, info.flagsReplyShift, 0xff)),
    mark: known(has.mark, () => flow.get(word.mark)),
    secmark: known(has.securityMark, () => flow.getRare(rare.securityMark)),
    securityContext: known(has.securityContext, () => name(flow, rare.securityContext)),
    zone: zoneOf(zoneScope.both),
    use: undefined,
    id: known(has.id, () => flow.get(word.id)),
    helper: known(has.helper, () => name(flow, rare.helper)),
    labels: known(has.labels, () => wordsToBytes(flow.rare, flow.rareAt + rare.labels, 4)),
    sequenceOriginal: known(has.sequenceOriginal, () => sequence(flow, rare.sequenceOriginal)),
    sequenceReply: known(has.sequenceReply, () => sequence(flow, rare.sequenceReply)),
    start: undefined,
    stop: undefined,
  });
}

function tuple(
  flow: FlowCursor,
  source: AddressRole,
  destination: AddressRole,
  ports: number,
  zone: number | undefined,
): TupleView {
  return definedOnly<TupleView>({
    ...layer4(flow.protocol, ports),
    source: address(flow, source),
    destination: address(flow, destination),
    zone,
    counters: undefined,
  });
}

function masterTuple(flow: FlowCursor): TupleView {
  const masterKind = flow.getRare(rare.masterKind);
  const words = (masterKind & kind.ipv6) === 0 ? 1 : 4;
  const at = (field: number): IpAddress | undefined =>
    ipFromBytes(wordsToBytes(flow.rare, flow.rareAt + field, words));
  return definedOnly<TupleView>({
    ...layer4(masterKind & kind.protocolMask, flow.getRare(rare.masterPorts)),
    source: at(rare.masterSource),
    destination: at(rare.masterDestination),
    zone: undefined,
    counters: undefined,
  });
}

/** See word.originalPorts for the layouts. */
function layer4(protocol: number, ports: number): TupleView {
  return isIcmp(protocol)
    ? {
        protocol,
        icmpId: ports >>> 16,
        icmpType: (ports >>> 8) & 0xff,
        icmpCode: ports & 0xff,
      }
    : { protocol, sourcePort: ports >>> 16, destinationPort: ports & 0xffff };
}

function address(flow: FlowCursor, which: AddressRole): IpAddress | undefined {
  const words = Uint32Array.from({ length: flow.isIpv6 ? 4 : 1 }, (_, i) =>
    flow.addressWord(which, i),
  );
  return ipFromBytes(wordsToBytes(words, 0, words.length));
}

/** Words hold bytes in memory order on the little-endian machines that keepstate runs on. */
function wordsToBytes(words: Uint32Array, at: number, count: number): Uint8Array {
  return new Uint8Array(words.slice(at, at + count).buffer);
}

function bits(flow: FlowCursor, shift: number, mask: number): number {
  return (flow.get(word.info) >>> shift) & mask;
}

function name(flow: FlowCursor, field: number): string {
  return printable(flow.names.text(flow.getRare(field)));
}

function sequence(flow: FlowCursor, field: number): SequenceAdjustment {
  return {
    correctionPosition: flow.getRare(field),
    offsetBefore: flow.getRare(field + 1) | 0,
    offsetAfter: flow.getRare(field + 2) | 0,
  };
}
