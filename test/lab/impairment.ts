/**
 * What a bad network does to frames, decided by a seed: the same frames in the same order meet the
 * same fate. A frame is what AF_PACKET gives with PACKET_VNET_HDR:
 *
 *   virtio_net_hdr  u8 flags (1: checksum still to be done) | u8 GSO type | u16 header length | u16 GSO size |
 *                   u16 checksum start | u16 checksum offset    10 bytes, host order
 *   then the Ethernet frame
 */
import { foldChecksum, onesComplementSum } from '../../src/base/checksum.js';

export const vnetHeaderBytes = 10;

/** All shares are percentages; what is absent does not happen. */
export interface Impairments {
  readonly drop?: number;
  readonly duplicate?: number;
  /** Held back until up to three later frames have passed, or 50 ms. */
  readonly reorder?: number;
  /** A bit is flipped behind the Ethernet header; checksums no longer match, as on a bad cable. */
  readonly corrupt?: number;
  /**
   * A byte of an IPv4 UDP payload is replaced and the checksum is right: the application receives
   * it.
   */
  readonly mangle?: number;
  readonly delayMilliseconds?: number;
  /** Up to this much is added to the delay, which reorders too. */
  readonly jitterMilliseconds?: number;
  /** Only IPv4 UDP frames to this port are impaired. */
  readonly udpPort?: number;
}

export interface ImpairmentCounts {
  forwarded: number;
  dropped: number;
  duplicated: number;
  reordered: number;
  corrupted: number;
  mangled: number;
}

/** One copy to send. `afterFrames` above 0: first let that many later frames pass (or 50 ms). */
export interface Copy {
  readonly bytes: Uint8Array;
  readonly delayMilliseconds: number;
  readonly afterFrames: number;
}

/** A small seeded generator (mulberry32): uniform in [0, 1). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export class Impairment {
  readonly counts: ImpairmentCounts = {
    forwarded: 0,
    dropped: 0,
    duplicated: 0,
    reordered: 0,
    corrupted: 0,
    mangled: 0,
  };
  settings: Impairments = {};
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  /** The copies of `frame` to send: none, one or two. `frame` is not kept. */
  decide(frame: Uint8Array): Copy[] {
    const { settings } = this;
    this.counts.forwarded++;
    const udp = udpOffset(frame);
    if (settings.udpPort !== undefined && udpDestination(frame, udp) !== settings.udpPort) {
      return [{ bytes: new Uint8Array(frame), delayMilliseconds: 0, afterFrames: 0 }];
    }
    if (this.#happens(settings.drop)) {
      this.counts.dropped++;
      return [];
    }
    const copies = [this.#copy(frame, udp)];
    if (this.#happens(settings.duplicate)) {
      this.counts.duplicated++;
      copies.push(this.#copy(frame, udp));
    }
    return copies;
  }

  #copy(frame: Uint8Array, udp: number | undefined): Copy {
    const { settings } = this;
    const bytes = new Uint8Array(frame);
    if (this.#happens(settings.corrupt) && corrupt(bytes, this.#random)) this.counts.corrupted++;
    if (this.#happens(settings.mangle) && mangle(bytes, udp, this.#random)) this.counts.mangled++;
    const isHeld = this.#happens(settings.reorder);
    if (isHeld) this.counts.reordered++;
    return {
      bytes,
      delayMilliseconds:
        (settings.delayMilliseconds ?? 0) + (settings.jitterMilliseconds ?? 0) * this.#random(),
      afterFrames: isHeld ? 1 + Math.floor(this.#random() * 3) : 0,
    };
  }

  /** Draws only where the share is set, so that settings of one kind do not shift another. */
  #happens(percent: number | undefined): boolean {
    return percent !== undefined && percent > 0 && this.#random() * 100 < percent;
  }
}

/** Where the UDP header of an unfragmented IPv4 datagram starts. */
function udpOffset(frame: Uint8Array): number | undefined {
  const ip = vnetHeaderBytes + 14;
  if (frame.length < ip + 28 || frame[ip - 2] !== 0x08 || frame[ip - 1] !== 0) return undefined;
  const isFragment = (((frame[ip + 6] ?? 0) & 0x3f) | (frame[ip + 7] ?? 0)) !== 0;
  if (frame[ip + 9] !== 17 || isFragment) return undefined;
  return ip + ((frame[ip] ?? 0) & 0x0f) * 4;
}

function udpDestination(frame: Uint8Array, udp: number | undefined): number | undefined {
  return udp === undefined ? undefined : ((frame[udp + 2] ?? 0) << 8) | (frame[udp + 3] ?? 0);
}

/**
 * Does the checksum that the sender left to its interface, then flips one bit. Not on segment
 * bundles.
 */
function corrupt(bytes: Uint8Array, random: () => number): boolean {
  const firstByte = vnetHeaderBytes + 14;
  if (bytes[1] !== 0 || bytes.length <= firstByte) return false;
  finishChecksum(bytes);
  const at = firstByte + Math.floor(random() * (bytes.length - firstByte));
  bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8));
  return true;
}

function mangle(bytes: Uint8Array, udp: number | undefined, random: () => number): boolean {
  if (udp === undefined || bytes[1] !== 0 || bytes.length <= udp + 8) return false;
  const at = udp + 8 + Math.floor(random() * (bytes.length - udp - 8));
  bytes[at] = (bytes[at] ?? 0) ^ (1 + Math.floor(random() * 255));
  // Where the checksum is still to be done it will cover the change; else «no checksum» is right.
  if (((bytes[0] ?? 0) & 1) === 0) bytes.fill(0, udp + 6, udp + 8);
  return true;
}

function finishChecksum(bytes: Uint8Array): void {
  if (((bytes[0] ?? 0) & 1) === 0) return;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = vnetHeaderBytes + view.getUint16(6, true);
  const field = start + view.getUint16(8, true);
  if (field + 2 <= bytes.length) {
    // The field holds the sum of the pseudo-header, which is part of what is summed.
    view.setUint16(field, foldChecksum(onesComplementSum(bytes.subarray(start))) || 0xffff);
  }
  bytes[0] = 0;
}
