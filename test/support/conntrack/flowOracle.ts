/**
 * The clear codec of ctnetlink flows: bytes <-> an object of leaves, `{ '/CTA_STATUS': 10, ... }`. Slow, simple and
 * independent of src/conntrack; the oracle of its codec. Addresses are text, 64-bit numbers are decimal
 * text, flags are 'flags/mask', labels are hex.
 */
import { formatIp, ipFromBytes, parseIp } from '../../../src/base/ipAddress';
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
} from '../../../src/conntrack/record/flowRecord';

export type Leaf = string | number;
export type Leaves = Record<string, Leaf>;

type LeafKind = 'u8' | 'u16' | 'u32' | 'u64' | 'ip4' | 'ip6' | 'flags' | 'text' | 'hex';
// eslint-disable-next-line @typescript-eslint/consistent-indexed-object-style -- a Record cannot recurse
interface Schema {
  readonly [name: string]: readonly [number, LeafKind | Schema];
}

const tuple: Schema = {
  CTA_TUPLE_IP: [
    1,
    {
      CTA_IP_V4_SRC: [1, 'ip4'],
      CTA_IP_V4_DST: [2, 'ip4'],
      CTA_IP_V6_SRC: [3, 'ip6'],
      CTA_IP_V6_DST: [4, 'ip6'],
    },
  ],
  CTA_TUPLE_PROTO: [
    2,
    {
      CTA_PROTO_NUM: [1, 'u8'],
      CTA_PROTO_SRC_PORT: [2, 'u16'],
      CTA_PROTO_DST_PORT: [3, 'u16'],
      CTA_PROTO_ICMP_ID: [4, 'u16'],
      CTA_PROTO_ICMP_TYPE: [5, 'u8'],
      CTA_PROTO_ICMP_CODE: [6, 'u8'],
      CTA_PROTO_ICMPV6_ID: [7, 'u16'],
      CTA_PROTO_ICMPV6_TYPE: [8, 'u8'],
      CTA_PROTO_ICMPV6_CODE: [9, 'u8'],
    },
  ],
  CTA_TUPLE_ZONE: [3, 'u16'],
};
const sequence: Schema = {
  CTA_SEQADJ_CORRECTION_POS: [1, 'u32'],
  CTA_SEQADJ_OFFSET_BEFORE: [2, 'u32'],
  CTA_SEQADJ_OFFSET_AFTER: [3, 'u32'],
};
const counters: Schema = { CTA_COUNTERS_PACKETS: [1, 'u64'], CTA_COUNTERS_BYTES: [2, 'u64'] };
const natRange: Schema = {
  CTA_NAT_V4_MINIP: [1, 'ip4'],
  CTA_NAT_V4_MAXIP: [2, 'ip4'],
  CTA_NAT_PROTO: [3, { CTA_PROTONAT_PORT_MIN: [1, 'u16'], CTA_PROTONAT_PORT_MAX: [2, 'u16'] }],
  CTA_NAT_V6_MINIP: [4, 'ip6'],
  CTA_NAT_V6_MAXIP: [5, 'ip6'],
};

