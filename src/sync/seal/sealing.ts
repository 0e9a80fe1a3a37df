/** The keys of a worker, and the channels that they seal. */
import { randomBytes } from 'node:crypto';
import type { Clock, Microseconds, Timers } from '../../base/time.js';
import type { Channel } from '../../net/ports.js';
import type { SealSettings } from '../settings.js';
import { SealedChannel } from './sealedChannel.js';
import { SealKeys } from './sealKeys.js';
import type { SealRefusal } from './sealRefusals.js';
import type { SealStatus, SharedKey } from './sealStatus.js';

export interface SealingPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  /** The peer has shown a key, for the first time. */
  readonly peerSealed: () => void;
}

/** What happens all the time around a restart, and is no sign of anybody. */
const usual: ReadonlySet<SealRefusal> = new Set(['unknownSession', 'staleAnswer', 'replayed']);

export class Sealing {
  readonly #ports: SealingPorts;
  #shared: readonly SharedKey[] = [];
  #settings: SealSettings | undefined;
  #keys: SealKeys | undefined;
  #isPeerSealed = false;
  readonly #channels = new Set<SealedChannel>();
  readonly #heard = new Map<number, Microseconds>();
  readonly #refused = new Map<SealRefusal, number>();
  #refusedAt: Microseconds | undefined;

  constructor(ports: SealingPorts) {
    this.#ports = ports;
  }

  /** Nothing plain is taken from it any more. */
  get isPeerSealed(): boolean {
    return this.#settings !== undefined && this.#isPeerSealed;
  }

  give(keys: readonly SharedKey[], isPeerSealed: boolean): void {
    this.#shared = keys;
    this.#isPeerSealed ||= isPeerSealed;
  }

  /** At the start and after a reload, behind `give`. */
  apply(settings: SealSettings | undefined): void {
    this.#settings = settings;
    const isKnown = this.#shared.some(({ id }) => id === settings?.activeKeyId);
    if (settings === undefined || !isKnown) this.#keys = undefined;
    else this.#keys = new SealKeys(this.#shared, settings.activeKeyId);
  }

  /** The channel itself where there is no key. `port` is that of both ends. */
  wrap(channel: Channel, port: number): Channel {
    const first = this.#keys;
    if (first === undefined) return channel;
    const options = {
      port,
      encrypts: this.#settings?.encrypts ?? true,
      freshNonce: () => new Uint8Array(randomBytes(16)),
      keys: () => this.#keys ?? first,
      isPermissive: () => this.#settings?.auth === 'permissive',
      hasCompleted: () => this.#isPeerSealed,
      heard: (keyId: number, now: Microseconds) => this.#noteHeard(keyId, now),
      isOwn: (nonce: Uint8Array) =>
        [...this.#channels].some((one) => Buffer.compare(one.nonce, nonce) === 0),
    };
    const sealed = new SealedChannel(channel, options, {
      ...this.#ports,
      closed: () => this.#channels.delete(sealed),
      refused: (reason) => {
        this.#refused.set(reason, (this.#refused.get(reason) ?? 0) + 1);
        if (!usual.has(reason)) this.#refusedAt = this.#ports.clock.now();
      },
    });
    this.#channels.add(sealed);
    return sealed;
  }

  status(): SealStatus | undefined {
    const settings = this.#settings;
    if (settings === undefined) return undefined;
    return {
      ...settings,
      isPeerSealed: this.#isPeerSealed,
      heard: Object.fromEntries(this.#heard),
      refused: Object.fromEntries(this.#refused),
      ...(this.#refusedAt === undefined ? {} : { refusedAt: this.#refusedAt }),
    };
  }

  #noteHeard(keyId: number, now: Microseconds): void {
    this.#heard.set(keyId, now);
    if (this.#isPeerSealed) return;
    this.#isPeerSealed = true;
    this.#ports.peerSealed();
  }
}
