/** Addresses as the command line writes them, families that must agree, and translations. */
import { parseIp, type IpAddress } from '../../base/ipAddress.js';
import type { NatPattern } from '../../conntrack/command/flowPattern.js';
import { usage } from './refusal.js';

/** AF_INET and AF_INET6. */
export const family = { any: 0, ipv4: 2, ipv6: 10 } as const;

export function familyOf(address: IpAddress): number {
  return address.family === 4 ? family.ipv4 : family.ipv6;
}

/** What inet_aton(3) and inet_pton(3) take. Throws Refusal. */
export function parseAddress(text: string): IpAddress {
  const address = inetAton(text) ?? parseIp(text);
  if (address === undefined) throw usage(`Invalid IP address \`${text}'`);
  return address;
}

/** `ADDRESS` or `ADDRESS/PREFIX`. Throws Refusal. */
export function parsePrefix(text: string): { address: IpAddress; mask?: IpAddress } {
  const slash = text.indexOf('/');
  if (slash < 0) return { address: parseAddress(text) };
  const address = parseAddress(text.slice(0, slash));
  const bits = address.bytes.length * 8;
  const prefixText = text.slice(slash + 1);
  const prefix = /^\d*$/.test(prefixText) ? Number(prefixText) : -1;
  if (prefix < 0 || prefix > bits) throw usage('Invalid netmask');
  return { address, mask: { family: address.family, bytes: prefixBytes(bits, prefix) } };
}

/** `ADDRESS`, `ADDRESS:PORT` or `[IPV6]:PORT`. Throws Refusal. */
export function parseNat(text: string): NatPattern {
  const bracketed = /^\[(.*)\]:(.*)$/.exec(text);
  const colons = text.split(':').length - 1;
  if (bracketed === null && colons !== 1) return { address: parseAddress(text) };
  const [addressText = '', portText = ''] =
    bracketed === null ? text.split(':') : bracketed.slice(1);
  if (portText === '') throw usage("No port specified after `:'");
  const port = /^\d+$/.test(portText) ? Number(portText) : NaN;
  if (!(port <= 65_535)) throw usage(`Invalid port \`${portText}'`);
  return { address: parseAddress(addressText), port };
}

function prefixBytes(bits: number, prefix: number): Uint8Array {
  return Uint8Array.from({ length: bits / 8 }, (_, i) => {
    const set = Math.min(8, Math.max(0, prefix - 8 * i));
    return (0xff << (8 - set)) & 0xff;
  });
}

/** One to four numbers, each decimal, octal or hexadecimal; the last one fills what is left. */
function inetAton(text: string): IpAddress | undefined {
  const words = text.split('.');
  if (words.length > 4 || !words.every((word) => /^(0x[0-9a-f]+|0[0-7]*|[1-9]\d*)$/i.test(word))) {
    return undefined;
  }
  const values = words.map((word) => Number(/^0[0-7]+$/.test(word) ? `0o${word.slice(1)}` : word));
  const last = values.pop() ?? 0;
  if (last >= 256 ** (4 - values.length) || values.some((value) => value > 255)) return undefined;
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, last);
  bytes.set(values, 0);
  return { family: 4, bytes };
}