/** In the kernel's dump order. */
export const flowSchema: Schema = {
  CTA_TUPLE_ORIG: [1, tuple],
  CTA_TUPLE_REPLY: [2, tuple],
  CTA_ZONE: [18, 'u16'],
  CTA_STATUS: [3, 'u32'],
  CTA_MARK: [8, 'u32'],
  CTA_SECMARK: [17, 'u32'],
  CTA_SECCTX: [19, { CTA_SECCTX_NAME: [1, 'text'] }],
  CTA_ID: [12, 'u32'],
  CTA_USE: [11, 'u32'],
  CTA_TUPLE_MASTER: [14, tuple],
  CTA_TIMEOUT: [7, 'u32'],
  CTA_PROTOINFO: [
    4,
    {
      CTA_PROTOINFO_TCP: [
        1,
        {
          CTA_PROTOINFO_TCP_STATE: [1, 'u8'],
          CTA_PROTOINFO_TCP_WSCALE_ORIGINAL: [2, 'u8'],
          CTA_PROTOINFO_TCP_WSCALE_REPLY: [3, 'u8'],
          CTA_PROTOINFO_TCP_FLAGS_ORIGINAL: [4, 'flags'],
          CTA_PROTOINFO_TCP_FLAGS_REPLY: [5, 'flags'],
        },
      ],
      CTA_PROTOINFO_DCCP: [
        2,
        {
          CTA_PROTOINFO_DCCP_STATE: [1, 'u8'],
          CTA_PROTOINFO_DCCP_ROLE: [2, 'u8'],
          CTA_PROTOINFO_DCCP_HANDSHAKE_SEQ: [3, 'u64'],
        },
      ],
      CTA_PROTOINFO_SCTP: [
        3,
        {
          CTA_PROTOINFO_SCTP_STATE: [1, 'u8'],
          CTA_PROTOINFO_SCTP_VTAG_ORIGINAL: [2, 'u32'],
          CTA_PROTOINFO_SCTP_VTAG_REPLY: [3, 'u32'],
        },
      ],
    },
  ],
  CTA_COUNTERS_ORIG: [9, counters],
  CTA_COUNTERS_REPLY: [10, counters],
  CTA_TIMESTAMP: [20, { CTA_TIMESTAMP_START: [1, 'u64'], CTA_TIMESTAMP_STOP: [2, 'u64'] }],
  CTA_HELP: [5, { CTA_HELP_NAME: [1, 'text'] }],
  CTA_LABELS: [22, 'hex'],
  CTA_SEQ_ADJ_ORIG: [15, sequence],
  CTA_SEQ_ADJ_REPLY: [16, sequence],
  CTA_SYNPROXY: [
    24,
    { CTA_SYNPROXY_ISN: [1, 'u32'], CTA_SYNPROXY_ITS: [2, 'u32'], CTA_SYNPROXY_TSOFF: [3, 'u32'] },
  ],
  CTA_TIMESTAMP_EVENT: [27, 'u64'],
  CTA_NAT_SRC: [6, natRange],
  CTA_NAT_DST: [13, natRange],
  CTA_MARK_MASK: [21, 'u32'],
  CTA_STATUS_MASK: [26, 'u32'],
};

/** The leaves of a whole message, nlmsghdr included. */
export function oracleDecode(message: Uint8Array): Leaves {
  const bytes = Buffer.from(message);
  const leaves: Leaves = {};
  walk(bytes.subarray(20, bytes.readUInt32LE(0)), flowSchema, '', leaves);
  return leaves;
}

function walk(bytes: Buffer, schema: Schema, path: string, leaves: Leaves): void {
  for (let at = 0; at + 4 <= bytes.length; at += (bytes.readUInt16LE(at) + 3) & ~3) {
    const number = bytes.readUInt16LE(at + 2) & 0x3fff;
    const payload = bytes.subarray(at + 4, at + bytes.readUInt16LE(at));
    const found = Object.entries(schema).find(([, [n]]) => n === number);
    if (found === undefined) continue;
    const [name, [, form]] = found;
    if (typeof form === 'object') walk(payload, form, `${path}/${name}`, leaves);
    else leaves[`${path}/${name}`] = readLeaf(payload, form);
  }
}

function readLeaf(payload: Buffer, form: LeafKind): Leaf {
  switch (form) {
    case 'u8':
      return payload.readUInt8(0);
    case 'u16':
      return payload.readUInt16BE(0);
    case 'u32':
      return payload.readUInt32BE(0);
    case 'u64':
      return payload.readBigUInt64BE(0).toString();
    case 'ip4':
    case 'ip6':
      return formatIp(ipFromBytes(payload)!);
    case 'flags':
      return `${payload[0]}/${payload[1]}`;
    case 'text':
      return payload.toString('latin1').replace(/\0.*$/s, '');
    case 'hex':
      return payload.toString('hex');
  }
}

