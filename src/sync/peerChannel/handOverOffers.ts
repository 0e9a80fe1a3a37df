/**
 * A planned hand-over, as two keepstates tell each other: the MASTER offers the role and repeats
 * that until it is answered, the other answers when it is ready, the MASTER says that it has
 * resigned.
 */
import type { Microseconds } from '../../base/time.js';
import type { EnginePorts } from '../engine/engine.js';
import type { PeerMessage } from '../wire/peerMessage.js';

const resignedRepeats = 5;

export interface OfferAnswer {
  readonly ready: boolean;
  readonly because: string;
}

/** Who said it, where the configuration does not name that one. */
interface Sender {
  readonly from?: string;
}

export interface OfferPort {
  send(message: PeerMessage): void;
  isPresent(now: Microseconds): boolean;
  /** For a sentence. */
  peerName(): string;
}

interface Offer {
  readonly token: number;
  readonly until: Microseconds;
  readonly settle: (ready: boolean, because: string) => void;
}

export class HandOverOffers {
  readonly #ports: Pick<EnginePorts, 'clock' | 'random' | 'report'>;
  readonly #port: OfferPort;
  #offer: Offer | undefined;
  #offeredToken: number | undefined;
  /** Our answer to the offer, for its repetitions. */
  #answer: Extract<PeerMessage, { kind: 'offerAnswer' }> | undefined;
  #resignedToken: number | undefined;

  constructor(ports: Pick<EnginePorts, 'clock' | 'random' | 'report'>, port: OfferPort) {
    this.#ports = ports;
    this.#port = port;
  }

  /** Asks the peer to take the role; resolves with its answer, or a refusal after `timeout`. */
  offer(timeout: Microseconds): Promise<OfferAnswer> {
    const { clock, random } = this.#ports;
    const now = clock.now();
    if (!this.#port.isPresent(now)) {
      return Promise.resolve({ ready: false, because: 'no keepstate peer is heard' });
    }
    this.#offer?.settle(false, 'another offer was made');
    const token = random.below(0x1_0000_0000);
    this.#resignedToken = token;
    return new Promise((resolve) => {
      this.#offer = {
        token,
        until: (now + timeout) as Microseconds,
        settle: (ready, because) => {
          this.#offer = undefined;
          resolve({ ready, because });
        },
      };
      this.#port.send({ kind: 'offer', token });
    });
  }

  /** To the peer's offer. */
  answer(ready: boolean, because: string): void {
    if (this.#offeredToken === undefined) return;
    this.#answer = { kind: 'offerAnswer', token: this.#offeredToken, ready, because };
    this.#port.send(this.#answer);
  }

  resigned(): void {
    const token = this.#resignedToken;
    if (token === undefined) return;
    for (let i = 0; i < resignedRepeats; i++) this.#port.send({ kind: 'resigned', token });
    this.#resignedToken = undefined;
  }

  peerOffered(token: number, sender: Sender): void {
    if (this.#offeredToken !== token) {
      this.#offeredToken = token;
      this.#ports.report({ kind: 'handoverOffered', ...sender });
    } else if (this.#answer?.token === token) {
      // The offer is repeated until it is answered: an answer may have been lost.
      this.#port.send(this.#answer);
    }
  }

  peerAnswered({ token, ready, because }: OfferAnswer & { readonly token: number }): void {
    if (this.#offer?.token !== token) return;
    // «in maintenance» alone would leave open which of the two is.
    this.#offer.settle(ready, ready ? because : `${this.#port.peerName()} says: ${because}`);
  }

  peerResigned(token: number, sender: Sender): void {
    if (this.#offeredToken !== token) return;
    this.#offeredToken = undefined;
    this.#ports.report({ kind: 'handoverGranted', ...sender });
  }

  /** Also towards a peer that has gone: whoever offered waits for the end of it. */
  tick(now: Microseconds): void {
    const offer = this.#offer;
    if (offer === undefined) return;
    if (now >= offer.until) {
      offer.settle(false, `${this.#port.peerName()} did not answer in time`);
    } else this.#port.send({ kind: 'offer', token: offer.token });
  }

  /** The engine ends: whoever waits for an answer gets one. */
  close(): void {
    this.#offer?.settle(false, 'the sync engine ends');
  }
}
