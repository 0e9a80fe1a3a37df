/**
 * Lays messages end to end until a datagram is full, as conntrackd does: a message is appended
 * while `used + length` stays below the room, and nothing stands in front of the first one. Full
 * datagrams of one size lie end to end too and are handed over together: the kernel sends such a
 * run for little more than one of them costs.
 */
import type { IpFamily } from '../../base/ipAddress.js';
import { longestExpectationMessage } from './expectationCodec.js';
import { longestFlowMessage } from './flowWriter.js';

/** Beyond the room, so that a message is always written before it is known whether it fits. */
const overhang = Math.max(longestFlowMessage, longestExpectationMessage);
/** What one call of the kernel takes (UDP_SEGMENT). */
const mostDatagrams = 64;
/** With 64 seals of 32 bytes it still fits into one UDP datagram's length. */
const mostBytes = 62_900;

/**
 * Headers that the MTU must hold. conntrackd counts 28 on IPv6 too, and its datagrams get
 * fragmented.
 */
export function roomForMessages(mtu: number, family: IpFamily, isStream: boolean): number {
  const network = family === 4 ? 20 : 40;
  return Math.max(576, mtu) - network - (isStream ? 20 : 8);
}

/** Datagrams of `size` bytes each, end to end; the last may be shorter. Valid during the call. */
export type SendRun = (datagrams: Uint8Array, size: number) => void;

export class DatagramBuilder {
  /** Write the next message at `used`; there is room for `overhang` bytes. */
  readonly view: DataView;
  readonly #bytes: Uint8Array;
  readonly #send: SendRun;
  #room: number;
  /** Where the datagram begins that is being filled: behind the run of full ones. */
  #start = 0;
  #used = 0;
  /** Of each datagram of the run; 0 while there is none. */
  #size = 0;

  constructor(room: number, send: SendRun) {
    this.#room = room;
    this.#bytes = new Uint8Array(mostBytes + 65_536 + overhang);
    this.view = new DataView(this.#bytes.buffer);
    this.#send = send;
  }

  get used(): number {
    return this.#used;
  }

  /** The link changed; what is buffered goes out under the old size. */
  setRoom(room: number): void {
    this.flush();
    this.#room = room;
  }

  /** The message at `used` is complete. */
  append(length: number): void {
    const at = this.#used;
    if (at + length - this.#start < this.#room) {
      this.#used = at + length;
      return;
    }
    if (at > this.#start) this.#close();
    // Where the run went out, its memory is used from the beginning.
    if (at !== this.#used) this.#bytes.copyWithin(this.#used, at, at + length);
    this.#used += length;
  }

  /** Everything goes out. */
  flush(): void {
    if (this.#used > this.#start) this.#close();
    this.#release();
  }

  /** The datagram is full, or nothing follows: it joins the run, ends it, or begins another. */
  #close(): void {
    const size = this.#used - this.#start;
    if (this.#size !== 0 && size > this.#size) this.#releaseFull();
    const isEnd = this.#size !== 0 && size < this.#size;
    if (this.#size === 0) this.#size = size;
    this.#start = this.#used;
    const isFull =
      this.#used + this.#size > mostBytes || this.#used + this.#size > mostDatagrams * this.#size;
    if (isEnd || isFull) this.#release();
  }

  /** The run goes out without the datagram behind it. */
  #releaseFull(): void {
    const left = this.#used - this.#start;
    this.#send(this.#bytes.subarray(0, this.#start), this.#size);
    this.#bytes.copyWithin(0, this.#start, this.#used);
    this.#start = 0;
    this.#used = left;
    this.#size = 0;
  }

  #release(): void {
    if (this.#start === 0) return;
    const datagrams = this.#bytes.subarray(0, this.#start);
    const size = this.#size;
    this.#start = 0;
    this.#used = 0;
    this.#size = 0;
    this.#send(datagrams, size);
  }
}
