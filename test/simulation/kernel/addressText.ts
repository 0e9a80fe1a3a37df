/**
 * Addresses as text, and their bytes in netlink messages. Both ways are remembered: few addresses
 * live in a simulation.
 */
import { formatIp, ipFromBytes, parseIp } from '../../../src/base/ipAddress.js';

const bytesByText = new Map<string, Uint8Array>();
const textByNumber = new Map<number, string>();
const mostRemembered = 100_000;

/** 4 or 16 bytes in network order. Throws where the text is not an address. */
export function addressBytes(text: string): Uint8Array {
  const known = bytesByText.get(text);
  if (known !== undefined) return known;
  const address = parseIp(text);
  if (address === undefined) throw new Error(`not an address: ${text}`);
  if (bytesByText.size >= mostRemembered) bytesByText.clear();
  bytesByText.set(text, address.bytes);
  return address.bytes;
}

/** The text of the 4 or 16 bytes at `at`. */
export function addressAt(view: DataView, at: number, length: 4 | 16): string {
  if (length === 16) return textOf(new Uint8Array(view.buffer, view.byteOffset + at, 16));
  const number = view.getUint32(at);
  const known = textByNumber.get(number);
  if (known !== undefined) return known;
  if (textByNumber.size >= mostRemembered) textByNumber.clear();
  const text = textOf(new Uint8Array(view.buffer, view.byteOffset + at, 4));
  textByNumber.set(number, text);
  return text;
}

export const isIpv6Text = (text: string): boolean => text.includes(':');

function textOf(bytes: Uint8Array): string {
  const address = ipFromBytes(bytes);
  if (address === undefined) throw new Error('an address has 4 or 16 bytes');
  return formatIp(address);
}
