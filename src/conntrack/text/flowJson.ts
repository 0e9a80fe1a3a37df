/**
 * One flow as a JSON object for programs: numbers stay numbers, 64-bit counters become strings, addresses
 * are text, absent stays absent. The names follow the text format where it has one.
 */
import { formatIp } from '../../base/ipAddress.js';
import { flowStatus, type EventKind, type FlowView, type TupleView } from './flowView.js';
import { layer3Name, layer4Name, stateName } from './names.js';

export type Json = string | number | boolean | Json[] | { [key: string]: Json | undefined };

const statusBits: readonly (readonly [number, string])[] = [
  [flowStatus.expected, 'EXPECTED'],
  [flowStatus.seenReply, 'SEEN_REPLY'],
  [flowStatus.assured, 'ASSURED'],
  [0x0008, 'CONFIRMED'],
  [0x0010, 'SRC_NAT'],
  [0x0020, 'DST_NAT'],
  [0x0040, 'SEQ_ADJUST'],
  [flowStatus.sourceNatDone, 'SRC_NAT_DONE'],
  [flowStatus.destinationNatDone, 'DST_NAT_DONE'],
  [0x0200, 'DYING'],
  [flowStatus.fixedTimeout, 'FIXED_TIMEOUT'],
  [0x2000, 'HELPER'],
  [flowStatus.offload, 'OFFLOAD'],
  [flowStatus.hardwareOffload, 'HW_OFFLOAD'],
];

export function flowJson(flow: FlowView, event?: EventKind): Json {
  return {
    event,
    family: layer3Name(flow.family),
    protocol: layer4Name(flow.original.protocol),
    protocolNumber: flow.original.protocol,
    timeout: flow.timeoutSeconds,
    state:
      flow.protocolState === undefined
        ? undefined
        : stateName(flow.original.protocol, flow.protocolState),
    original: tupleJson(flow.original),
    reply: flow.reply === undefined ? undefined : tupleJson(flow.reply),
    master: flow.master === undefined ? undefined : tupleJson(flow.master),
    status: flow.status,
    statusBits: flow.status === undefined ? undefined : statusNames(flow.status),
    mark: flow.mark,
    secmark: flow.secmark,
    securityContext: flow.securityContext,
    zone: flow.zone,
    helper: flow.helper,
    labels: flow.labels === undefined ? undefined : Buffer.from(flow.labels).toString('hex'),
    windowScaleOriginal: flow.windowScaleOriginal,
    windowScaleReply: flow.windowScaleReply,
    start: flow.start?.toString(),
    stop: flow.stop?.toString(),
    use: flow.use,
    id: flow.id,
  };
}

/** Names of the IPS_* bits that are set, lowest first. */
export function statusNames(status: number): string[] {
  return statusBits.filter(([bit]) => (status & bit) !== 0).map(([, name]) => name);
}

function tupleJson(tuple: TupleView): Json {
  return {
    source: tuple.source === undefined ? undefined : formatIp(tuple.source),
    destination: tuple.destination === undefined ? undefined : formatIp(tuple.destination),
    sourcePort: tuple.sourcePort,
    destinationPort: tuple.destinationPort,
    icmpType: tuple.icmpType,
    icmpCode: tuple.icmpCode,
    icmpId: tuple.icmpId,
    zone: tuple.zone,
    packets: tuple.counters?.packets.toString(),
    bytes: tuple.counters?.bytes.toString(),
  };
}
