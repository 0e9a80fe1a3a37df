/**
 * One row per CTA_* attribute (enum ctattr_type and its nests in
 * linux/netfilter/nfnetlink_conntrack.h): number, form on the wire, place in the flow record,
 * presence bit. The decoder and the encoder are both interpreters of these rows. Integers are big
 * endian on the wire.
 */
import { presenceBit, infoField, rareWord, recordWord } from '../record/flowRecord.js';
import {
  attributeForm,
  attributeStore,
  counters,
  ignored,
  info8,
  nestOf,
  nestRow,
  rare32,
  rare64,
  record32,
  row,
  sequence,
  tupleKind,
  type AttributeNest,
  type AttributeRow,
} from './attributeRow.js';

const scaleMask = 0xf;

export const attributeRows = {
  original: row(
    1,
    'CTA_TUPLE_ORIG',
    attributeForm.tuple,
    attributeStore.none,
    tupleKind.original,
    0,
  ),
  reply: row(
    2,
    'CTA_TUPLE_REPLY',
    attributeForm.tuple,
    attributeStore.none,
    tupleKind.reply,
    presenceBit.reply,
  ),
  zone: row(
    18,
    'CTA_ZONE',
    attributeForm.zone,
    attributeStore.record,
    recordWord.zone,
    presenceBit.zone,
  ),
  status: record32(3, 'CTA_STATUS', recordWord.status, presenceBit.status),
  mark: record32(8, 'CTA_MARK', recordWord.mark, presenceBit.mark),
  securityMark: rare32(17, 'CTA_SECMARK', rareWord.securityMark, presenceBit.securityMark),
  securityContext: nestRow(19, 'CTA_SECCTX', [
    row(
      1,
      'CTA_SECCTX_NAME',
      attributeForm.text,
      attributeStore.rare,
      rareWord.securityContext,
      presenceBit.securityContext,
    ),
  ]),
  id: record32(12, 'CTA_ID', recordWord.id, presenceBit.id),
  use: rare32(11, 'CTA_USE', rareWord.use, presenceBit.use),
  master: row(
    14,
    'CTA_TUPLE_MASTER',
    attributeForm.tuple,
    attributeStore.none,
    tupleKind.master,
    presenceBit.master,
  ),
  timeout: record32(7, 'CTA_TIMEOUT', recordWord.timeout, presenceBit.timeout),
  protocolInfo: nestRow(4, 'CTA_PROTOINFO', [
    nestRow(1, 'CTA_PROTOINFO_TCP', [
      info8(1, 'CTA_PROTOINFO_TCP_STATE', 0, presenceBit.state),
      info8(
        2,
        'CTA_PROTOINFO_TCP_WSCALE_ORIGINAL',
        infoField.scaleOriginalShift,
        presenceBit.scaleOriginal,
        scaleMask,
      ),
      info8(
        3,
        'CTA_PROTOINFO_TCP_WSCALE_REPLY',
        infoField.scaleReplyShift,
        presenceBit.scaleReply,
        scaleMask,
      ),
      row(
        4,
        'CTA_PROTOINFO_TCP_FLAGS_ORIGINAL',
        attributeForm.flags,
        attributeStore.info,
        infoField.flagsOriginalShift,
        presenceBit.tcpFlagsOriginal,
        0xff,
      ),
      row(
        5,
        'CTA_PROTOINFO_TCP_FLAGS_REPLY',
        attributeForm.flags,
        attributeStore.info,
        infoField.flagsReplyShift,
        presenceBit.tcpFlagsReply,
        0xff,
      ),
    ]),
    nestRow(2, 'CTA_PROTOINFO_DCCP', [
      info8(1, 'CTA_PROTOINFO_DCCP_STATE', 0, presenceBit.state),
      info8(2, 'CTA_PROTOINFO_DCCP_ROLE', infoField.roleShift, presenceBit.dccpRole),
      rare64(
        3,
        'CTA_PROTOINFO_DCCP_HANDSHAKE_SEQ',
        rareWord.dccpHandshake,
        presenceBit.dccpHandshake,
      ),
      ignored(4, 'CTA_PROTOINFO_DCCP_PAD'),
    ]),
    nestRow(3, 'CTA_PROTOINFO_SCTP', [
      info8(1, 'CTA_PROTOINFO_SCTP_STATE', 0, presenceBit.state),
      rare32(
        2,
        'CTA_PROTOINFO_SCTP_VTAG_ORIGINAL',
        rareWord.vtagOriginal,
        presenceBit.vtagOriginal,
      ),
      rare32(3, 'CTA_PROTOINFO_SCTP_VTAG_REPLY', rareWord.vtagReply, presenceBit.vtagReply),
    ]),
  ]),
  countersOriginal: counters(
    9,
    'CTA_COUNTERS_ORIG',
    rareWord.packetsOriginal,
    presenceBit.countersOriginal,
  ),
  countersReply: counters(
    10,
    'CTA_COUNTERS_REPLY',
    rareWord.packetsReply,
    presenceBit.countersReply,
  ),
  timestamp: nestRow(20, 'CTA_TIMESTAMP', [
    rare64(1, 'CTA_TIMESTAMP_START', rareWord.start, presenceBit.start),
    rare64(2, 'CTA_TIMESTAMP_STOP', rareWord.stop, presenceBit.stop),
    ignored(3, 'CTA_TIMESTAMP_PAD'),
  ]),
  eventTime: rare64(27, 'CTA_TIMESTAMP_EVENT', rareWord.eventTime, presenceBit.eventTime),
  help: nestRow(5, 'CTA_HELP', [
    row(
      1,
      'CTA_HELP_NAME',
      attributeForm.text,
      attributeStore.rare,
      rareWord.helper,
      presenceBit.helper,
    ),
    ignored(2, 'CTA_HELP_INFO'),
  ]),
  labels: row(
    22,
    'CTA_LABELS',
    attributeForm.labels,
    attributeStore.rare,
    rareWord.labels,
    presenceBit.labels,
  ),
  sequenceOriginal: sequence(
    15,
    'CTA_SEQ_ADJ_ORIG',
    rareWord.sequenceOriginal,
    presenceBit.sequenceOriginal,
  ),
  sequenceReply: sequence(
    16,
    'CTA_SEQ_ADJ_REPLY',
    rareWord.sequenceReply,
    presenceBit.sequenceReply,
  ),
  synproxy: nestRow(
    24,
    'CTA_SYNPROXY',
    [
      rare32(1, 'CTA_SYNPROXY_ISN', rareWord.synproxy, presenceBit.synproxy),
      rare32(2, 'CTA_SYNPROXY_ITS', rareWord.synproxy + 1, presenceBit.synproxy),
      rare32(3, 'CTA_SYNPROXY_TSOFF', rareWord.synproxy + 2, presenceBit.synproxy),
    ],
    rareWord.synproxy,
    3,
  ),
} as const;

