/** What a key looks like as text, in a configuration and in a key file. */
import { randomBytes } from 'node:crypto';
import { Secret } from '../base/secret.js';

export interface KeyRule {
  /** For the reference page. */
  readonly forms: string;
  /** In bytes. */
  readonly shortest: number;
  readonly longest: number;
  /** Text without `hex:` is the key itself. */
  readonly allowsText: boolean;
  readonly expected: string;
}

/** keepalived 2.4's auth_hmac. */
export const hmacKeyRule: KeyRule = {
  forms: 'hex:DIGITS|TEXT',
  shortest: 32,
  longest: 64,
  allowsText: true,
  expected: 'hex: and 64 to 128 hexadecimal digits, as keepstate key new makes them',
};

/** Random bytes only: a phrase that people choose can be guessed from one recorded datagram. */
export const syncKeyRule: KeyRule = {
  forms: 'hex:DIGITS',
  shortest: 16,
  longest: 64,
  allowsText: false,
  expected: 'hex: and 32 to 128 hexadecimal digits, as keepstate key new makes them',
};

const hexPrefix = 'hex:';

/** A fresh key of 32 random bytes, which both rules allow. */
export function newKeyText(): { readonly text: string; readonly fingerprint: string } {
  const bytes = randomBytes(32);
  const { fingerprint } = new Secret(bytes);
  return { text: `${hexPrefix}${bytes.toString('hex')}`, fingerprint };
}

/** The key, or what is wrong with the text, without a word of it. */
export function decodeKey(text: string, rule: KeyRule): Secret | string {
  if (text.startsWith('fingerprint:')) return 'this is the fingerprint of a key, not the key';
  const bytes = bytesOf(text, rule);
  if (typeof bytes === 'string') return bytes;
  const { shortest, longest } = rule;
  if (bytes.length < shortest) {
    return `${bytes.length} bytes are too short, ${shortest} are the least`;
  }
  if (bytes.length > longest) return `${bytes.length} bytes are too long, ${longest} are the most`;
  if (!rule.allowsText && bytes.every((byte) => byte === bytes[0])) return 'all bytes are equal';
  return new Secret(bytes);
}

function bytesOf(text: string, { allowsText }: KeyRule): Uint8Array | string {
  if (!text.startsWith(hexPrefix)) {
    return allowsText ? new TextEncoder().encode(text) : 'it does not begin with hex:';
  }
  const digits = text.slice(hexPrefix.length);
  if (!/^([0-9a-fA-F]{2})+$/.test(digits)) return 'it has no even number of hexadecimal digits';
  return Uint8Array.from(Buffer.from(digits, 'hex'));
}
