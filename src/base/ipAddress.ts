/**
 * IP addresses as values: family and bytes in network order. Text is what inet_pton(3) takes and
 * inet_ntop(3) gives (RFC 5952: lower case, the longest run of zero words compressed).
 */
import { isIPv4, isIPv6 } from 'node:net';

export type IpFamily = 4 | 6;

/** `bytes` holds 4 or 16 bytes in network order; treat it as immutable. */
export interface IpAddress {
  readonly family: IpFamily;
  readonly bytes: Uint8Array;
}

export function ipFromBytes(bytes: Uint8Array): IpAddress | undefined {
  // Not slice: that of a Buffer shares memory.
  if (bytes.length === 4) return { family: 4, bytes: new Uint8Array(bytes) };
  if (bytes.length === 16) return { family: 6, bytes: new Uint8Array(bytes) };
  return undefined;
}

/**
 * undefined where the text is not an address; a zone (`%eth0`) or prefix length is not accepted.
 */
export function parseIp(text: string): IpAddress | undefined {
  if (isIPv4(text)) return { family: 4, bytes: parseIpv4Bytes(text) };
  if (!text.includes('%') && isIPv6(text)) return { family: 6, bytes: parseIpv6Bytes(text) };
  return undefined;
}

export function formatIp(address: IpAddress): string {
  return address.family === 4 ? address.bytes.join('.') : formatIpv6(address.bytes);
}

export function ipEquals(a: IpAddress, b: IpAddress): boolean {
  return a.family === b.family && compareIp(a, b) === 0;
}

/** Numeric order in network byte order; an IPv4 address sorts before any IPv6 address. */
export function compareIp(a: IpAddress, b: IpAddress): number {
  if (a.family !== b.family) return a.family - b.family;
  for (let i = 0; i < a.bytes.length; i++) {
    const difference = (a.bytes[i] ?? 0) - (b.bytes[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** 224.0.0.0/4 or ff00::/8. */
export function isMulticast(address: IpAddress): boolean {
  const first = address.bytes[0] ?? 0;
  return address.family === 4 ? first >= 224 && first < 240 : first === 0xff;
}

/** fe80::/10 (RFC 4291 2.5.6). */
export function isLinkLocal({ family, bytes }: IpAddress): boolean {
  return family === 6 && bytes[0] === 0xfe && ((bytes[1] ?? 0) & 0xc0) === 0x80;
}

/** Whether `address` lies in `network`/`prefixLength`. */
export function inPrefix(address: IpAddress, network: IpAddress, prefixLength: number): boolean {
  if (address.family !== network.family) return false;
  for (let bit = 0; bit < prefixLength; bit += 8) {
    const bits = Math.min(8, prefixLength - bit);
    const mask = (0xff << (8 - bits)) & 0xff;
    const i = bit >> 3;
    if (((address.bytes[i] ?? 0) & mask) !== ((network.bytes[i] ?? 0) & mask)) return false;
  }
  return true;
}

function parseIpv4Bytes(text: string): Uint8Array {
  return Uint8Array.from(text.split('.'), Number);
}

function parseIpv6Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(16);
  const [head = '', tail] = text.split('::');
  const front = parseWords(head);
  const back = tail === undefined ? [] : parseWords(tail);
  bytes.set(front, 0);
  bytes.set(back, 16 - back.length);
  return bytes;
}

/** Bytes of a run of colon-separated words, the last of which may be a dotted IPv4 address. */
function parseWords(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((word) => {
    if (word.includes('.')) return [...parseIpv4Bytes(word)];
    const value = Number.parseInt(word, 16);
    return [value >> 8, value & 0xff];
  });
}

function formatIpv6(bytes: Uint8Array): string {
  const words = Array.from(
    { length: 8 },
    (_, i) => ((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0),
  );
  const run = longestZeroRun(words);
  const embedded =
    run.start === 0 && (run.length === 6 || (run.length === 5 && words[5] === 0xffff));
  if (embedded) {
    return `::${run.length === 5 ? 'ffff:' : ''}${bytes.subarray(12).join('.')}`;
  }
  const text = (part: number[]): string => part.map((word) => word.toString(16)).join(':');
  if (run.length < 2) return text(words);
  return `${text(words.slice(0, run.start))}::${text(words.slice(run.start + run.length))}`;
}

function longestZeroRun(words: readonly number[]): { start: number; length: number } {
  let best = { start: -1, length: 0 };
  let start = -1;
  words.forEach((word, i) => {
    if (word !== 0) start = -1;
    else if (start < 0) start = i;
    if (start >= 0 && i - start + 1 > best.length) best = { start, length: i - start + 1 };
  });
  return best;
}
