/** Machines of sealed channels in virtual time, and an ear for what they seal. */
import { microseconds, type Microseconds } from '../../../src/base/time.js';
import { SealKeys } from '../../../src/sync/seal/sealKeys.js';
import { SealMachine, type Opened } from '../../../src/sync/seal/sealMachine.js';
import type { SharedKey } from '../../../src/sync/seal/sealStatus.js';
import type { SeededRandom } from '../base/seededRandom.js';

export const sharedKey: SharedKey = { id: 1, bytes: new Uint8Array(32).fill(0x5a) };
export const otherKey: SharedKey = { id: 2, bytes: new Uint8Array(32).fill(0xa5) };

/** Throws where a key meets a counter twice. */
export class CipherDoor {
  readonly #seen = new Set<string>();

  get count(): number {
    return this.#seen.size;
  }

  used(key: Uint8Array, counter: number): void {
    const pair = `${Buffer.from(key).toString('hex')} ${counter}`;
    if (this.#seen.has(pair)) throw new Error(`a key meets counter ${counter} twice`);
    this.#seen.add(pair);
  }
}

export interface NodeOptions {
  readonly random: SeededRandom;
  readonly door?: CipherDoor;
  readonly keys?: readonly SharedKey[];
  readonly activeKeyId?: number;
  readonly permissive?: boolean;
  readonly encrypts?: boolean;
  readonly hasCompleted?: boolean;
  readonly counterLimit?: number;
}

/** One node's end of a channel; a new one is the same node after its restart. */
export class SealNode {
  readonly machine: SealMachine;
  keys: SealKeys;
  isCompleted: boolean;
  readonly heardKeys: number[] = [];
  readonly received: string[] = [];
  readonly refused: string[] = [];
  now: Microseconds = microseconds(0);

  constructor(options: NodeOptions) {
    const { random, door, keys = [sharedKey], activeKeyId = 1, counterLimit } = options;
    this.keys = new SealKeys(keys, activeKeyId);
    this.isCompleted = options.hasCompleted ?? false;
    this.machine = new SealMachine({
      port: 3780,
      encrypts: options.encrypts ?? true,
      freshNonce: () => Uint8Array.from({ length: 16 }, () => random.below(256)),
      keys: () => this.keys,
      isPermissive: () => options.permissive ?? false,
      hasCompleted: () => this.isCompleted,
      heard: (keyId) => {
        this.isCompleted = true;
        this.heardKeys.push(keyId);
      },
      ...(counterLimit === undefined ? {} : { counterLimit }),
      ...(door === undefined ? {} : { used: (key, counter) => door.used(key, counter) }),
    });
  }

  /** `text` as it leaves. */
  say(text: string): Uint8Array {
    const datagram = new TextEncoder().encode(text);
    if (!this.machine.seals) return datagram;
    const into = new Uint8Array(datagram.length + 32);
    return into.subarray(0, this.machine.seal(datagram, into));
  }

  /** Gives the reply, where there is one. */
  hear(bytes: Uint8Array, source = 'peer'): Uint8Array | undefined {
    const opened: Opened = this.machine.open(bytes, source, this.now);
    if (opened.kind === 'data') this.received.push(new TextDecoder().decode(opened.datagram));
    if (opened.kind === 'refused') this.refused.push(opened.reason);
    return opened.kind === 'greeting' ? opened.reply : undefined;
  }

  greeting(): Uint8Array | undefined {
    return this.machine.greeting(this.now);
  }
}

/** Greetings of both until neither says anything; nothing is lost. */
export function greetEachOther(
  a: SealNode,
  b: SealNode,
  from: readonly [string, string] = ['a', 'b'],
): void {
  let toB = a.greeting();
  let toA = b.greeting();
  for (let step = 0; step < 8 && (toA ?? toB) !== undefined; step++) {
    const nextToA = toB === undefined ? undefined : b.hear(toB, from[0]);
    const nextToB = toA === undefined ? undefined : a.hear(toA, from[1]);
    toA = nextToA;
    toB = nextToB;
  }
}
