/**
 * Key material in memory. Printing, logging, comparing or recording it shows a fingerprint: the
 * bytes come out of `reveal` alone, which is called where a cipher or an HMAC begins.
 */
import { createHash } from 'node:crypto';

export class Secret {
  /** 16 hex digits: the first 8 bytes of SHA-256 over a fixed label and the bytes. */
  readonly fingerprint: string;
  readonly #bytes: Uint8Array;

  /** The bytes are copied. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes.slice();
    const digest = createHash('sha256').update('keepstate fingerprint\0').update(bytes).digest();
    this.fingerprint = digest.subarray(0, 8).toString('hex');
  }

  /** In bytes. */
  get length(): number {
    return this.#bytes.length;
  }

  reveal(): Uint8Array {
    return this.#bytes;
  }
}
