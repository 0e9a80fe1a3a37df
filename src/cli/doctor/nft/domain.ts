/**
 * Values with three answers. What a packet has in one place is a *domain*: the values that it can
 * have there. A rule's condition holds for all of them, for none, or for some; then nobody can
 * tell.
 */
import { parseIp, type IpAddress } from '../../../base/ipAddress.js';
import { fieldsOf, listOf, textOf } from '../../../net/netlink/nftJson.js';

export type Answer = 'yes' | 'no' | 'maybe';

/** A range of numbers (addresses are numbers, too), or a word with its other names. */
export interface Value {
  readonly names: readonly string[];
  /** First and last. */
  readonly range?: readonly [bigint, bigint];
}

export type Domain =
  | { readonly kind: 'known'; readonly alternatives: readonly Value[] }
  | { readonly kind: 'unknown' }
  /** The packet has no such part: the rule does not match, whatever it asks. */
  | { readonly kind: 'absent' };

export const unknownDomain: Domain = { kind: 'unknown' };
export const absentDomain: Domain = { kind: 'absent' };

/** A domain of these alternatives; none known is unknown. */
export function known(alternatives: readonly Value[]): Domain {
  return alternatives.length === 0 ? unknownDomain : { kind: 'known', alternatives };
}

/** One number, with the words that nft has for it. */
export function numbered(value: number, ...names: string[]): Value {
  return { names, range: [BigInt(value), BigInt(value)] };
}

/** A word that is no number. */
export function named(...names: string[]): Value {
  return { names };
}

/** All addresses of a network. */
export function network(address: IpAddress, prefixLength: number): Value {
  const bits = address.family === 4 ? 32 : 128;
  const host = BigInt(bits - Math.min(Math.max(prefixLength, 0), bits));
  const first = (addressNumber(address) >> host) << host;
  return { names: [], range: [first, first + (1n << host) - 1n] };
}

/** An address alone. */
export function oneAddress(address: IpAddress): Value {
  return network(address, address.family === 4 ? 32 : 128);
}

function addressNumber(address: IpAddress): bigint {
  return address.bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

/** All must hold. */
export function allOf(answers: readonly Answer[]): Answer {
  if (answers.includes('no')) return 'no';
  return answers.includes('maybe') ? 'maybe' : 'yes';
}

/** One is enough. */
export function oneOf(answers: readonly Answer[]): Answer {
  if (answers.includes('yes')) return 'yes';
  return answers.includes('maybe') ? 'maybe' : 'no';
}

export function negate(answer: Answer): Answer {
  if (answer === 'maybe') return 'maybe';
  return answer === 'yes' ? 'no' : 'yes';
}

/** Whether each value of the domain is among `wanted`. */
export function isAmong(domain: Domain, wanted: readonly unknown[]): Answer {
  if (domain.kind === 'absent') return 'no';
  if (domain.kind === 'unknown') return wanted.includes('*') ? 'yes' : 'maybe';
  const answers = domain.alternatives.map((one) =>
    oneOf(wanted.map((value) => isValue(one, value))),
  );
  if (answers.every((answer) => answer === 'yes')) return 'yes';
  return answers.every((answer) => answer === 'no') ? 'no' : 'maybe';
}

/** `<`, `>`, `<=`, `>=` against one number. */
export function compares(domain: Domain, operator: string, right: unknown): Answer {
  if (domain.kind === 'absent') return 'no';
  const limit = rangeOf(right)?.[0];
  if (domain.kind === 'unknown' || limit === undefined) return 'maybe';
  const compare = comparisons[operator];
  if (compare === undefined) return 'maybe';
  const answers = domain.alternatives.flatMap(({ range }): Answer[] => {
    if (range === undefined) return ['maybe'];
    return range.map((end) => (compare(end, limit) ? 'yes' : 'no'));
  });
  if (answers.every((answer) => answer === 'yes')) return 'yes';
  return answers.every((answer) => answer === 'no') ? 'no' : 'maybe';
}

const comparisons: Readonly<Record<string, (a: bigint, b: bigint) => boolean>> = {
  '<': (a, b) => a < b,
  '>': (a, b) => a > b,
  '<=': (a, b) => a <= b,
  '>=': (a, b) => a >= b,
};

/** Whether a packet's value is, for sure, inside one of nft's values. */
function isValue(have: Value, wanted: unknown): Answer {
  const value = unwrapped(wanted);
  if (typeof value === 'string') {
    if (value === '*' || have.names.includes(value)) return 'yes';
    if (value.endsWith('*')) return hasPrefix(have, value.slice(0, -1));
  }
  if (typeof value === 'boolean') return have.names.includes(String(value)) ? 'yes' : 'no';
  const range = rangeOf(value);
  if (range === undefined) return typeof value === 'string' ? otherWord(have) : 'maybe';
  if (have.range === undefined) return have.names.length > 0 ? 'no' : 'maybe';
  const [first, last] = have.range;
  if (first >= range[0] && last <= range[1]) return 'yes';
  return last < range[0] || first > range[1] ? 'no' : 'maybe';
}

/**
 * Another word than all names of the value is another value; a number without names may be called
 * so.
 */
function otherWord({ names }: Value): Answer {
  return names.length > 0 ? 'no' : 'maybe';
}

function hasPrefix({ names }: Value, prefix: string): Answer {
  if (names.length === 0) return 'maybe';
  return names.some((name) => name.startsWith(prefix)) ? 'yes' : 'no';
}

/** An element with a timeout, a counter or a comment stands in `{ "elem": { "val": ... } }`. */
export function unwrapped(value: unknown): unknown {
  return fieldsOf(fieldsOf(value)?.['elem'])?.['val'] ?? value;
}

/** A number, an address, a prefix or a range as first and last number. */
function rangeOf(value: unknown): readonly [bigint, bigint] | undefined {
  if (typeof value === 'number' && Number.isSafeInteger(value)) {
    return [BigInt(value), BigInt(value)];
  }
  if (typeof value === 'string') {
    const address = parseIp(value);
    return address === undefined ? undefined : oneAddress(address).range;
  }
  const fields = fieldsOf(value);
  const prefix = fieldsOf(fields?.['prefix']);
  if (prefix !== undefined) {
    const address = parseIp(textOf(prefix['addr']));
    const length = prefix['len'];
    if (address === undefined || typeof length !== 'number') return undefined;
    return network(address, length).range;
  }
  if (fields?.['range'] === undefined) return undefined;
  const [first, last] = listOf(fields['range']).map(rangeOf);
  return first === undefined || last === undefined ? undefined : [first[0], last[1]];
}
