/**
 * One row per CTA_* attribute (enum ctattr_type and its nests in linux/netfilter/nfnetlink_conntrack.h):
 * number, form on the wire, place in the flow record, presence bit. The decoder and the encoder are both
 * interpreters of these rows. Integers are big endian on the wire.
 */
import { has, info, rare, word } from '../record/flowRecord.js';

/** Form of an attribute; the numbers are dense so that the interpreters switch on them. */
export const form = {
  /** Known to us, not held. */
  ignored: 0,
  nest: 1,
  tuple: 2,
  /** Big-endian integers of 1, 4 and 8 bytes. */
  u8: 3,
  u32: 4,
  u64: 5,
  /** Two bytes, value and mask: TCP flags. */
  flags: 6,
  /** Text, NUL at the end where there is room; held as an id of the name table. */
  text: 7,
  /** Bit string of up to 16 bytes, a multiple of 4. */
  labels: 8,
  /** CTA_ZONE. */
  zone: 9,
} as const;
export type Form = (typeof form)[keyof typeof form];

/** Where the value stands. */
export const store = { record: 0, info: 1, rare: 2, none: 3 } as const;
export type Store = (typeof store)[keyof typeof store];

/** Which tuple a `form.tuple` row is. */
export const tupleKind = { original: 0, reply: 1, master: 2 } as const;

export interface AttributeRow {
  readonly number: number;
  readonly name: string;
  readonly form: Form;
  readonly store: Store;
  /** `word` of the record or of the rare record; for `store.info` the shift; for a nest see `mask`. */
  readonly place: number;
  /** `store.info`: mask after the shift. A nest: how many rare words from `place` a reader zeroes first. */
  readonly mask: number;
  /** Bits of `has`. 0 for nests. */
  readonly presence: number;
  readonly nest: AttributeNest | undefined;
}

/** Rows in the order in which they are written, and by number. */
export interface AttributeNest {
  readonly rows: readonly AttributeRow[];
  readonly byNumber: readonly (AttributeRow | undefined)[];
}

function nestOf(rows: readonly AttributeRow[]): AttributeNest {
  const byNumber = new Array<AttributeRow | undefined>(
    Math.max(...rows.map((row) => row.number)) + 1,
  ).fill(undefined);
  for (const row of rows) byNumber[row.number] = row;
  return { rows, byNumber };
}

function row(
  number: number,
  name: string,
  formOfValue: Form,
  storeOfValue: Store,
  place: number,
  presence: number,
  mask = 0,
): AttributeRow {
  return {
    number,
    name,
    form: formOfValue,
    store: storeOfValue,
    place,
    mask,
    presence,
    nest: undefined,
  };
}

function nestRow(
  number: number,
  name: string,
  rows: readonly AttributeRow[],
  place = 0,
  words = 0,
): AttributeRow {
  return {
    number,
    name,
    form: form.nest,
    store: store.none,
    place,
    mask: words,
    presence: 0,
    nest: nestOf(rows),
  };
}

function ignored(number: number, name: string): AttributeRow {
  return row(number, name, form.ignored, store.none, 0, 0);
}

function record32(number: number, name: string, place: number, presence: number): AttributeRow {
  return row(number, name, form.u32, store.record, place, presence);
}

function rare32(number: number, name: string, place: number, presence: number): AttributeRow {
  return row(number, name, form.u32, store.rare, place, presence);
}

function rare64(number: number, name: string, place: number, presence: number): AttributeRow {
  return row(number, name, form.u64, store.rare, place, presence);
}

function info8(number: number, name: string, shift: number, presence: number, mask = 0xff) {
  return row(number, name, form.u8, store.info, shift, presence, mask);
}

function counters(number: number, name: string, place: number, presence: number): AttributeRow {
  return nestRow(
    number,
    name,
    [
      rare64(1, 'CTA_COUNTERS_PACKETS', place, presence),
      rare64(2, 'CTA_COUNTERS_BYTES', place + 2, presence),
      ignored(3, 'CTA_COUNTERS32_PACKETS'),
      ignored(4, 'CTA_COUNTERS32_BYTES'),
      ignored(5, 'CTA_COUNTERS_PAD'),
    ],
    place,
    4,
  );
}

