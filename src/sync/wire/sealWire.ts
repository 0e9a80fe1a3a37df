/**
 * The sealed datagram: a clear header, which is authenticated, and what follows it.
 *
 *    byte 0       1      2-3      4        5       6-9               10-15
 *   | magic 0xe5 | kind | length | key id | flags | sender's session | counter |
 *
 * kind 1  data: the datagram, encrypted and authenticated with AES-128-GCM, and its tag of 16 bytes
 * kind 2  data: the datagram in clear, and a tag over header and datagram
 * kind 3  hello: session nonce, challenge, MAC (16 bytes each)
 * kind 4  answer: session nonce, challenge, the challenge that is answered, MAC (16 bytes each); flag
 *         1 where the sender believes the receiver's session already; nothing below the counter is
 *         new to who begins to believe
 *
 * `length` is that of the record, header included. `session` is the beginning of the sender's
 * session nonce. The length lets records lie end to end in a TCP stream. A plain message of the
 * replication, or of the peer channel, begins otherwise.
 */
export const sealMagic = 0xe5;
export const sealHeaderBytes = 16;
export const tagBytes = 16;
/** What a sealed datagram is longer. */
export const sealOverhead = sealHeaderBytes + tagBytes;
export const nonceBytes = 16;

export const sealKinds = { encrypted: 1, authenticated: 2, hello: 3, answer: 4 } as const;

/** `counter`: below 2^48. */
export interface SealHeader {
  readonly kind: number;
  readonly keyId: number;
  readonly flags: number;
  /** First 4 bytes of the sender's session nonce. */
  readonly session: number;
  readonly counter: number;
}

/** Writes 16 bytes at `at`; `length` of the whole record. */
export function writeSealHeader(
  into: Uint8Array,
  at: number,
  header: SealHeader,
  length: number,
): void {
  const { kind, keyId, flags, session, counter } = header;
  const high = Math.floor(counter / 0x1_0000_0000);
  const low = counter >>> 0;
  // Byte by byte: a view for each datagram would cost more than all of it.
  into[at] = sealMagic;
  into[at + 1] = kind;
  into[at + 2] = length >>> 8;
  into[at + 3] = length;
  into[at + 4] = keyId;
  into[at + 5] = flags;
  write32(into, at + 6, session);
  into[at + 10] = high >>> 8;
  into[at + 11] = high;
  write32(into, at + 12, low);
}

function write32(into: Uint8Array, at: number, value: number): void {
  into[at] = value >>> 24;
  into[at + 1] = value >>> 16;
  into[at + 2] = value >>> 8;
  into[at + 3] = value;
}

function read16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

function read32(bytes: Uint8Array, at: number): number {
  return read16(bytes, at) * 0x1_0000 + read16(bytes, at + 2);
}

/** undefined where `bytes` are no whole record of their own length, or of another version. */
export function readSealHeader(bytes: Uint8Array): SealHeader | undefined {
  if (bytes.length < sealOverhead || bytes[0] !== sealMagic) return undefined;
  if (read16(bytes, 2) !== bytes.length) return undefined;
  return {
    kind: bytes[1] ?? 0,
    keyId: bytes[4] ?? 0,
    flags: bytes[5] ?? 0,
    session: read32(bytes, 6),
    counter: read16(bytes, 10) * 0x1_0000_0000 + read32(bytes, 12),
  };
}

/** Header number of a session nonce. */
export function sessionNumber(nonce: Uint8Array): number {
  return read32(nonce, 0);
}
