/**
 * What a stranger without the key can put on the wire of sealed channels: recordings, what he makes
 * of them, and inventions. Nothing of it may be believed. Everything comes from the seed.
 */
import { sealKinds, sealMagic } from '../../../src/sync/wire/sealWire.js';
import type { SeededRandom } from '../base/seededRandom.js';

export const hostileSeals = [
  ...(['replayed', 'truncated', 'flipped', 'extended', 'rewritten', 'session', 'key'] as const),
  ...(['hello', 'answer', 'plainFlow', 'plainWord', 'noise'] as const),
] as const;
export type HostileSeal = (typeof hostileSeals)[number];

/** CT_NEW with HELLO of an established TCP flow 203.0.113.66:1 -> 203.0.113.67:2. */
const flow = Uint8Array.from(
  Buffer.from(
    '1020003c' +
      '00000000' +
      '000c0000cb007142cb007143' +
      '000800050000000e' +
      '0005000206000000' +
      '0008000300010002' +
      '0005000403000000' +
      '0008000600000e10',
    'hex',
  ),
);

const words = [
  { kind: 'hello', name: 'fw1', version: '0.1.0', heard: true },
  { kind: 'offer', token: 1 },
  { kind: 'resigned', token: 1 },
  { kind: 'yielded', token: 1, masterMs: 3_000, agoMs: 10 },
  { kind: 'bulkEnd', since: 1, sequence: 2, entries: 0 },
].map((word) => new TextEncoder().encode(`KSP1${JSON.stringify(word)}`));

const noiseBytes = 65_536;
const headerBytes = 16;

export class SealHostility {
  readonly #random: SeededRandom;
  readonly #recorded: readonly Uint8Array[];
  readonly #noise: Uint8Array;

  /** `recorded`: sealed data that its receiver has had, at least one. */
  constructor(random: SeededRandom, recorded: readonly Uint8Array[]) {
    this.#random = random;
    this.#recorded = recorded;
    this.#noise = Uint8Array.from({ length: noiseBytes }, () => random.below(256));
  }

  kind(): HostileSeal {
    return hostileSeals[this.#random.below(hostileSeals.length)] ?? 'noise';
  }

  make(kind: HostileSeal): Uint8Array {
    const random = this.#random;
    const old = this.#recorded[random.below(this.#recorded.length)] ?? flow;
    switch (kind) {
      case 'replayed':
        return old;
      case 'truncated':
        return old.subarray(0, random.below(old.length));
      case 'flipped':
        return this.#flipped(old);
      case 'extended':
        return this.#extended(old);
      case 'rewritten':
        return this.#rewritten(old);
      case 'session':
        return this.#changed(old, 6, 4);
      case 'key':
        return this.#changed(old, 4, 1);
      case 'hello':
        return this.#greeting(sealKinds.hello, old, 64);
      case 'answer':
        return this.#greeting(sealKinds.answer, old, 80);
      case 'plainFlow':
        return flow;
      case 'plainWord':
        return words[random.below(words.length)] ?? flow;
      case 'noise':
        return this.#some(1 + random.below(200));
    }
  }

  #some(length: number): Uint8Array {
    const at = this.#random.below(noiseBytes - length);
    return this.#noise.subarray(at, at + length);
  }

  #extended(old: Uint8Array): Uint8Array {
    const more = this.#some(1 + this.#random.below(40));
    const bytes = new Uint8Array(old.length + more.length);
    bytes.set(old);
    bytes.set(more, old.length);
    return bytes;
  }

  #flipped(old: Uint8Array): Uint8Array {
    const bytes = old.slice();
    const bit = this.#random.below(8 * bytes.length);
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    return bytes;
  }

  /** The true header, with a counter of its own, and a body that nobody sealed. */
  #rewritten(old: Uint8Array): Uint8Array {
    const bytes = old.slice();
    bytes.set(this.#some(bytes.length - headerBytes), headerBytes);
    const isFar = this.#random.below(4) === 0;
    bytes.set(isFar ? this.#some(6) : this.#some(2), isFar ? 10 : 14);
    return bytes;
  }

  /** `count` bytes behind `at` are others. */
  #changed(old: Uint8Array, at: number, count: number): Uint8Array {
    const bytes = old.slice();
    bytes.set(this.#some(count), at);
    bytes[at] = ((old[at] ?? 0) + 1 + this.#random.below(255)) & 0xff;
    return bytes;
  }

  /** Of the right length and with the key number of the true ones. */
  #greeting(kind: number, old: Uint8Array, length: number): Uint8Array {
    const bytes = this.#some(length).slice();
    bytes.set([sealMagic, kind, length >> 8, length & 0xff, old[4] ?? 1, 0]);
    return bytes;
  }
}
