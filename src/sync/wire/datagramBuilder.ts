/**
 * Lays messages end to end until a datagram is full, as conntrackd does: a message is appended while
 * `used + length` stays below the room, and nothing stands in front of the first one.
 */
import type { IpFamily } from '../../base/ipAddress.js';

/** Beyond the room, so that a message is always written before it is known whether it fits. */
const overhang = 1_536;

/** Headers that the MTU must hold. conntrackd counts 28 on IPv6 too, and its datagrams get fragmented. */
export function roomForMessages(mtu: number, family: IpFamily, isStream: boolean): number {
  const network = family === 4 ? 20 : 40;
  return Math.max(576, mtu) - network - (isStream ? 20 : 8);
}

export class DatagramBuilder {
  /** Write the next message at `used`; there is room for `overhang` bytes. */
  readonly view: DataView;
  readonly #bytes: Uint8Array;
  readonly #send: (datagram: Uint8Array) => void;
  #room: number;
  #used = 0;
  #datagrams = 0;

  constructor(room: number, send: (datagram: Uint8Array) => void) {
    this.#room = room;
    this.#bytes = new Uint8Array(65_536 + overhang);
    this.view = new DataView(this.#bytes.buffer);
    this.#send = send;
  }

  get used(): number {
    return this.#used;
  }

  /** Datagrams sent since the start. */
  get datagrams(): number {
    return this.#datagrams;
  }

  /** The link changed; what is buffered goes out under the old size. */
  setRoom(room: number): void {
    this.flush();
    this.#room = room;
  }

  /** The message at `used` is complete. */
  append(length: number): void {
    const end = this.#used + length;
    if (end < this.#room) {
      this.#used = end;
      return;
    }
    const start = this.#used;
    this.flush();
    this.#bytes.copyWithin(0, start, start + length);
    this.#used = length;
  }

  flush(): void {
    if (this.#used === 0) return;
    const datagram = this.#bytes.subarray(0, this.#used);
    this.#used = 0;
    this.#datagrams++;
    this.#send(datagram);
  }
}
