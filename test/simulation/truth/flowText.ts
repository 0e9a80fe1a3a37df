/** Flows of scripts as records of the product, and messages of a kernel as lines to compare. */
import { formatIp, parseIp } from '../../../src/base/ipAddress.js';
import { FlowDecoder } from '../../../src/conntrack/codec/flowDecoder.js';
import { newScratch, type FlowCursor } from '../../../src/conntrack/record/flowRecord.js';
import type { NameTable } from '../../../src/conntrack/record/nameTable.js';
import { oracleDecode, oracleEncode, type Leaves } from '../../support/conntrack/flowOracle.js';
import type { Tuple } from '../kernel/kernelPorts.js';
import { hasPorts, inverseOf, isIcmp } from '../kernel/tuple.js';
import type { FlowSpec, TupleText } from './script.js';

const protocols = { icmp: 1, tcp: 6, udp: 17, gre: 47, esp: 50, icmpv6: 58 } as const;
const stateNames = [
  'NONE',
  'SYN_SENT',
  'SYN_RECV',
  'ESTABLISHED',
  'FIN_WAIT',
  'CLOSE_WAIT',
  'LAST_ACK',
  'TIME_WAIT',
  'CLOSE',
  'SYN_SENT2',
];
const defaultStatus = 0x0e;
const defaultTimeout = 100;
/**
 * WINDOW_SCALE, SACK_PERM, CLOSE_INIT and BE_LIBERAL: what a commit carries. The others are the
 * tracker's own notes about windows, which the model does not compute.
 */
const comparedTcpFlags = 0x0f;

/** Throws where the text is no tuple. */
export function parseTuple(text: TupleText): Tuple {
  const match = /^(\w+) (\S+):(\d+)>(\S+):(\d+)$/.exec(text);
  const [, name = '', source = '', sourcePort = '', destination = '', port = ''] = match ?? [];
  const protocol = Object.entries(protocols).find(([known]) => known === name)?.[1];
  if (protocol === undefined) throw new Error(`not a tuple: ${text}`);
  return {
    protocol,
    source: canonical(source),
    sourcePort: Number(sourcePort),
    destination: canonical(destination),
    destinationPort: Number(port),
  };
}

export function tupleText(tuple: Tuple): TupleText {
  const { protocol, source, sourcePort, destination, destinationPort } = tuple;
  const name = Object.entries(protocols).find(([, number]) => number === protocol)?.[0];
  return `${name ?? protocol} ${source}:${sourcePort}>${destination}:${destinationPort}`;
}

function canonical(text: string): string {
  const address = parseIp(text);
  if (address === undefined) throw new Error(`not an address: ${text}`);
  return formatIp(address);
}

/** A scratch record, as a peer's message would have filled it. */
export function recordOf(spec: FlowSpec, names: NameTable): FlowCursor {
  const original = parseTuple(spec.original);
  const family = original.source.includes(':') ? 10 : 2;
  const bytes = Uint8Array.from(oracleEncode(leavesOf(spec, original), family));
  const flow = newScratch(names);
  new FlowDecoder().decode(new DataView(bytes.buffer), 0, bytes.length, flow);
  return flow;
}

function leavesOf(spec: FlowSpec, original: Tuple): Leaves {
  const reply = spec.reply === undefined ? inverseOf(original) : parseTuple(spec.reply);
  const { flags, scales, state } = spec;
  const tcp = '/CTA_PROTOINFO/CTA_PROTOINFO_TCP/CTA_PROTOINFO_TCP';
  return {
    ...tupleLeaves('/CTA_TUPLE_ORIG', original),
    ...tupleLeaves('/CTA_TUPLE_REPLY', reply),
    '/CTA_STATUS': spec.status ?? defaultStatus,
    '/CTA_TIMEOUT': spec.timeout ?? defaultTimeout,
    ...(spec.mark === undefined ? {} : { '/CTA_MARK': spec.mark }),
    ...(spec.zone === undefined ? {} : { '/CTA_ZONE': spec.zone }),
    ...(spec.helper === undefined ? {} : { '/CTA_HELP/CTA_HELP_NAME': spec.helper }),
    ...(spec.master === undefined ? {} : tupleLeaves('/CTA_TUPLE_MASTER', parseTuple(spec.master))),
    ...(state === undefined ? {} : { [`${tcp}_STATE`]: state }),
    ...(scales === undefined
      ? {}
      : { [`${tcp}_WSCALE_ORIGINAL`]: scales[0], [`${tcp}_WSCALE_REPLY`]: scales[1] }),
    ...(flags === undefined
      ? {}
      : { [`${tcp}_FLAGS_ORIGINAL`]: `${flags[0]}/0`, [`${tcp}_FLAGS_REPLY`]: `${flags[1]}/0` }),
  };
}