function sequence(number: number, name: string, place: number, presence: number): AttributeRow {
  return nestRow(
    number,
    name,
    [
      rare32(1, 'CTA_SEQADJ_CORRECTION_POS', place, presence),
      rare32(2, 'CTA_SEQADJ_OFFSET_BEFORE', place + 1, presence),
      rare32(3, 'CTA_SEQADJ_OFFSET_AFTER', place + 2, presence),
    ],
    place,
    3,
  );
}

const scaleMask = 0xf;

export const rows = {
  original: row(1, 'CTA_TUPLE_ORIG', form.tuple, store.none, tupleKind.original, 0),
  reply: row(2, 'CTA_TUPLE_REPLY', form.tuple, store.none, tupleKind.reply, has.reply),
  zone: row(18, 'CTA_ZONE', form.zone, store.record, word.zone, has.zone),
  status: record32(3, 'CTA_STATUS', word.status, has.status),
  mark: record32(8, 'CTA_MARK', word.mark, has.mark),
  securityMark: rare32(17, 'CTA_SECMARK', rare.securityMark, has.securityMark),
  securityContext: nestRow(19, 'CTA_SECCTX', [
    row(1, 'CTA_SECCTX_NAME', form.text, store.rare, rare.securityContext, has.securityContext),
  ]),
  id: record32(12, 'CTA_ID', word.id, has.id),
  use: rare32(11, 'CTA_USE', rare.use, has.use),
  master: row(14, 'CTA_TUPLE_MASTER', form.tuple, store.none, tupleKind.master, has.master),
  timeout: record32(7, 'CTA_TIMEOUT', word.timeout, has.timeout),
  protocolInfo: nestRow(4, 'CTA_PROTOINFO', [
    nestRow(1, 'CTA_PROTOINFO_TCP', [
      info8(1, 'CTA_PROTOINFO_TCP_STATE', 0, has.state),
      info8(
        2,
        'CTA_PROTOINFO_TCP_WSCALE_ORIGINAL',
        info.scaleOriginalShift,
        has.scaleOriginal,
        scaleMask,
      ),
      info8(3, 'CTA_PROTOINFO_TCP_WSCALE_REPLY', info.scaleReplyShift, has.scaleReply, scaleMask),
      row(
        4,
        'CTA_PROTOINFO_TCP_FLAGS_ORIGINAL',
        form.flags,
        store.info,
        info.flagsOriginalShift,
        has.tcpFlagsOriginal,
        0xff,
      ),
      row(
        5,
        'CTA_PROTOINFO_TCP_FLAGS_REPLY',
        form.flags,
        store.info,
        info.flagsReplyShift,
        has.tcpFlagsReply,
        0xff,
      ),
    ]),
    nestRow(2, 'CTA_PROTOINFO_DCCP', [
      info8(1, 'CTA_PROTOINFO_DCCP_STATE', 0, has.state),
      info8(2, 'CTA_PROTOINFO_DCCP_ROLE', info.roleShift, has.dccpRole),
      rare64(3, 'CTA_PROTOINFO_DCCP_HANDSHAKE_SEQ', rare.dccpHandshake, has.dccpHandshake),
      ignored(4, 'CTA_PROTOINFO_DCCP_PAD'),
    ]),
    nestRow(3, 'CTA_PROTOINFO_SCTP', [
      info8(1, 'CTA_PROTOINFO_SCTP_STATE', 0, has.state),
      rare32(2, 'CTA_PROTOINFO_SCTP_VTAG_ORIGINAL', rare.vtagOriginal, has.vtagOriginal),
      rare32(3, 'CTA_PROTOINFO_SCTP_VTAG_REPLY', rare.vtagReply, has.vtagReply),
    ]),
  ]),
  countersOriginal: counters(9, 'CTA_COUNTERS_ORIG', rare.packetsOriginal, has.countersOriginal),
  countersReply: counters(10, 'CTA_COUNTERS_REPLY', rare.packetsReply, has.countersReply),
  timestamp: nestRow(20, 'CTA_TIMESTAMP', [
    rare64(1, 'CTA_TIMESTAMP_START', rare.start, has.start),
    rare64(2, 'CTA_TIMESTAMP_STOP', rare.stop, has.stop),
    ignored(3, 'CTA_TIMESTAMP_PAD'),
  ]),
  eventTime: rare64(27, 'CTA_TIMESTAMP_EVENT', rare.eventTime, has.eventTime),
  help: nestRow(5, 'CTA_HELP', [
    row(1, 'CTA_HELP_NAME', form.text, store.rare, rare.helper, has.helper),
    ignored(2, 'CTA_HELP_INFO'),
  ]),
  labels: row(22, 'CTA_LABELS', form.labels, store.rare, rare.labels, has.labels),
  sequenceOriginal: sequence(15, 'CTA_SEQ_ADJ_ORIG', rare.sequenceOriginal, has.sequenceOriginal),
  sequenceReply: sequence(16, 'CTA_SEQ_ADJ_REPLY', rare.sequenceReply, has.sequenceReply),
  synproxy: nestRow(
    24,
    'CTA_SYNPROXY',
    [
      rare32(1, 'CTA_SYNPROXY_ISN', rare.synproxy, has.synproxy),
      rare32(2, 'CTA_SYNPROXY_ITS', rare.synproxy + 1, has.synproxy),
      rare32(3, 'CTA_SYNPROXY_TSOFF', rare.synproxy + 2, has.synproxy),
    ],
    rare.synproxy,
    3,
  ),
} as const;

