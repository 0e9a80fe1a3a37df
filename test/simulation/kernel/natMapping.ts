/**
 * Which address and port a translated flow gets. A port is kept where the answers' tuple is free;
 * else the next free one of the range is taken. A source keeps the mapping that it has.
 */
import type { RandomSource } from '../../../src/base/time.js';
import type { Conntrack } from './conntrack.js';
import type { NatMapping, Tuple } from './kernelPorts.js';
import { inverseOf, isIcmp, tupleKey } from './tuple.js';

/** A privileged port stays one (ports below 512, below 1024, and the others). */
const portClasses: readonly (readonly [number, number])[] = [
  [1, 511],
  [600, 1023],
  [1024, 65535],
];
const mostAttempts = 128;

export type Manipulation = 'source' | 'destination';

/**
 * `tuple` as it leaves, translated; its inverse is taken already where no port is free, as in the
 * kernel, and the insertion of the flow tells. `zone` is that of the reply.
 */
export function mapTuple(
  conntrack: Conntrack,
  random: RandomSource,
  tuple: Tuple,
  zone: number,
  manipulation: Manipulation,
  mapping: NatMapping,
): Tuple {
  const isFree = (candidate: Tuple): boolean =>
    conntrack.find(tupleKey(inverseOf(candidate), zone)) === undefined;
  if (manipulation === 'source' && mapping.ports === undefined) {
    const kept = mappingOfSource(conntrack, tuple, mapping);
    if (kept !== undefined && isFree(kept)) return kept;
  }
  const moved = withAddress(tuple, manipulation, mapping.address);
  const [low, high] = mapping.ports ?? rangeFor(portOf(moved, manipulation));
  const port = portOf(moved, manipulation);
  const isInRange = port >= low && port <= high;
  if (mapping.ports === undefined ? isFree(moved) : isInRange && (low === high || isFree(moved))) {
    return moved;
  }
  if (!canChangePort(tuple, manipulation, mapping)) return moved;
  return freePort(moved, manipulation, low, high, random, isFree);
}

function freePort(
  tuple: Tuple,
  manipulation: Manipulation,
  low: number,
  high: number,
  random: RandomSource,
  isFree: (candidate: Tuple) => boolean,
): Tuple {
  const size = high - low + 1;
  const start = random.below(size);
  let candidate = tuple;
  for (let i = 0; i < Math.min(size, mostAttempts); i++) {
    candidate = withPort(tuple, manipulation, low + ((start + i) % size));
    if (isFree(candidate)) break;
  }
  return candidate;
}

/** The mapping that another flow of the same source has, for this destination. */
function mappingOfSource(
  conntrack: Conntrack,
  tuple: Tuple,
  mapping: NatMapping,
): Tuple | undefined {
  for (const other of conntrack.store.ofSource(tuple)) {
    const { destination: source, destinationPort: sourcePort } = other.reply;
    if (source === mapping.address && !isIcmp(tuple.protocol)) {
      return { ...tuple, source, sourcePort };
    }
  }
  return undefined;
}

function rangeFor(port: number): readonly [number, number] {
  return portClasses.find(([, high]) => port <= high) ?? [1024, 65535];
}

/**
 * A destination keeps its port unless the rule names ports. The id of ICMP stands where the source
 * port does, and only a source changes it.
 */
function canChangePort(tuple: Tuple, manipulation: Manipulation, mapping: NatMapping): boolean {
  if (manipulation === 'source') return true;
  return mapping.ports !== undefined && !isIcmp(tuple.protocol);
}

const portOf = (tuple: Tuple, manipulation: Manipulation): number =>
  manipulation === 'source' ? tuple.sourcePort : tuple.destinationPort;

function withAddress(tuple: Tuple, manipulation: Manipulation, address: string): Tuple {
  return manipulation === 'source'
    ? { ...tuple, source: address }
    : { ...tuple, destination: address };
}

function withPort(tuple: Tuple, manipulation: Manipulation, port: number): Tuple {
  return manipulation === 'source'
    ? { ...tuple, sourcePort: port }
    : { ...tuple, destinationPort: port };
}
