/**
 * Whole messages out of a TCP stream. There is no framing beyond each message's own length
 * (conntrackd 1.4.7); half a message waits for the rest. A sender that lost bytes (conntrackd takes
 * a short write for success) leaves a stream that is out of step: what stands where a header should
 * be is then handed on, so that it is counted as malformed, and the connection must be made anew.
 *
 *   sent:     | message 1 .......|(lost) | message 2 ....... | message 3 .......
 *   read as:  | message 1 ...... + head of 2 | ^ no header
 *
 * The message before that place is the one that lost its bytes. Its end is another message's
 * beginning, and may well read as that other flow; it is not handed on, so that its number is asked
 * for again.
 */
import type { StreamFraming } from '../../net/ports.js';
import { headerBytes, protocolVersion } from './header.js';
import { sealMagic, sealOverhead } from './sealWire.js';

/**
 * conntrackd's longest message has about 310 bytes; longer ones are taken for a stream out of step.
 */
export const longestStreamMessage = 4_096;

/** Version and length: by these a header differs from anything else. */
const lengthBytes = 4;

export class MessageStream implements StreamFraming {
  /** What waits for the rest of a message. */
  #held = new Uint8Array(0);

  /**
   * Bytes that wait: less than a message, or a message and less of the next than makes a header
   * known.
   */
  get held(): number {
    return this.#held.length;
  }

  push(chunk: Uint8Array, deliver: (messages: Uint8Array) => void): boolean {
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    let last = 0;
    let at = 0;
    while (bytes.length - at >= lengthBytes) {
      const length = lengthAt(bytes, at);
      if (length === undefined) {
        if (last > 0) deliver(bytes.subarray(0, last));
        deliver(bytes.subarray(at, at + headerBytes));
        return false;
      }
      if (at + length > bytes.length) break;
      last = at;
      at += length;
    }
    const left = bytes.length - at;
    const isLengthCut = left > 0 && left < lengthBytes;
    const end = isLengthCut ? last : at;
    if (end > 0) deliver(bytes.subarray(0, end));
    this.#held = new Uint8Array(bytes.subarray(end));
    return true;
  }
}

/** Undefined where no message can begin with these bytes. */
function lengthAt(bytes: Uint8Array, at: number): number | undefined {
  const length = (bytes[at + 2]! << 8) | bytes[at + 3]!;
  // A sealed record may be longer than any message.
  if (bytes[at] === sealMagic) return length >= sealOverhead ? length : undefined;
  const isMessage =
    bytes[at]! >>> 4 === protocolVersion && length >= headerBytes && length <= longestStreamMessage;
  return isMessage ? length : undefined;
}
