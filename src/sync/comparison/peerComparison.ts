/**
 * What two keepstates say to each other about flows of a role that has left: what the hello tells
 * of it, the comparison of both kernels in either direction, and what a MASTER commits of it.
 */
import { milliseconds, subtractTime, type Microseconds } from '../../base/time.js';
import { ComparedPurge, type ComparedOutcome, type ComparingPeer } from './comparedPurge.js';
import { ComparisonAnswers } from './comparisonAnswers.js';
import type { ComparisonEngine } from './comparisonEngine.js';
import type { OwnRole } from './ownRole.js';
import {
  decodeKeyMessage,
  encodeKeyMessage,
  isKeyMessage,
  type KeyMessage,
} from '../wire/keyMessage.js';
import { encodePeerMessage, type PeerMessage } from '../wire/peerMessage.js';

type Hello = Extract<PeerMessage, { kind: 'hello' }>;

const longestAgo = 0xffff_ffff;

export class PeerComparison implements ComparingPeer {
  readonly #role: OwnRole;
  readonly #answers: ComparisonAnswers;
  readonly #purge: ComparedPurge;
  readonly #ability: ComparingPeer['ability'];
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
    engine: ComparisonEngine,
    role: OwnRole,
    port: { readonly send: (datagram: Uint8Array) => void },
    ability: ComparingPeer['ability'],
    isMerging: () => boolean,
  ) {
    this.#role = role;
    this.#ability = ability;
    this.#isMerging = isMerging;
    const messages = {
      send: (message: PeerMessage): void => {
        port.send(encodePeerMessage(message));
      },
      sendKeys: (message: KeyMessage): void => {
        port.send(encodeKeyMessage(message));
      },
    };
    this.#answers = new ComparisonAnswers(engine, role.mastership, messages);
    this.#purge = new ComparedPurge(engine, role, messages);
  }

  ability(): ReturnType<ComparingPeer['ability']> {
    return this.#ability();
  }

  purge(isOver: () => boolean): Promise<ComparedOutcome> {
    return this.#purge.run(isOver);
  }

  /** Said while this node is not MASTER, and has leftovers. */
  wasMaster(until: Microseconds): void {
    this.#masterUntil = until;
  }

  /** For the hello. */
  left(now: Microseconds): Pick<Hello, 'leftovers' | 'wasMasterMs'> {
    const { mastership, isPurgePending, leftovers } = this.#role;
    if (!mastership.isKnown || mastership.since !== undefined) return {};
    if (!isPurgePending) return { leftovers: 0 };
    // After a split the peer merges what it hears of this node's flows: nothing needs to be
    // committed beside that.
    const until = this.#isMerging() ? undefined : this.#masterUntil;
    const ago = until === undefined ? -1 : Math.round(subtractTime(now, until) / 1_000);
    const isTold = ago >= 0 && ago <= longestAgo;
    return { leftovers: Math.max(1, leftovers.count), ...(isTold ? { wasMasterMs: ago } : {}) };
  }

  greeted({ leftovers, wasMasterMs }: Hello, now: Microseconds): void {
    const { mastership } = this.#role;
    if (leftovers === 0) mastership.peerHasNone();
    else if (leftovers !== undefined) mastership.peerHasSome();
    const until =
      wasMasterMs === undefined ? undefined : subtractTime(now, milliseconds(wasMasterMs));
    this.#role.peerWasMaster(until, now);
  }

  /** The peer wants to compare. */
  asked(token: number, now: Microseconds): void {
    this.#answers.asked(token, now);
  }

  /** The peer's answer to that. */
  comparable({ token, state, first, second }: Extract<PeerMessage, { kind: 'comparable' }>): void {
    this.#purge.comparable(token, state, [first, second]);
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
