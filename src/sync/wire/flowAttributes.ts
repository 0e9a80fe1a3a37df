/**
 * One row per conntrack attribute of the replication protocol (conntrackd 1.4.7): number, length, form, and
 * place in the flow record. FlowWriter and FlowReader are both interpreters of these rows. Attribute headers
 * are `len, type`, big endian; `len` counts the header and not the padding to a multiple of 4.
 */
import { protocol, statusBit } from '../../conntrack/constants.js';
import { has, info, rare, role, word } from '../../conntrack/record/flowRecord.js';

/** Form of a value; dense numbers, so that the interpreters switch on them. */
export const form = {
  /** Both original addresses. */
  addresses: 0,
  /** A big-endian word of the record. */
  record32: 1,
  record32Rare: 2,
  protocol: 3,
  /** u8 from the protocol info word: `place` is the shift, `mask` the mask. */
  info8: 4,
  /** Original ports, network order. */
  ports: 5,
  icmpType: 6,
  icmpCode: 7,
  /** u16, little endian: conntrackd on x86 and ARM swaps it twice. */
  icmpId: 8,
  masterAddresses: 9,
  masterProtocol: 10,
  masterPorts: 11,
  /** One translated address: `place` is the role in the reply tuple. */
  natAddress: 12,
  /** Translated port, u16 little endian: `place` is the shift in the reply ports. */
  natPort: 13,
  sequenceAdjustment: 14,
  helper: 15,
  labels: 16,
  synproxy: 17,
  zone: 18,
} as const;
export type WireForm = (typeof form)[keyof typeof form];
/** Of attributes that few flows have. */
export type RareForm = Exclude<
  WireForm,
  (typeof form)[
    | 'addresses'
    | 'record32'
    | 'record32Rare'
    | 'protocol'
    | 'info8'
    | 'ports'
    | 'icmpType'
    | 'icmpCode'
    | 'icmpId']
>;

/** The common forms have the lower numbers. */
export function isRare(formOfValue: WireForm): formOfValue is RareForm {
  return formOfValue >= form.masterAddresses;
}

export interface WireRow {
  readonly number: number;
  readonly name: string;
  /** Exact `len` that a receiver demands; for `isMaximum` rows the most. */
  readonly length: number;
  readonly isMaximum: boolean;
  readonly form: WireForm;
  readonly place: number;
  readonly mask: number;
  /** Bits of `has`: sent where all are known; learnt when received. */
  readonly presence: number;
  /** Status bits that must stand for the attribute to be sent. */
  readonly status: number;
}

function row(
  number: number,
  name: string,
  length: number,
  formOfValue: WireForm,
  presence: number,
  place = 0,
  mask = 0,
): WireRow {
  const isMaximum = formOfValue === form.helper || formOfValue === form.labels;
  const status = statusOf(formOfValue, place, mask);
  return { number, name, length, isMaximum, form: formOfValue, place, mask, presence, status };
}

/** By a literal and not by spreading: rows of one shape are read in half the time. */
function withPresence(wireRow: WireRow, presence: number): WireRow {
  const { number, name, length, isMaximum, form: formOfValue, place, mask, status } = wireRow;
  return { number, name, length, isMaximum, form: formOfValue, place, mask, presence, status };
}

/** Translations are told once the kernel has done them. */
function statusOf(formOfValue: WireForm, place: number, mask: number): number {
  if (formOfValue === form.natAddress) {
    return place === role.replyDestination ? statusBit.sourceNatDone : statusBit.destinationNatDone;
  }
  return formOfValue === form.natPort ? mask : 0;
}

const master6 = 0x100;