function tupleLeaves(path: string, tuple: Tuple): Leaves {
  const { protocol, source, sourcePort, destination, destinationPort } = tuple;
  const version = source.includes(':') ? 'V6' : 'V4';
  const layer4 = `${path}/CTA_TUPLE_PROTO/CTA_PROTO`;
  const icmp = protocol === protocols.icmpv6 ? 'ICMPV6' : 'ICMP';
  return {
    [`${path}/CTA_TUPLE_IP/CTA_IP_${version}_SRC`]: source,
    [`${path}/CTA_TUPLE_IP/CTA_IP_${version}_DST`]: destination,
    [`${layer4}_NUM`]: protocol,
    ...(hasPorts(protocol) || protocol === protocols.gre
      ? { [`${layer4}_SRC_PORT`]: sourcePort, [`${layer4}_DST_PORT`]: destinationPort }
      : {}),
    ...(isIcmp(protocol)
      ? {
          [`${layer4}_${icmp}_ID`]: sourcePort,
          [`${layer4}_${icmp}_TYPE`]: destinationPort >>> 8,
          [`${layer4}_${icmp}_CODE`]: destinationPort & 0xff,
        }
      : {}),
  };
}

/**
 * A message about a flow, [at, at + length): `tcp a:1>b:2 b:2>a:1 1ae 100s ESTABLISHED b/b 7/7`.
 * What differs between two kernels is left out: ids, reference counts, and what 0 means for a mark
 * that nobody set.
 */
export function flowLine(view: DataView, at: number, length: number): string {
  const leaves = oracleDecode(new Uint8Array(view.buffer, view.byteOffset + at, length));
  const tcp = '/CTA_PROTOINFO/CTA_PROTOINFO_TCP/CTA_PROTOINFO_TCP';
  const parts = [
    tupleText(tupleFrom(leaves, '/CTA_TUPLE_ORIG')),
    tupleText(tupleFrom(leaves, '/CTA_TUPLE_REPLY')).replace(/^\w+ /, ''),
    Number(leaves['/CTA_STATUS']).toString(16),
  ];
  const timeout = leaves['/CTA_TIMEOUT'];
  if (timeout !== undefined) parts.push(`${timeout}s`);
  const state = leaves[`${tcp}_STATE`];
  if (state !== undefined) parts.push(stateNames[Number(state)] ?? `state ${state}`);
  const flags = leaves[`${tcp}_FLAGS_ORIGINAL`];
  if (flags !== undefined) {
    const reply = leaves[`${tcp}_FLAGS_REPLY`] ?? 0;
    parts.push([flags, reply].map(comparedFlags).join('/'));
    parts.push(`${leaves[`${tcp}_WSCALE_ORIGINAL`] ?? 0}/${leaves[`${tcp}_WSCALE_REPLY`] ?? 0}`);
  }
  for (const [name, path] of named) {
    const value = leaves[path];
    if (value !== undefined && value !== 0) parts.push(`${name} ${value}`);
  }
  if (leaves['/CTA_TUPLE_MASTER/CTA_TUPLE_PROTO/CTA_PROTO_NUM'] !== undefined) {
    parts.push(`master ${tupleText(tupleFrom(leaves, '/CTA_TUPLE_MASTER'))}`);
  }
  return parts.join(' ');
}

const named: readonly (readonly [string, string])[] = [
  ['mark', '/CTA_MARK'],
  ['zone', '/CTA_ZONE'],
  ['helper', '/CTA_HELP/CTA_HELP_NAME'],
];

function comparedFlags(leaf: string | number): string {
  return (Number(String(leaf).split('/')[0]) & comparedTcpFlags).toString(16);
}

function tupleFrom(leaves: Leaves, path: string): Tuple {
  const layer4 = `${path}/CTA_TUPLE_PROTO/CTA_PROTO`;
  const ip = `${path}/CTA_TUPLE_IP/CTA_IP`;
  const protocol = Number(leaves[`${layer4}_NUM`]);
  const icmp = protocol === protocols.icmpv6 ? 'ICMPV6' : 'ICMP';
  const number = (name: string): number => Number(leaves[`${layer4}_${name}`] ?? 0);
  return {
    protocol,
    source: String(leaves[`${ip}_V4_SRC`] ?? leaves[`${ip}_V6_SRC`]),
    destination: String(leaves[`${ip}_V4_DST`] ?? leaves[`${ip}_V6_DST`]),
    sourcePort: isIcmp(protocol) ? number(`${icmp}_ID`) : number('SRC_PORT'),
    destinationPort: isIcmp(protocol)
      ? number(`${icmp}_TYPE`) * 256 + number(`${icmp}_CODE`)
      : number('DST_PORT'),
  };
}

/** Seconds go by while a real kernel is asked: timeouts may differ by this much. */
const timeoutTolerance = 2;

/** Whether two answers or lines say the same, timeouts apart that lie close. */
export function sameText(a: string, b: string): boolean {
  if (a === b) return true;
  const split = (text: string): string[] => text.split(/(\d+)s/);
  const [left, right] = [split(a), split(b)];
  if (left.length !== right.length) return false;
  return left.every((part, i) => {
    const other = right[i] ?? '';
    if (i % 2 === 0) return part === other;
    return Math.abs(Number(part) - Number(other)) <= timeoutTolerance;
  });
}

/** Lines in an order that does not depend on the seconds that have gone by. */
export function inOrder(lines: readonly string[]): string[] {
  const key = (line: string): string => line.replaceAll(/\d+s/g, 's');
  return [...lines].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}
