/**
 * AES-128-GCM (NIST SP 800-38D) over whole records, for one key:
 *
 *   | clear: authenticated; its bytes 10-15 are the counter | body: encrypted | tag: 16 bytes |
 *
 * The nonce is six zero bytes and the counter, so a key must never meet a counter twice. One call
 * into OpenSSL for a run of records, where the program exports it; else node:crypto does the same.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { BugError } from '../../base/errors.js';
import { nativeAddon, type NativeRecordCipher } from '../native/load.js';

export const recordTagBytes = 16;
const nonceBytes = 12;
const counterAt = 10;
const counterBytes = 6;

export interface RecordCipher {
  /**
   * In place. `records`: records of `length` bytes end to end, clear bytes and body written, each
   * with room for its tag. `clearBytes`: at least 16 of each.
   */
  seal(records: Uint8Array, length: number, clearBytes: number): void;
  /**
   * Writes the body into `into`, which has room for it. False: the record is of nobody who has the
   * key, and nothing that stands in `into` may be used.
   */
  open(record: Uint8Array, clearBytes: number, into: Uint8Array): boolean;
}

/** `key`: 16 bytes. */
export function recordCipher(key: Uint8Array): RecordCipher {
  const { RecordCipher: Native } = nativeAddon();
  return Native === undefined
    ? new NodeRecordCipher(key)
    : new OpenSslRecordCipher(new Native(key));
}

class OpenSslRecordCipher implements RecordCipher {
  readonly #native: NativeRecordCipher;

  constructor(native: NativeRecordCipher) {
    this.#native = native;
  }

  seal(records: Uint8Array, length: number, clearBytes: number): void {
    const code = this.#native.seal(records, length, clearBytes);
    if (code !== 0) throw new BugError(`records of ${length} bytes are not sealed (errno ${code})`);
  }

  open(record: Uint8Array, clearBytes: number, into: Uint8Array): boolean {
    return this.#native.open(record, clearBytes, into) === 0;
  }
}

/** Where the program exports no OpenSSL: some microseconds more for each record. */
export class NodeRecordCipher implements RecordCipher {
  readonly #key: Uint8Array;
  readonly #nonce = new Uint8Array(nonceBytes);
  readonly #options = { authTagLength: recordTagBytes };

  constructor(key: Uint8Array) {
    this.#key = key.slice();
  }

  seal(records: Uint8Array, length: number, clearBytes: number): void {
    for (let at = 0; at < records.length; at += length) {
      const record = records.subarray(at, at + length);
      const end = length - recordTagBytes;
      const cipher = createCipheriv('aes-128-gcm', this.#key, this.#nonceOf(record), this.#options);
      cipher.setAAD(record.subarray(0, clearBytes));
      record.set(cipher.update(record.subarray(clearBytes, end)), clearBytes);
      cipher.final();
      record.set(cipher.getAuthTag(), end);
    }
  }

  open(record: Uint8Array, clearBytes: number, into: Uint8Array): boolean {
    const end = record.length - recordTagBytes;
    if (end < clearBytes || into.length < end - clearBytes) return false;
    const nonce = this.#nonceOf(record);
    const decipher = createDecipheriv('aes-128-gcm', this.#key, nonce, this.#options);
    decipher.setAuthTag(record.subarray(end));
    decipher.setAAD(record.subarray(0, clearBytes));
    into.set(decipher.update(record.subarray(clearBytes, end)));
    try {
      decipher.final();
      return true;
    } catch {
      return false;
    }
  }

  #nonceOf(record: Uint8Array): Uint8Array {
    const counter = record.subarray(counterAt, counterAt + counterBytes);
    this.#nonce.set(counter, nonceBytes - counterBytes);
    return this.#nonce;
  }
}