/** A whole message of type CTA NEW with these leaves, in the order of the schema. */
export function oracleEncode(leaves: Leaves, family: number): Buffer {
  const body = build(leaves, flowSchema, '');
  const header = Buffer.alloc(20);
  header.writeUInt32LE(20 + body.length, 0);
  header.writeUInt16LE(0x100, 4);
  header[16] = family;
  return Buffer.concat([header, body]);
}

function build(leaves: Leaves, schema: Schema, path: string): Buffer {
  const parts: Buffer[] = [];
  for (const [name, [number, form]] of Object.entries(schema)) {
    const here = `${path}/${name}`;
    const isNest = typeof form === 'object';
    const leaf = leaves[here];
    const payload = isNest
      ? build(leaves, form, here)
      : leaf === undefined
        ? Buffer.alloc(0)
        : writeLeaf(leaf, form);
    if (isNest ? payload.length === 0 : leaf === undefined) continue;
    const header = Buffer.alloc(4);
    header.writeUInt16LE(4 + payload.length, 0);
    header.writeUInt16LE(number | (isNest ? 0x8000 : 0), 2);
    parts.push(header, payload, Buffer.alloc((4 - (payload.length & 3)) & 3));
  }
  return Buffer.concat(parts);
}

function writeLeaf(leaf: Leaf, form: LeafKind): Buffer {
  const bytes = Buffer.alloc({ u8: 1, u16: 2, u32: 4, u64: 8 }[form as string] ?? 0);
  switch (form) {
    case 'u8':
      bytes.writeUInt8(Number(leaf));
      return bytes;
    case 'u16':
      bytes.writeUInt16BE(Number(leaf));
      return bytes;
    case 'u32':
      bytes.writeUInt32BE(Number(leaf));
      return bytes;
    case 'u64':
      bytes.writeBigUInt64BE(BigInt(leaf));
      return bytes;
    case 'ip4':
    case 'ip6':
      return Buffer.from(parseIp(String(leaf))!.bytes);
    case 'flags':
      return Buffer.from(String(leaf).split('/').map(Number));
    case 'text':
      return Buffer.from(`${leaf}\0`, 'latin1');
    case 'hex':
      return Buffer.from(String(leaf), 'hex');
  }
}

/** What a flow record says, as leaves. */
export function leavesOf(flow: FlowCursor): Leaves {
  const leaves: Leaves = {};
  const put = (bit: number, path: string, value: () => Leaf): void => {
    if (flow.knows(bit)) leaves[path] = value();
  };
  tupleLeaves(flow, '/CTA_TUPLE_ORIG', 0, 1, recordWord.originalPorts, zoneScope.original, leaves);
  if (flow.knows(presenceBit.reply)) {
    tupleLeaves(flow, '/CTA_TUPLE_REPLY', 2, 3, recordWord.replyPorts, zoneScope.reply, leaves);
  }
  const zone = flow.get(recordWord.zone);
  if ((zone & zoneScope.mask) === 0) put(presenceBit.zone, '/CTA_ZONE', () => zone & 0xffff);
  put(presenceBit.status, '/CTA_STATUS', () => flow.get(recordWord.status));
  put(presenceBit.mark, '/CTA_MARK', () => flow.get(recordWord.mark));
  put(presenceBit.securityMark, '/CTA_SECMARK', () => flow.getRare(rareWord.securityMark));
  put(presenceBit.securityContext, '/CTA_SECCTX/CTA_SECCTX_NAME', () =>
    flow.names.text(flow.getRare(rareWord.securityContext)),
  );
  put(presenceBit.id, '/CTA_ID', () => flow.get(recordWord.id));
  put(presenceBit.use, '/CTA_USE', () => flow.getRare(rareWord.use));
  put(presenceBit.timeout, '/CTA_TIMEOUT', () => flow.get(recordWord.timeout));
  put(presenceBit.helper, '/CTA_HELP/CTA_HELP_NAME', () =>
    flow.names.text(flow.getRare(rareWord.helper)),
  );
  if (flow.knows(presenceBit.master)) masterLeaves(flow, leaves);
  protocolLeaves(flow, put);
  accountingLeaves(flow, put);
  put(presenceBit.labels, '/CTA_LABELS', () => {
    const bytes = Buffer.alloc(16);
    for (let i = 0; i < 4; i++) bytes.writeUInt32LE(flow.getRare(rareWord.labels + i), 4 * i);
    return bytes.subarray(0, flow.getRare(rareWord.labelsLength)).toString('hex');
  });
  const sequenceLeaves = (bit: number, path: string, at: number): void => {
    put(bit, `${path}/CTA_SEQADJ_CORRECTION_POS`, () => flow.getRare(at));
    put(bit, `${path}/CTA_SEQADJ_OFFSET_BEFORE`, () => flow.getRare(at + 1));
    put(bit, `${path}/CTA_SEQADJ_OFFSET_AFTER`, () => flow.getRare(at + 2));
  };
  sequenceLeaves(presenceBit.sequenceOriginal, '/CTA_SEQ_ADJ_ORIG', rareWord.sequenceOriginal);
  sequenceLeaves(presenceBit.sequenceReply, '/CTA_SEQ_ADJ_REPLY', rareWord.sequenceReply);
  put(presenceBit.synproxy, '/CTA_SYNPROXY/CTA_SYNPROXY_ISN', () =>
    flow.getRare(rareWord.synproxy),
  );
  put(presenceBit.synproxy, '/CTA_SYNPROXY/CTA_SYNPROXY_ITS', () =>
    flow.getRare(rareWord.synproxy + 1),
  );
  put(presenceBit.synproxy, '/CTA_SYNPROXY/CTA_SYNPROXY_TSOFF', () =>
    flow.getRare(rareWord.synproxy + 2),
  );
  return leaves;
}

