/**
 * The numbers of auth_hmac in a state file: hexadecimal, since JSON has no integers of 64 bits.
 * Parts that are malformed count as never saved.
 */
import { isNewer } from '../../vrrp/auth/number.js';
import type { SignedNumbers } from '../../vrrp/auth/advertAuthentication.js';

/** As it stands in the file. */
export interface SavedNumbers {
  readonly sent?: string;
  /** By `address instance`. */
  readonly heard: Readonly<Record<string, string>>;
}

export const noNumbers: SignedNumbers = { heard: {} };

export function saveNumbers({ sent, heard }: SignedNumbers): SavedNumbers {
  const entries = Object.entries(heard).map(
    ([name, number]) => [name, number.toString(16)] as const,
  );
  return {
    ...(sent === undefined ? {} : { sent: sent.toString(16) }),
    heard: Object.fromEntries(entries),
  };
}

export function parseNumbers(value: unknown): SignedNumbers {
  if (typeof value !== 'object' || value === null) return noNumbers;
  const sent = 'sent' in value ? parseNumber(value.sent) : undefined;
  const heard = entriesOf('heard' in value ? value.heard : {}).flatMap(
    ([name, text]): [string, bigint][] => {
      const number = parseNumber(text);
      return number === undefined ? [] : [[name, number]];
    },
  );
  return { ...(sent === undefined ? {} : { sent }), heard: Object.fromEntries(heard) };
}

function entriesOf(value: unknown): readonly [string, unknown][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value);
}

/** Of two files the newer number each. */
export function mergeNumbers(a: SignedNumbers, b: SignedNumbers): SignedNumbers {
  const sent = newer(a.sent, b.sent);
  const names = [...Object.keys(a.heard), ...Object.keys(b.heard)];
  const heard = names.flatMap((name): [string, bigint][] => {
    const number = newer(a.heard[name], b.heard[name]);
    return number === undefined ? [] : [[name, number]];
  });
  return { ...(sent === undefined ? {} : { sent }), heard: Object.fromEntries(heard) };
}

/** The newest of all: how old a file is. */
export function newestOf({ sent, heard }: SignedNumbers): bigint | undefined {
  return Object.values(heard).reduce<bigint | undefined>(newer, sent);
}

function newer(a: bigint | undefined, b: bigint | undefined): bigint | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return isNewer(a, b) ? a : b;
}

function parseNumber(text: unknown): bigint | undefined {
  return typeof text === 'string' && /^[0-9a-f]{1,16}$/.test(text)
    ? BigInt(`0x${text}`)
    : undefined;
}