/** The children of CTA_PROTOINFO for one protocol, or undefined. */
export function protocolInfoNest(protocolNumber: number): AttributeRow | undefined {
  const nest = attributeRows.protocolInfo.nest;
  if (protocolNumber === 6) return nest?.byNumber[1];
  if (protocolNumber === 33) return nest?.byNumber[2];
  return protocolNumber === 132 ? nest?.byNumber[3] : undefined;
}

/**
 * All attributes of a flow in the kernel's dump order. Numbers that only requests use (CTA_NAT_SRC
 * 6, CTA_NAT_DST 13, masks and filters) are known and not held.
 */
export const flowAttributes: AttributeNest = nestOf([
  attributeRows.original,
  attributeRows.reply,
  attributeRows.zone,
  attributeRows.status,
  attributeRows.mark,
  attributeRows.securityMark,
  attributeRows.securityContext,
  attributeRows.id,
  attributeRows.use,
  attributeRows.master,
  attributeRows.timeout,
  attributeRows.protocolInfo,
  attributeRows.countersOriginal,
  attributeRows.countersReply,
  attributeRows.timestamp,
  attributeRows.help,
  attributeRows.labels,
  attributeRows.sequenceOriginal,
  attributeRows.sequenceReply,
  attributeRows.synproxy,
  attributeRows.eventTime,
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
