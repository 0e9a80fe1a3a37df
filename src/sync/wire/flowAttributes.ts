/**
 * One row per conntrack attribute of the replication protocol (conntrackd 1.4.7): number, length,
 * form, and place in the flow record. FlowWriter and FlowReader are both interpreters of these
 * rows. Attribute headers are `len, type`, big endian; `len` counts the header and not the padding
 * to a multiple of 4.
 */
import { protocol, statusBit } from '../../conntrack/constants.js';
import {
  presenceBit,
  infoField,
  rareWord,
  addressRole,
  recordWord,
} from '../../conntrack/record/flowRecord.js';

/** Form of a value; dense numbers, so that the interpreters switch on them. */
export const wireForm = {
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
export type WireForm = (typeof wireForm)[keyof typeof wireForm];
/** Of attributes that few flows have. */
export type RareForm = Exclude<
  WireForm,
  (typeof wireForm)[
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
  return formOfValue >= wireForm.masterAddresses;
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
  /** Bits of `presenceBit`: sent where all are known; learnt when received. */
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
  const isMaximum = formOfValue === wireForm.helper || formOfValue === wireForm.labels;
  const status = statusOf(formOfValue, place, mask);
  return { number, name, length, isMaximum, form: formOfValue, place, mask, presence, status };
}

/** By a literal and not by spreading: rows of one shape are read in half the time. */
function withPresence(wireRow: WireRow, presence: number): WireRow {
  const { number, name, length, isMaximum, form: formOfValue, place, mask, status } = wireRow;
  return { number, name, length, isMaximum, form: formOfValue, place, mask, presence, status };
}

/** Translations are sent once the kernel has done them. */
function statusOf(formOfValue: WireForm, place: number, mask: number): number {
  if (formOfValue === wireForm.natAddress) {
    return place === addressRole.replyDestination
      ? statusBit.sourceNatDone
      : statusBit.destinationNatDone;
  }
  return formOfValue === wireForm.natPort ? mask : 0;
}

const master6 = 0x100;

export const wireRows = {
  ipv4: row(0, 'IPV4', 12, wireForm.addresses, 0),
  ipv6: row(1, 'IPV6', 36, wireForm.addresses, 0, 0, 1),
  protocol: row(2, 'L4PROTO', 5, wireForm.protocol, 0),
  ports: row(3, 'PORT', 8, wireForm.ports, presenceBit.ports),
  tcpState: row(4, 'TCP_STATE', 5, wireForm.info8, presenceBit.state, 0, infoField.stateMask),
  status: row(5, 'STATUS', 8, wireForm.record32, presenceBit.status, recordWord.status),
  timeout: row(6, 'TIMEOUT', 8, wireForm.record32, presenceBit.timeout, recordWord.timeout),
  mark: row(7, 'MARK', 8, wireForm.record32, presenceBit.mark, recordWord.mark),
  masterIpv4: row(8, 'MASTER_IPV4', 12, wireForm.masterAddresses, presenceBit.master),
  masterIpv6: row(9, 'MASTER_IPV6', 36, wireForm.masterAddresses, presenceBit.master, 0, master6),
  masterProtocol: row(10, 'MASTER_L4PROTO', 5, wireForm.masterProtocol, presenceBit.master),
  masterPorts: row(
    11,
    'MASTER_PORT',
    8,
    wireForm.masterPorts,
    presenceBit.master | presenceBit.masterPorts,
  ),
  snatIpv4: row(
    12,
    'SNAT_IPV4',
    8,
    wireForm.natAddress,
    presenceBit.reply,
    addressRole.replyDestination,
  ),
  dnatIpv4: row(
    13,
    'DNAT_IPV4',
    8,
    wireForm.natAddress,
    presenceBit.reply,
    addressRole.replySource,
  ),
  snatPort: row(
    14,
    'SPAT_PORT',
    6,
    wireForm.natPort,
    presenceBit.reply,
    0,
    statusBit.sourceNatDone,
  ),
  dnatPort: row(
    15,
    'DPAT_PORT',
    6,
    wireForm.natPort,
    presenceBit.reply,
    16,
    statusBit.destinationNatDone,
  ),
  sequenceAdjustment: row(
    16,
    'NAT_SEQ_ADJ',
    28,
    wireForm.sequenceAdjustment,
    presenceBit.sequenceOriginal | presenceBit.sequenceReply,
  ),
  sctpState: row(17, 'SCTP_STATE', 5, wireForm.info8, presenceBit.state, 0, infoField.stateMask),
  sctpTagOriginal: row(
    18,
    'SCTP_VTAG_ORIG',
    8,
    wireForm.record32Rare,
    presenceBit.vtagOriginal,
    rareWord.vtagOriginal,
  ),
  sctpTagReply: row(
    19,
    'SCTP_VTAG_REPL',
    8,
    wireForm.record32Rare,
    presenceBit.vtagReply,
    rareWord.vtagReply,
  ),
  dccpState: row(20, 'DCCP_STATE', 5, wireForm.info8, presenceBit.state, 0, infoField.stateMask),
  dccpRole: row(
    21,
    'DCCP_ROLE',
    5,
    wireForm.info8,
    presenceBit.dccpRole,
    infoField.roleShift,
    0xff,
  ),
  icmpType: row(22, 'ICMP_TYPE', 5, wireForm.icmpType, presenceBit.ports),
  icmpCode: row(23, 'ICMP_CODE', 5, wireForm.icmpCode, presenceBit.ports),
  icmpId: row(24, 'ICMP_ID', 6, wireForm.icmpId, presenceBit.ports),
  scaleOriginal: row(
    25,
    'TCP_WSCALE_ORIG',
    5,
    wireForm.info8,
    presenceBit.scaleOriginal,
    infoField.scaleOriginalShift,
    0xf,
  ),
  scaleReply: row(
    26,
    'TCP_WSCALE_REPL',
    5,
    wireForm.info8,
    presenceBit.scaleReply,
    infoField.scaleReplyShift,
    0xf,
  ),
  /**
   * Header, 11 characters and NUL for conntrackd; a name of 15 is the kernel's longest and is
   * taken.
   */
  helper: row(27, 'HELPER_NAME', 20, wireForm.helper, presenceBit.helper),
  labels: row(28, 'LABELS', 1028, wireForm.labels, presenceBit.labels),
  snatIpv6: row(
    29,
    'SNAT_IPV6',
    20,
    wireForm.natAddress,
    presenceBit.reply,
    addressRole.replyDestination,
  ),
  dnatIpv6: row(
    30,
    'DNAT_IPV6',
    20,
    wireForm.natAddress,
    presenceBit.reply,
    addressRole.replySource,
  ),
  synproxy: row(31, 'SYNPROXY', 16, wireForm.synproxy, presenceBit.synproxy),
  zone: row(32, 'ZONE', 6, wireForm.zone, presenceBit.zone),
} as const;

/**
 * A zone of one direction (`ct original zone set`), for which conntrackd has no place: LABELS with
 * a value of 3 bytes, direction (1 original, 2 reply) and zone, u16 big endian. conntrackd 1.4.7
 * ignores labels whose length is no multiple of 4, and takes the rest of the message.
 */
export const directionZone = { number: 28, length: 7 } as const;

/** Index is the attribute number; numbers are 0 to 32 without a hole. */
export const rowsByNumber: readonly WireRow[] = Object.values(wireRows).sort(
  (a, b) => a.number - b.number,
);

/** The longest helper name that conntrackd takes: its limit of 16 counts header and NUL. */
export const longestHelperForPeer = 11;

export interface SendOptions {
  /** False where CommitTimeout is configured. */
  readonly sendTimeout: boolean;
  /** TCPWindowTracking: window scales are sent. */
  readonly sendScales: boolean;
}

function protocolPart(number: number, options: SendOptions): readonly WireRow[] {
  switch (number) {
    case protocol.tcp:
      return options.sendScales
        ? [
            wireRows.ports,
            wireRows.tcpState,
            withState(wireRows.scaleOriginal),
            withState(wireRows.scaleReply),
          ]
        : [wireRows.ports, wireRows.tcpState];
    case protocol.udp:
      return [wireRows.ports];
    case protocol.sctp:
      return [
        wireRows.ports,
        wireRows.sctpState,
        withState(wireRows.sctpTagOriginal),
        withState(wireRows.sctpTagReply),
      ];
    case protocol.dccp:
      return [wireRows.ports, wireRows.dccpState, withState(wireRows.dccpRole)];
    case protocol.icmp:
    case protocol.icmpv6:
      return [wireRows.icmpType, wireRows.icmpCode, wireRows.icmpId];
    case protocol.gre:
    case protocol.udplite:
      // conntrackd sends nothing here, so that flows between the same hosts collapse; it takes the
      // ports.
      return [withPresence(wireRows.ports, wireRows.ports.presence)];
    default:
      return [];
  }
}

/** conntrackd sends these whenever the state is known, as zero where they are not. */
function withState(wireRow: WireRow): WireRow {
  return withPresence(wireRow, presenceBit.state);
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
    isIpv6 ? wireRows.ipv6 : wireRows.ipv4,
    withPresence(wireRows.status, always),
    wireRows.protocol,
    ...protocolPart(protocolNumber, options).map((wireRow) =>
      wireRow === wireRows.ports ? withPresence(wireRow, always) : wireRow,
    ),
    ...(options.sendTimeout ? [wireRows.timeout] : []),
    wireRows.mark,
    wireRows.masterIpv4,
    wireRows.masterIpv6,
    wireRows.masterProtocol,
    wireRows.masterPorts,
    isIpv6 ? wireRows.snatIpv6 : wireRows.snatIpv4,
    isIpv6 ? wireRows.dnatIpv6 : wireRows.dnatIpv4,
    // conntrackd adds bogus zero ports to translated ICMP flows; keepstate does not.
    ...(hasPorts ? [wireRows.snatPort, wireRows.dnatPort] : []),
    wireRows.sequenceAdjustment,
    wireRows.helper,
    wireRows.labels,
    wireRows.synproxy,
    wireRows.zone,
  ];
}
