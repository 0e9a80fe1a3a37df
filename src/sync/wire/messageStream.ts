/**
 * Whole messages out of a TCP stream. There is no framing beyond each message's own length (conntrackd 1.4.7);
 * half a message waits for the rest. A sender that lost bytes (conntrackd takes a short write for success)
 * leaves a stream that is out of step: what stands where a header should be is then handed on, so that it is
 * counted as malformed, and the connection must be made anew.
 */
import type { StreamFraming } from '../../net/ports.js';
import { headerBytes, protocolVersion } from './header.js';

/** conntrackd's longest message has about 310 bytes; longer ones are taken for a stream out of step. */
export const longestStreamMessage = 4_096;

export class MessageStream implements StreamFraming {
  /** The beginning of a message. */
  readonly #held = new Uint8Array(longestStreamMessage);
  #heldBytes = 0;

  /** Bytes that wait for the rest of their message. */
  get held(): number {
    return this.#heldBytes;
  }

  push(chunk: Uint8Array, deliver: (messages: Uint8Array) => void): boolean {
    let at = this.#complete(chunk, deliver);
    if (at === undefined) return false;
    const start = at;
    while (at + headerBytes <= chunk.length) {
      const length = lengthAt(chunk, at);
      if (length === undefined) {
        if (at > start) deliver(chunk.subarray(start, at));
        deliver(chunk.subarray(at, at + headerBytes));
        return false;
      }
      if (at + length > chunk.length) break;
      at += length;
    }
    if (at > start) deliver(chunk.subarray(start, at));
    this.#hold(chunk.subarray(at));
    return true;
  }

  /** Finishes the held message. Where the chunk goes on behind it; undefined where it is no message. */
  #complete(chunk: Uint8Array, deliver: (messages: Uint8Array) => void): number | undefined {
    if (this.#heldBytes === 0) return 0;
    let at = this.#fill(chunk, 0, headerBytes);
    if (this.#heldBytes < headerBytes) return at;
    const length = lengthAt(this.#held, 0);
    if (length === undefined) {
      this.#heldBytes = 0;
      deliver(this.#held.subarray(0, headerBytes));
      return undefined;
    }
    at = this.#fill(chunk, at, length);
    if (this.#heldBytes < length) return at;
    this.#heldBytes = 0;
    deliver(this.#held.subarray(0, length));
    return at;
  }

  /** Takes from `chunk` what the held message lacks of `wanted` bytes. */
  #fill(chunk: Uint8Array, at: number, wanted: number): number {
    const taken = Math.min(Math.max(0, wanted - this.#heldBytes), chunk.length - at);
    this.#hold(chunk.subarray(at, at + taken));
    return at + taken;
  }

  #hold(bytes: Uint8Array): void {
    this.#held.set(bytes, this.#heldBytes);
    this.#heldBytes += bytes.length;
  }
}

/** Undefined where no message can begin with these bytes. */
function lengthAt(bytes: Uint8Array, at: number): number | undefined {
  const length = (bytes[at + 2]! << 8) | bytes[at + 3]!;
  const isMessage =
    bytes[at]! >>> 4 === protocolVersion && length >= headerBytes && length <= longestStreamMessage;
  return isMessage ? length : undefined;
}
