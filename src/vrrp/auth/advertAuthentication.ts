/** auth_hmac of one node: its numbers, the trailers that it makes and those that it examines. */
import type { IpAddress } from '../../base/ipAddress.js';
import type { Clock, Microseconds } from '../../base/time.js';
import type { VrrpDatagram } from '../../net/ports.js';
import type { InstanceSettings } from '../settings.js';
import { differenceOf, numberAt, NumberLine } from './number.js';
import type { AdvertProof } from './proof.js';
import { encodeTrailer } from './trailer.js';
import { AdvertVerifier } from './verifier.js';

/**
 * What outlives the process: the last number sent, and by `address instance` the last ones
 * accepted.
 */
export interface SignedNumbers {
  readonly sent?: bigint;
  readonly heard: Readonly<Record<string, bigint>>;
}

export class AdvertAuthentication {
  readonly #clock: Clock;
  readonly #numbers: NumberLine;
  readonly #verifier: AdvertVerifier;

  constructor(clock: Clock, saved: SignedNumbers | undefined) {
    this.#clock = clock;
    this.#numbers = new NumberLine(saved?.sent);
    this.#verifier = new AdvertVerifier(saved?.heard);
  }

  get numbers(): SignedNumbers {
    const sent = this.#numbers.last;
    return { ...(sent === undefined ? {} : { sent }), heard: this.#verifier.accepted };
  }

  /**
   * The trailer of an advertisement, or no bytes where `instance` does not sign. It does not cover
   * the destination: one serves all unicast peers.
   */
  sign({ hmac }: InstanceSettings, advert: Uint8Array, source: IpAddress): Uint8Array {
    const key = hmac?.keys.find(({ id }) => id === hmac.activeKeyId);
    if (hmac === undefined || key === undefined || hmac.mode === 'receive-only') {
      return new Uint8Array(0);
    }
    const number = this.#numbers.next(this.#clock.wallClock());
    return encodeTrailer({ advert, source }, key, number);
  }

  /** `datagram` has a trailer by its length. undefined where `instance` has no auth_hmac. */
  examine(instance: InstanceSettings, datagram: VrrpDatagram): AdvertProof | undefined {
    const { hmac } = instance;
    if (hmac === undefined) return undefined;
    return this.#verifier.examine(instance, hmac, datagram, this.#clock.wallClock());
  }

  /** How far the last number sent is ahead of the clock: the clock was set back. */
  get ahead(): Microseconds {
    const sent = this.#numbers.last ?? 0n;
    return differenceOf(sent, numberAt(this.#clock.wallClock()));
  }

  forget(instance: string): void {
    this.#verifier.forget(instance);
  }
}