/** The children of CTA_PROTOINFO for one protocol, or undefined. */
export function protocolInfoNest(protocolNumber: number): AttributeRow | undefined {
  const nest = rows.protocolInfo.nest;
  if (protocolNumber === 6) return nest?.byNumber[1];
  if (protocolNumber === 33) return nest?.byNumber[2];
  return protocolNumber === 132 ? nest?.byNumber[3] : undefined;
}

/**
 * All attributes of a flow in the kernel's dump order. Numbers that only requests use (CTA_NAT_SRC 6,
 * CTA_NAT_DST 13, masks and filters) are known and not held.
 */
export const flowAttributes: AttributeNest = nestOf([
  rows.original,
  rows.reply,
  rows.zone,
  rows.status,
  rows.mark,
  rows.securityMark,
  rows.securityContext,
  rows.id,
  rows.use,
  rows.master,
  rows.timeout,
  rows.protocolInfo,
  rows.countersOriginal,
  rows.countersReply,
  rows.timestamp,
  rows.help,
  rows.labels,
  rows.sequenceOriginal,
  rows.sequenceReply,
  rows.synproxy,
  rows.eventTime,
  ignored(6, 'CTA_NAT_SRC'),
  ignored(13, 'CTA_NAT_DST'),
  ignored(21, 'CTA_MARK_MASK'),
  ignored(23, 'CTA_LABELS_MASK'),
  ignored(25, 'CTA_FILTER'),
  ignored(26, 'CTA_STATUS_MASK'),
]);

/** Numbers inside a tuple nest (enum ctattr_tuple, ctattr_ip, ctattr_l4proto). */
export const tupleAttribute = {
  ip: 1,
  layer4: 2,
  zone: 3,
  v4Source: 1,
  v4Destination: 2,
  v6Source: 3,
  v6Destination: 4,
  protocol: 1,
  sourcePort: 2,
  destinationPort: 3,
  icmpId: 4,
  icmpType: 5,
  icmpCode: 6,
  icmpv6Id: 7,
  icmpv6Type: 8,
  icmpv6Code: 9,
} as const;