type Put = (bit: number, path: string, value: () => Leaf) => void;

function protocolLeaves(flow: FlowCursor, put: Put): void {
  const packed = flow.get(recordWord.info);
  const field = (shift: number, mask: number): number => (packed >>> shift) & mask;
  const name = { 6: 'TCP', 33: 'DCCP', 132: 'SCTP' }[flow.protocol as 6] as string | undefined;
  const path = `/CTA_PROTOINFO/CTA_PROTOINFO_${name ?? 'TCP'}/CTA_PROTOINFO_${name ?? 'TCP'}`;
  put(presenceBit.state, `${path}_STATE`, () => flow.state);
  put(presenceBit.scaleOriginal, `${path}_WSCALE_ORIGINAL`, () =>
    field(infoField.scaleOriginalShift, 0xf),
  );
  put(presenceBit.scaleReply, `${path}_WSCALE_REPLY`, () => field(infoField.scaleReplyShift, 0xf));
  put(
    presenceBit.tcpFlagsOriginal,
    `${path}_FLAGS_ORIGINAL`,
    () => `${field(infoField.flagsOriginalShift, 0xff)}/0`,
  );
  put(
    presenceBit.tcpFlagsReply,
    `${path}_FLAGS_REPLY`,
    () => `${field(infoField.flagsReplyShift, 0xff)}/0`,
  );
  put(presenceBit.vtagOriginal, `${path}_VTAG_ORIGINAL`, () => flow.getRare(rareWord.vtagOriginal));
  put(presenceBit.vtagReply, `${path}_VTAG_REPLY`, () => flow.getRare(rareWord.vtagReply));
  put(presenceBit.dccpRole, `${path}_ROLE`, () => field(infoField.roleShift, 0xff));
  put(presenceBit.dccpHandshake, `${path}_HANDSHAKE_SEQ`, () => wide(flow, rareWord.dccpHandshake));
}

