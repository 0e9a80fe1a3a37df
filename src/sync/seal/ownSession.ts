/**
 * What this node sends on one channel: a session nonce that nobody had before, a traffic key for
 * each key number, and one counter that begins at 0. So no key meets a counter twice, whatever
 * dies, is reloaded or set back.
 */
import { BugError } from '../../base/errors.js';
import { recordCipher, type RecordCipher } from '../../net/cipher/recordCipher.js';
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

interface Traffic {
  readonly key: Uint8Array;
  readonly cipher: RecordCipher;
}

export class OwnSession {
  readonly #options: OwnSessionOptions;
  readonly #limit: number;
  #nonce: Uint8Array;
  #traffic = new Map<number, Traffic>();
  #counter = 0;
  #number: number;

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
    return this.sealRun(keys, datagram, 1, into);
  }

  /**
   * The same for `count` datagrams of one length that lie end to end, as their records then do.
   */
  sealRun(keys: SealKeys, datagrams: Uint8Array, count: number, into: Uint8Array): number {
    const { encrypts, used } = this.#options;
    if (this.#counter + count > this.#limit) this.#renew();
    const size = datagrams.length / count;
    const { key, cipher } = this.#trafficOf(keys);
    const length = size + sealOverhead;
    const kind = encrypts ? sealKinds.encrypted : sealKinds.authenticated;
    const { activeId: keyId } = keys;
    let end = 0;
    for (let i = 0; i < count; i++) {
      const counter = this.#counter++;
      used?.(key, counter);
      const header = { kind, keyId, flags: 0, session: this.#number, counter };
      writeSealHeader(into, end, header, length);
      into.set(datagrams.subarray(i * size, (i + 1) * size), end + sealHeaderBytes);
      end += length;
    }
    cipher.seal(into.subarray(0, end), length, encrypts ? sealHeaderBytes : length - tagBytes);
    return end;
  }

  #renew(): void {
    this.#nonce = this.#options.freshNonce();
    this.#number = sessionNumber(this.#nonce);
    this.#traffic = new Map();
    this.#counter = 0;
  }

  #trafficOf(keys: SealKeys): Traffic {
    const known = this.#traffic.get(keys.activeId);
    if (known !== undefined) return known;
    const key = keys.traffic(keys.activeId, this.#nonce, this.#options.port);
    if (key === undefined) throw new BugError('the active key is none of the keys');
    const traffic = { key, cipher: recordCipher(key) };
    this.#traffic.set(keys.activeId, traffic);
    return traffic;
  }
}
