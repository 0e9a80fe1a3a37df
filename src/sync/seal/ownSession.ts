/**
 * What this node sends on one channel: a session nonce that nobody had before, a traffic key for
 * each key number, and one counter that begins at 0. So no key meets a counter twice, whatever
 * dies, is reloaded or set back.
 */
import { createCipheriv } from 'node:crypto';
import { BugError } from '../../base/errors.js';
import type { SealKeys } from './sealKeys.js';
import {
  sealHeaderBytes,
  sealKinds,
  sealOverhead,
  sessionNumber,
  tagBytes,
  writeSealHeader,
} from '../wire/sealWire.js';

export interface OwnSessionOptions {
  readonly port: number;
  readonly encrypts: boolean;
  /** 16 random bytes. */
  readonly freshNonce: () => Uint8Array;
  /** A session ends there; 2^48 unless a test says otherwise. */
  readonly counterLimit?: number;
  /** A test's ear: key and counter of each seal. */
  readonly used?: (key: Uint8Array, counter: number) => void;
}

const endOfCounters = 2 ** 48 - 1;

export class OwnSession {
  readonly #options: OwnSessionOptions;
  readonly #limit: number;
  #nonce: Uint8Array;
  #traffic = new Map<number, Uint8Array>();
  #counter = 0;
  #number: number;
  /** The bytes before the counter stay 0. */
  readonly #iv = new Uint8Array(12);
  readonly #clear = new Uint8Array(sealHeaderBytes);
  readonly #cipherOptions = { authTagLength: tagBytes };

  constructor(options: OwnSessionOptions) {
    this.#options = options;
    this.#limit = options.counterLimit ?? endOfCounters;
    this.#nonce = options.freshNonce();
    this.#number = sessionNumber(this.#nonce);
  }

  /** It changes where a counter came to its end: others must be greeted again. */
  get nonce(): Uint8Array {
    return this.#nonce;
  }

  /** Of the next datagram. */
  get counter(): number {
    return this.#counter;
  }

  get number(): number {
    return this.#number;
  }

  /**
   * Writes the sealed record into `into`, which has room for 32 bytes more than `datagram`; gives
   * its length.
   */
  seal(keys: SealKeys, datagram: Uint8Array, into: Uint8Array): number {
    const { encrypts, used } = this.#options;
    if (this.#counter >= this.#limit) this.#renew();
    const key = this.#trafficOf(keys);
    const counter = this.#counter++;
    used?.(key, counter);
    const length = datagram.length + sealOverhead;
    const kind = encrypts ? sealKinds.encrypted : sealKinds.authenticated;
    const header = { kind, keyId: keys.activeId, flags: 0, session: this.#number, counter };
    const clear = this.#clear;
    writeSealHeader(clear, header, length);
    into.set(clear);
    for (let i = 10; i < sealHeaderBytes; i++) this.#iv[i - 4] = clear[i] ?? 0;
    const cipher = createCipheriv('aes-128-gcm', key, this.#iv, this.#cipherOptions);
    if (encrypts) {
      cipher.setAAD(clear);
      into.set(cipher.update(datagram), sealHeaderBytes);
    } else {
      into.set(datagram, sealHeaderBytes);
      cipher.setAAD(into.subarray(0, length - tagBytes));
    }
    cipher.final();
    into.set(cipher.getAuthTag(), length - tagBytes);
    return length;
  }

  #renew(): void {
    this.#nonce = this.#options.freshNonce();
    this.#number = sessionNumber(this.#nonce);
    this.#traffic = new Map();
    this.#counter = 0;
  }

  #trafficOf(keys: SealKeys): Uint8Array {
    const known = this.#traffic.get(keys.activeId);
    if (known !== undefined) return known;
    const key = keys.traffic(keys.activeId, this.#nonce, this.#options.port);
    if (key === undefined) throw new BugError('the active key is none of the keys');
    this.#traffic.set(keys.activeId, key);
    return key;
  }
}