function accountingLeaves(flow: FlowCursor, put: Put): void {
  const pair = (bit: number, path: string, at: number): void => {
    put(bit, `${path}/CTA_COUNTERS_PACKETS`, () => wide(flow, at));
    put(bit, `${path}/CTA_COUNTERS_BYTES`, () => wide(flow, at + 2));
  };
  pair(presenceBit.countersOriginal, '/CTA_COUNTERS_ORIG', rareWord.packetsOriginal);
  pair(presenceBit.countersReply, '/CTA_COUNTERS_REPLY', rareWord.packetsReply);
  put(presenceBit.start, '/CTA_TIMESTAMP/CTA_TIMESTAMP_START', () => wide(flow, rareWord.start));
  put(presenceBit.stop, '/CTA_TIMESTAMP/CTA_TIMESTAMP_STOP', () => wide(flow, rareWord.stop));
  put(presenceBit.eventTime, '/CTA_TIMESTAMP_EVENT', () => wide(flow, rareWord.eventTime));
}

function wide(flow: FlowCursor, at: number): string {
  return ((BigInt(flow.getRare(at)) << 32n) | BigInt(flow.getRare(at + 1))).toString();
}

function tupleLeaves(
  flow: FlowCursor,
  path: string,
  source: AddressRole,
  destination: AddressRole,
  portsWord: number,
  scope: number,
  leaves: Leaves,
): void {
  const address = (which: AddressRole): number[] =>
    (flow.isIpv6 ? [0, 1, 2, 3] : [0]).map((i) => flow.addressWord(which, i));
  const ports = flow.knows(presenceBit.ports) ? flow.get(portsWord) : undefined;
  putTuple(leaves, path, address(source), address(destination), flow.protocol, ports);
  const zone = flow.get(recordWord.zone);
  if (flow.knows(presenceBit.zone) && (zone & zoneScope.mask) === scope) {
    leaves[`${path}/CTA_TUPLE_ZONE`] = zone & 0xffff;
  }
}

function masterLeaves(flow: FlowCursor, leaves: Leaves): void {
  const kindWord = flow.getRare(rareWord.masterKind);
  const parts = (kindWord & kindField.ipv6) === 0 ? [0] : [0, 1, 2, 3];
  putTuple(
    leaves,
    '/CTA_TUPLE_MASTER',
    parts.map((i) => flow.getRare(rareWord.masterSource + i)),
    parts.map((i) => flow.getRare(rareWord.masterDestination + i)),
    kindWord & kindField.protocolMask,
    flow.knows(presenceBit.masterPorts) ? flow.getRare(rareWord.masterPorts) : undefined,
  );
}

function putTuple(
  leaves: Leaves,
  path: string,
  source: readonly number[],
  destination: readonly number[],
  protocol: number,
  ports: number | undefined,
): void {
  const version = source.length === 1 ? 'V4' : 'V6';
  leaves[`${path}/CTA_TUPLE_IP/CTA_IP_${version}_SRC`] = addressText(source);
  leaves[`${path}/CTA_TUPLE_IP/CTA_IP_${version}_DST`] = addressText(destination);
  const layer4 = `${path}/CTA_TUPLE_PROTO/CTA_PROTO_`;
  leaves[`${layer4}NUM`] = protocol;
  if (ports === undefined) return;
  if (protocol === 1 || protocol === 58) {
    const name = protocol === 1 ? 'ICMP' : 'ICMPV6';
    leaves[`${layer4}${name}_ID`] = ports >>> 16;
    leaves[`${layer4}${name}_TYPE`] = (ports >>> 8) & 0xff;
    leaves[`${layer4}${name}_CODE`] = ports & 0xff;
  } else {
    leaves[`${layer4}SRC_PORT`] = ports >>> 16;
    leaves[`${layer4}DST_PORT`] = ports & 0xffff;
  }
}

function addressText(words: readonly number[]): string {
  const bytes = Buffer.alloc(4 * words.length);
  words.forEach((value, i) => bytes.writeUInt32LE(value, 4 * i));
  return formatIp(ipFromBytes(bytes)!);
}

/** The original source of a flow as text, for assertions. */
export function sourceOf(flow: FlowCursor): string {
  return addressText(
    (flow.isIpv6 ? [0, 1, 2, 3] : [0]).map((i) => flow.addressWord(addressRole.originalSource, i)),
  );
}