export const rows = {
  ipv4: row(0, 'IPV4', 12, form.addresses, 0),
  ipv6: row(1, 'IPV6', 36, form.addresses, 0, 0, 1),
  protocol: row(2, 'L4PROTO', 5, form.protocol, 0),
  ports: row(3, 'PORT', 8, form.ports, has.ports),
  tcpState: row(4, 'TCP_STATE', 5, form.info8, has.state, 0, info.stateMask),
  status: row(5, 'STATUS', 8, form.record32, has.status, word.status),
  timeout: row(6, 'TIMEOUT', 8, form.record32, has.timeout, word.timeout),
  mark: row(7, 'MARK', 8, form.record32, has.mark, word.mark),
  masterIpv4: row(8, 'MASTER_IPV4', 12, form.masterAddresses, has.master),
  masterIpv6: row(9, 'MASTER_IPV6', 36, form.masterAddresses, has.master, 0, master6),
  masterProtocol: row(10, 'MASTER_L4PROTO', 5, form.masterProtocol, has.master),
  masterPorts: row(11, 'MASTER_PORT', 8, form.masterPorts, has.master | has.masterPorts),
  snatIpv4: row(12, 'SNAT_IPV4', 8, form.natAddress, has.reply, role.replyDestination),
  dnatIpv4: row(13, 'DNAT_IPV4', 8, form.natAddress, has.reply, role.replySource),
  snatPort: row(14, 'SPAT_PORT', 6, form.natPort, has.reply, 0, statusBit.sourceNatDone),
  dnatPort: row(15, 'DPAT_PORT', 6, form.natPort, has.reply, 16, statusBit.destinationNatDone),
  sequenceAdjustment: row(
    16,
    'NAT_SEQ_ADJ',
    28,
    form.sequenceAdjustment,
    has.sequenceOriginal | has.sequenceReply,
  ),
  sctpState: row(17, 'SCTP_STATE', 5, form.info8, has.state, 0, info.stateMask),
  sctpTagOriginal: row(
    18,
    'SCTP_VTAG_ORIG',
    8,
    form.record32Rare,
    has.vtagOriginal,
    rare.vtagOriginal,
  ),
  sctpTagReply: row(19, 'SCTP_VTAG_REPL', 8, form.record32Rare, has.vtagReply, rare.vtagReply),
  dccpState: row(20, 'DCCP_STATE', 5, form.info8, has.state, 0, info.stateMask),
  dccpRole: row(21, 'DCCP_ROLE', 5, form.info8, has.dccpRole, info.roleShift, 0xff),
  icmpType: row(22, 'ICMP_TYPE', 5, form.icmpType, has.ports),
  icmpCode: row(23, 'ICMP_CODE', 5, form.icmpCode, has.ports),
  icmpId: row(24, 'ICMP_ID', 6, form.icmpId, has.ports),
  scaleOriginal: row(
    25,
    'TCP_WSCALE_ORIG',
    5,
    form.info8,
    has.scaleOriginal,
    info.scaleOriginalShift,
    0xf,
  ),
  scaleReply: row(26, 'TCP_WSCALE_REPL', 5, form.info8, has.scaleReply, info.scaleReplyShift, 0xf),
  /** Header, 11 characters and NUL for conntrackd; a name of 15 is the kernel's longest and is taken. */
  helper: row(27, 'HELPER_NAME', 20, form.helper, has.helper),
  labels: row(28, 'LABELS', 1028, form.labels, has.labels),
  snatIpv6: row(29, 'SNAT_IPV6', 20, form.natAddress, has.reply, role.replyDestination),
  dnatIpv6: row(30, 'DNAT_IPV6', 20, form.natAddress, has.reply, role.replySource),
  synproxy: row(31, 'SYNPROXY', 16, form.synproxy, has.synproxy),
  zone: row(32, 'ZONE', 6, form.zone, has.zone),
} as const;

/** Index is the attribute number; numbers are 0 to 32 without a hole. */
export const rowsByNumber: readonly WireRow[] = Object.values(rows).sort(
  (a, b) => a.number - b.number,
);

/** The longest helper name that conntrackd takes: its limit of 16 counts header and NUL. */
export const longestHelperForPeer = 11;

export interface SendOptions {
  /** False where CommitTimeout is configured. */
  readonly sendTimeout: boolean;
  /** TCPWindowTracking: window scales are told. */
  readonly sendScales: boolean;
}

function protocolPart(number: number, options: SendOptions): readonly WireRow[] {
  switch (number) {
    case protocol.tcp:
      return options.sendScales
        ? [rows.ports, rows.tcpState, withState(rows.scaleOriginal), withState(rows.scaleReply)]
        : [rows.ports, rows.tcpState];
    case protocol.udp:
      return [rows.ports];
    case protocol.sctp:
      return [
        rows.ports,
        rows.sctpState,
        withState(rows.sctpTagOriginal),
        withState(rows.sctpTagReply),
      ];
    case protocol.dccp:
      return [rows.ports, rows.dccpState, withState(rows.dccpRole)];
    case protocol.icmp:
    case protocol.icmpv6:
      return [rows.icmpType, rows.icmpCode, rows.icmpId];
    case protocol.gre:
    case protocol.udplite:
      // conntrackd tells nothing here, so that flows between the same hosts collapse; it takes the ports.
      return [withPresence(rows.ports, rows.ports.presence)];
    default:
      return [];
  }
}

/** conntrackd sends these whenever the state is known, as zero where they are not. */
function withState(wireRow: WireRow): WireRow {
  return withPresence(wireRow, has.state);
}

/** Sent whether it is known or not. */
const always = 0;

/** The attributes of a flow in the order in which conntrackd sends them. */
export function sendOrder(
  protocolNumber: number,
  isIpv6: boolean,
  options: SendOptions,
): readonly WireRow[] {
  const hasPorts =
    protocolNumber === protocol.tcp ||
    protocolNumber === protocol.udp ||
    protocolNumber === protocol.udplite ||
    protocolNumber === protocol.sctp ||
    protocolNumber === protocol.dccp;
  return [
    isIpv6 ? rows.ipv6 : rows.ipv4,
    withPresence(rows.status, always),
    rows.protocol,
    ...protocolPart(protocolNumber, options).map((wireRow) =>
      wireRow === rows.ports ? withPresence(wireRow, always) : wireRow,
    ),
    ...(options.sendTimeout ? [rows.timeout] : []),
    rows.mark,
    rows.masterIpv4,
    rows.masterIpv6,
    rows.masterProtocol,
    rows.masterPorts,
    isIpv6 ? rows.snatIpv6 : rows.snatIpv4,
    isIpv6 ? rows.dnatIpv6 : rows.dnatIpv4,
    // conntrackd adds bogus zero ports to translated ICMP flows; keepstate does not.
    ...(hasPorts ? [rows.snatPort, rows.dnatPort] : []),
    rows.sequenceAdjustment,
    rows.helper,
    rows.labels,
    rows.synproxy,
    rows.zone,
  ];
}
