/**
 * One record of a flow table as a view for listings. Counters, timestamps and the use count are
 * held by scratch records only, so cache listings never show them, as conntrackd's do not.
 */
import { ipFromBytes, type IpAddress } from '../../base/ipAddress.js';
import { printable } from '../../base/printable.js';
import {
  presenceBit,
  infoField,
  kindField,
  rareWord,
  addressRole,
  recordWord,
  zoneScope,
  type AddressRole,
  type FlowCursor,
} from '../record/flowRecord.js';
import { definedOnly } from './definedOnly.js';
import type { FlowView, SequenceAdjustment, TupleView } from './flowView.js';
import { isIcmp } from './names.js';

export interface RecordViewOptions {
  /** The external cache knows no reply tuple: only what the peer sent is shown. */
  readonly withReply: boolean;
}

export function flowFromRecord(flow: FlowCursor, options: RecordViewOptions): FlowView {
  const known = <T>(bit: number, value: () => T): T | undefined =>
    flow.knows(bit) ? value() : undefined;
  const zone = flow.get(recordWord.zone);
  const scope = zone & zoneScope.mask;
  const zoneOf = (wanted: number): number | undefined =>
    flow.knows(presenceBit.zone) && scope === wanted ? zone & 0xffff : undefined;
  return definedOnly<FlowView>({
    family: flow.isIpv6 ? 10 : 2,
    original: tuple(
      flow,
      addressRole.originalSource,
      addressRole.originalDestination,
      flow.get(recordWord.originalPorts),
      zoneOf(zoneScope.original),
    ),
    reply: options.withReply
      ? tuple(
          flow,
          addressRole.replySource,
          addressRole.replyDestination,
          flow.get(recordWord.replyPorts),
          zoneOf(zoneScope.reply),
        )
      : undefined,
    master: known(presenceBit.master, () => masterTuple(flow)),
    status: known(presenceBit.status, () => flow.get(recordWord.status)),
    timeoutSeconds: known(presenceBit.timeout, () => flow.get(recordWord.timeout)),
    protocolState: known(presenceBit.state, () => flow.state),
    windowScaleOriginal: known(presenceBit.scaleOriginal, () =>
      bits(flow, infoField.scaleOriginalShift, 0xf),
    ),
    windowScaleReply: known(presenceBit.scaleReply, () =>
      bits(flow, infoField.scaleReplyShift, 0xf),
    ),
    tcpFlagsOriginal: known(presenceBit.tcpFlagsOriginal, () =>
      bits(flow, infoField.flagsOriginalShift, 0xff),
    ),
    tcpFlagsReply: known(presenceBit.tcpFlagsReply, () =>
      bits(flow, infoField.flagsReplyShift, 0xff),
    ),
    mark: known(presenceBit.mark, () => flow.get(recordWord.mark)),
    secmark: known(presenceBit.securityMark, () => flow.getRare(rareWord.securityMark)),
    securityContext: known(presenceBit.securityContext, () => name(flow, rareWord.securityContext)),
    zone: zoneOf(zoneScope.both),
    use: undefined,
    id: known(presenceBit.id, () => flow.get(recordWord.id)),
    helper: known(presenceBit.helper, () => name(flow, rareWord.helper)),
    labels: known(presenceBit.labels, () =>
      wordsToBytes(flow.rare, flow.rareAt + rareWord.labels, 4),
    ),
    sequenceOriginal: known(presenceBit.sequenceOriginal, () =>
      sequence(flow, rareWord.sequenceOriginal),
    ),
    sequenceReply: known(presenceBit.sequenceReply, () => sequence(flow, rareWord.sequenceReply)),
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
  const masterKind = flow.getRare(rareWord.masterKind);
  const words = (masterKind & kindField.ipv6) === 0 ? 1 : 4;
  const at = (field: number): IpAddress | undefined =>
    ipFromBytes(wordsToBytes(flow.rare, flow.rareAt + field, words));
  return definedOnly<TupleView>({
    ...layer4(masterKind & kindField.protocolMask, flow.getRare(rareWord.masterPorts)),
    source: at(rareWord.masterSource),
    destination: at(rareWord.masterDestination),
    zone: undefined,
    counters: undefined,
  });
}

/** See recordWord.originalPorts for the layouts. */
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
  return (flow.get(recordWord.info) >>> shift) & mask;
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
