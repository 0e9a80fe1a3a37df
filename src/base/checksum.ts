/** The Internet checksum (RFC 1071): 16-bit one's-complement sum over big-endian words. */

/**
 * Running sum of `bytes`, an odd last byte padded with zero. `start` carries on from an earlier
 * part.
 */
export function onesComplementSum(bytes: Uint8Array, start = 0): number {
  let sum = start;
  const even = bytes.length & ~1;
  for (let i = 0; i < even; i += 2) sum += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0);
  if (even !== bytes.length) sum += (bytes[even] ?? 0) << 8;
  return sum;
}

/** Folds the carries and complements: the value that goes into the checksum field (16 bits). */
export function foldChecksum(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded % 0x10000) + Math.floor(folded / 0x10000);
  return ~folded & 0xffff;
}
