/**
 * Numbers as C reads them: conntrack takes most of them without complaint, and the strict ones in
 * octal and hexadecimal.
 */

/**
 * atoi(3): decimal digits behind white space and a sign; what follows is left alone; nothing is 0.
 */
export function looseDecimal(text: string): number {
  const found = /^\s*([+-]?\d+)/.exec(text)?.[1];
  return found === undefined ? 0 : Number(BigInt.asIntN(32, BigInt(found.replace('+', ''))));
}

/** strtoul(3) with base 0, without complaint. */
export function looseNumber(text: string): number {
  const [, sign = '', digits] = /^\s*([+-]?)(0x[0-9a-f]+|0[0-7]*|[1-9]\d*)/i.exec(text) ?? [];
  if (digits === undefined) return 0;
  const value = Number(BigInt.asUintN(32, BigInt(withBase(digits))));
  return sign === '-' ? -value : value;
}

/**
 * The whole text is a number from 0 to `limit`: decimal, 0x hexadecimal or 0 octal. Else undefined.
 */
export function strictNumber(text: string, limit: number): number | undefined {
  if (!/^(0x[0-9a-f]+|0[0-7]*|[1-9]\d*)$/i.test(text)) return undefined;
  const value = BigInt(withBase(text));
  return value <= BigInt(limit) ? Number(value) : undefined;
}

/** JavaScript writes octal as 0o17. */
function withBase(digits: string): string {
  return /^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits;
}
