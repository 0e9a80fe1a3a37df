/**
 * One flow as a JSON object for programs: numbers stay numbers, 64-bit counters become strings,
 * addresses are text, absent stays absent. The names follow the text format where it has one.
 */
import { DecodeError } from '../../base/errors.js';
import { formatIp, parseIp, type IpAddress } from '../../base/ipAddress.js';
import { definedOnly } from './definedOnly.js';
import { flowStatus, type EventKind, type FlowView, type TupleView } from './flowView.js';
import { layer3Name, layer4Name, stateName, stateNumber } from './names.js';

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

export function flowJson(flow: FlowView, event?: EventKind): Record<string, Json | undefined> {
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
function statusNames(status: number): string[] {
  return statusBits.filter(([bit]) => (status & bit) !== 0).map(([, name]) => name);
}

/** The names of one direction, or of a mask. */
export function tupleJson(tuple: TupleView): Json {
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

/**
 * The flow of an object that flowJson made, as far as lines and filters need it. Throws DecodeError
 * for anything else.
 */
export function flowFromJson(value: unknown): FlowView {
  const fields = fieldsOf(value);
  const number = (name: string): number | undefined => numberField(fields, name);
  const family = fields['family'] === 'ipv6' ? 10 : 2;
  const protocol = number('protocolNumber') ?? 0;
  const { state, helper, reply } = fields;
  return definedOnly<FlowView>({
    family,
    original: tupleFromJson(fields['original'], protocol),
    reply: reply === undefined ? undefined : tupleFromJson(reply, protocol),
    timeoutSeconds: number('timeout'),
    protocolState: typeof state === 'string' ? stateNumber(protocol, state) : undefined,
    status: number('status'),
    mark: number('mark'),
    secmark: number('secmark'),
    securityContext: textField(fields, 'securityContext'),
    zone: number('zone'),
    helper: typeof helper === 'string' ? helper : undefined,
    id: number('id'),
  });
}

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new DecodeError('flow-json', 'a flow is a JSON object');
  }
  // A plain JSON object by the test before.
  return value as Fields;
}

function numberField(fields: Fields, name: string): number | undefined {
  const value = fields[name];
  return typeof value === 'number' ? value : undefined;
}

function textField(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  return typeof value === 'string' ? value : undefined;
}

function tupleFromJson(value: unknown, protocol: number): TupleView {
  const fields = fieldsOf(value);
  const number = (name: string): number | undefined => numberField(fields, name);
  const address = (name: string): IpAddress | undefined => parseIp(textField(fields, name) ?? '');
  return definedOnly<TupleView>({
    protocol,
    source: address('source'),
    destination: address('destination'),
    sourcePort: number('sourcePort'),
    destinationPort: number('destinationPort'),
    icmpType: number('icmpType'),
    icmpCode: number('icmpCode'),
    icmpId: number('icmpId'),
    zone: number('zone'),
    counters: undefined,
  });
}
