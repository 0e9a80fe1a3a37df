/** Arbitrary flows that the kernel could tell, as leaves of the oracle (flowOracle.ts). */
import fc from 'fast-check';
import { formatIp, ipFromBytes } from '../../../src/base/ipAddress';
import type { Leaf, Leaves } from './flowOracle';

export interface ArbitraryFlow {
  /** AF_INET or AF_INET6. */
  readonly family: number;
  readonly leaves: Leaves;
}

const u8 = fc.nat(0xff);
const u16 = fc.nat(0xffff);
const u32 = fc.nat(0xffffffff);
const u64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }).map(String);

function group(paths: Record<string, fc.Arbitrary<Leaf>>): fc.Arbitrary<Leaves> {
  return fc.record(paths);
}

const orAbsent = (leaves: fc.Arbitrary<Leaves>): fc.Arbitrary<Leaves> =>
  fc.oneof(fc.constant({}), leaves);

function address(family: number): fc.Arbitrary<string> {
  const length = family === 2 ? 4 : 16;
  return fc
    .uint8Array({ minLength: length, maxLength: length })
    .map((bytes) => formatIp(ipFromBytes(bytes)!));
}

function tuple(path: string, family: number, protocol: number): fc.Arbitrary<Leaves> {
  const version = family === 2 ? 'V4' : 'V6';
  const layer4 = `${path}/CTA_TUPLE_PROTO/CTA_PROTO_`;
  const icmp = { 1: 'ICMP', 58: 'ICMPV6' }[protocol as 1] as string | undefined;
  const ports: Record<string, fc.Arbitrary<Leaf>> = icmp !== undefined
    ? {
        [`${layer4}${icmp}_ID`]: u16,
        [`${layer4}${icmp}_TYPE`]: u8,
        [`${layer4}${icmp}_CODE`]: u8,
      }
    : [6, 17, 33, 47, 132, 136].includes(protocol)
      ? { [`${layer4}SRC_PORT`]: u16, [`${layer4}DST_PORT`]: u16 }
      : {};
  return group({
    [`${path}/CTA_TUPLE_IP/CTA_IP_${version}_SRC`]: address(family),
    [`${path}/CTA_TUPLE_IP/CTA_IP_${version}_DST`]: address(family),
    [`${layer4}NUM`]: fc.constant(protocol),
    ...ports,
  });
}

const flags = u8.map((value) => `${value}/0`);

function protocolInfo(protocol: number): fc.Arbitrary<Leaves> {
  const tcp = '/CTA_PROTOINFO/CTA_PROTOINFO_TCP/CTA_PROTOINFO_TCP_';
  const sctp = '/CTA_PROTOINFO/CTA_PROTOINFO_SCTP/CTA_PROTOINFO_SCTP_';
  const dccp = '/CTA_PROTOINFO/CTA_PROTOINFO_DCCP/CTA_PROTOINFO_DCCP_';
  if (protocol === 6) {
    const rest = group({
      [`${tcp}WSCALE_ORIGINAL`]: fc.nat(14),
      [`${tcp}WSCALE_REPLY`]: fc.nat(14),
      [`${tcp}FLAGS_ORIGINAL`]: flags,
      [`${tcp}FLAGS_REPLY`]: flags,
    });
    return joined(group({ [`${tcp}STATE`]: fc.nat(9) }), orAbsent(rest));
  }
  if (protocol === 132) {
    return group({
      [`${sctp}STATE`]: fc.nat(8),
      [`${sctp}VTAG_ORIGINAL`]: u32,
      [`${sctp}VTAG_REPLY`]: u32,
    });
  }
  if (protocol === 33) {
    return group({
      [`${dccp}STATE`]: fc.nat(9),
      [`${dccp}ROLE`]: fc.nat(1),
      [`${dccp}HANDSHAKE_SEQ`]: u64,
    });
  }
  return fc.constant({});
}

function sequence(path: string): fc.Arbitrary<Leaves> {
  return group({
    [`${path}/CTA_SEQADJ_CORRECTION_POS`]: u32,
    [`${path}/CTA_SEQADJ_OFFSET_BEFORE`]: u32,
    [`${path}/CTA_SEQADJ_OFFSET_AFTER`]: u32,
  });
}

function counters(path: string): fc.Arbitrary<Leaves> {
  return group({ [`${path}/CTA_COUNTERS_PACKETS`]: u64, [`${path}/CTA_COUNTERS_BYTES`]: u64 });
}

function joined(...parts: fc.Arbitrary<Leaves>[]): fc.Arbitrary<Leaves> {
  return fc.tuple(...parts).map((all) => Object.assign({}, ...all) as Leaves);
}

const labels = fc
  .constantFrom(4, 8, 12, 16)
  .chain((length) => fc.uint8Array({ minLength: length, maxLength: length }))
  .map((bytes) => Buffer.from(bytes).toString('hex'));

const zone = fc.oneof(
  fc.constant({}),
  ...['/CTA_ZONE', '/CTA_TUPLE_ORIG/CTA_TUPLE_ZONE', '/CTA_TUPLE_REPLY/CTA_TUPLE_ZONE'].map(
    (path) => group({ [path]: u16 }),
  ),
);

export const arbitraryFlow: fc.Arbitrary<ArbitraryFlow> = fc
  .tuple(fc.constantFrom(2, 10), fc.constantFrom(1, 2, 6, 6, 17, 33, 47, 50, 58, 132, 136))
  .chain(([family, protocol]) =>
    joined(
      tuple('/CTA_TUPLE_ORIG', family, protocol),
      tuple('/CTA_TUPLE_REPLY', family, protocol),
      zone,
      orAbsent(group({ '/CTA_STATUS': u32 })),
      orAbsent(group({ '/CTA_MARK': u32 })),
      orAbsent(group({ '/CTA_SECMARK': u32 })),
      orAbsent(group({ '/CTA_SECCTX/CTA_SECCTX_NAME': fc.constantFrom('a:b:c:s0', 'x_t') })),
      orAbsent(group({ '/CTA_ID': u32 })),
      orAbsent(group({ '/CTA_USE': u32 })),
      orAbsent(group({ '/CTA_TIMEOUT': u32 })),
      orAbsent(tuple('/CTA_TUPLE_MASTER', family, 6)),
      protocolInfo(protocol),
      orAbsent(counters('/CTA_COUNTERS_ORIG')),
      orAbsent(counters('/CTA_COUNTERS_REPLY')),
      orAbsent(group({ '/CTA_TIMESTAMP/CTA_TIMESTAMP_START': u64 })),
      orAbsent(group({ '/CTA_TIMESTAMP/CTA_TIMESTAMP_STOP': u64 })),
      orAbsent(group({ '/CTA_TIMESTAMP_EVENT': u64 })),
      orAbsent(
        group({ '/CTA_HELP/CTA_HELP_NAME': fc.constantFrom('ftp', 'sip', 'a', 'Q.931-longest15') }),
      ),
      orAbsent(group({ '/CTA_LABELS': labels })),
      orAbsent(sequence('/CTA_SEQ_ADJ_ORIG')),
      orAbsent(sequence('/CTA_SEQ_ADJ_REPLY')),
      orAbsent(
        group({
          '/CTA_SYNPROXY/CTA_SYNPROXY_ISN': u32,
          '/CTA_SYNPROXY/CTA_SYNPROXY_ITS': u32,
          '/CTA_SYNPROXY/CTA_SYNPROXY_TSOFF': u32,
        }),
      ),
    ).map((leaves) => ({ family, leaves })),
  );
