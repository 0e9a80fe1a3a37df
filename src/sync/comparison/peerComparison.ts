/**
 * What two keepstates say to each other about flows of a role that has left: what the hello tells
 * of it, the comparison of both kernels in either direction, and what a MASTER commits of it.
 */
import { milliseconds, subtractTime, type Microseconds } from '../../base/time.js';
import { AdoptWork } from '../role/adoptWork.js';
import { ComparedPurge } from './comparedPurge.js';
import { ComparisonAnswers } from './comparisonAnswers.js';
import type { Engine } from '../engine/engine.js';
import type { ComparingPeer } from '../role/purgeWork.js';
import {
  decodeKeyMessage,
  encodeKeyMessage,
  isKeyMessage,
  type KeyMessage,
} from '../wire/keyMessage.js';
import { encodePeerMessage, type PeerMessage } from '../wire/peerMessage.js';

type Hello = Extract<PeerMessage, { kind: 'hello' }>;
type Asked = Extract<PeerMessage, { kind: 'compare' | 'comparable' }>;

const longestAgo = 0xffff_ffff;

export class PeerComparison {
  readonly #engine: Engine;
  readonly #answers: ComparisonAnswers;
  readonly #purge: ComparedPurge;
  readonly #adoption: AdoptWork;
  readonly #isMerging: () => boolean;
  /**
   * Until when this node was MASTER, in this life of its process or an earlier one of this boot.
   */
  #masterUntil: Microseconds | undefined;

  /**
   * `ability`: what the peer can do, as far as it was greeted. `isMerging`: it still has to merge
   * what is here.
   */
  constructor(
    engine: Engine,
    port: { readonly send: (datagram: Uint8Array) => void },
    ability: ComparingPeer['ability'],
    isMerging: () => boolean,
  ) {
    this.#engine = engine;
    this.#isMerging = isMerging;
    const messages = {
      send: (message: PeerMessage): void => {
        port.send(encodePeerMessage(message));
      },
      sendKeys: (message: KeyMessage): void => {
        port.send(encodeKeyMessage(message));
      },
    };
    this.#answers = new ComparisonAnswers(engine, messages);
    this.#purge = new ComparedPurge(engine, messages);
    this.#adoption = new AdoptWork(engine);
    engine.purge.peer = { ability, purge: (isOver) => this.#purge.run(isOver) };
  }

  /** Flows of the peer that were committed here; undefined where there were none. */
  get adopted(): { readonly entries: number; readonly refused: number } | undefined {
    const { adopted: entries, refused } = this.#adoption;
    return entries + refused === 0 ? undefined : { entries, refused };
  }

  /** Said while this node is not MASTER, and has leftovers. */
  wasMaster(until: Microseconds): void {
    this.#masterUntil = until;
  }

  /** For the hello. */
  left(now: Microseconds): Pick<Hello, 'leftovers' | 'wasMasterMs'> {
    const { mastership, purge, leftovers } = this.#engine;
    if (!mastership.isKnown || mastership.since !== undefined) return {};
    if (!purge.isPending) return { leftovers: 0 };
    // After a split the peer merges what it hears of this node's flows: nothing needs to be
    // committed beside that.
    const until = this.#isMerging() ? undefined : this.#masterUntil;
    const ago = until === undefined ? -1 : Math.round(subtractTime(now, until) / 1_000);
    const isTold = ago >= 0 && ago <= longestAgo;
    return { leftovers: Math.max(1, leftovers.count), ...(isTold ? { wasMasterMs: ago } : {}) };
  }

  greeted({ leftovers, wasMasterMs }: Hello, now: Microseconds): void {
    const { mastership } = this.#engine;
    if (leftovers === 0) mastership.peerHasNone();
    else if (leftovers !== undefined) mastership.peerHasSome();
    const until =
      wasMasterMs === undefined ? undefined : subtractTime(now, milliseconds(wasMasterMs));
    this.#adoption.peerWasMaster(until, now);
  }

  /** False where it is a message of another kind. */
  handle(message: PeerMessage, now: Microseconds): message is Asked {
    if (message.kind === 'compare') this.#answers.asked(message.token, now);
    else if (message.kind === 'comparable') {
      this.#purge.comparable(message.token, message.state, [message.first, message.second]);
    } else return false;
    return true;
  }

  /** Whether it was a message; undefined where it is a datagram of another kind. */
  receive(datagram: Uint8Array, now: Microseconds): boolean | undefined {
    if (!isKeyMessage(datagram)) return undefined;
    const message = decodeKeyMessage(datagram);
    if (message !== undefined) this.#received(message, now);
    return message !== undefined;
  }

  tick(now: Microseconds): void {
    this.#answers.tick(now);
    this.#purge.tick(now);
  }

  close(): void {
    this.#purge.close();
  }

  #received(message: KeyMessage, now: Microseconds): void {
    if (message.kind === 'part' || message.kind === 'keys') this.#answers.question(message, now);
    else this.#purge.received(message);
  }
}
