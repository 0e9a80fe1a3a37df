/**
 * An arbiter and what a node does to hold its lease: asked each 100 ms, a lease of 400 ms from the
 * asking, which the arbiter keeps for 600 ms from its answer.
 */
import { addTime, microseconds, milliseconds, type Microseconds } from '../../../src/base/time.js';
import type { VirtualTime } from './virtualTime.js';

const leaseTime = milliseconds(400);
const keptFor = milliseconds(600);
const renewal = milliseconds(100);
/** A refusal counts when whoever held the lease could have let it end. */
const askedAgainFor = milliseconds(650);

export type Answer = 'granted' | 'refused' | 'none';

export class ArbiterModel {
  /** Nodes that cannot reach it. */
  readonly cut = new Set<string>();
  #holder = '';
  #until = microseconds(-1);
  readonly #time: VirtualTime;

  constructor(time: VirtualTime) {
    this.#time = time;
  }

  ask(node: string): Answer {
    if (this.cut.has(node)) return 'none';
    const { now } = this.#time;
    if (this.#holder !== node && this.#until > now) return 'refused';
    this.#holder = node;
    this.#until = addTime(now, keptFor);
    return 'granted';
  }

  release(node: string): void {
    if (!this.cut.has(node) && this.#holder === node) this.#until = microseconds(-1);
  }
}

export interface LeaseHands {
  /** Its process can act. */
  readonly canTurn: () => boolean;
  readonly isMaster: () => boolean;
  readonly tell: (state: 'held' | 'refused' | 'lost') => void;
}

/** Of one node. */
export class LeaseClient {
  readonly #node: string;
  readonly #arbiter: ArbiterModel;
  readonly #time: VirtualTime;
  readonly #hands: LeaseHands;
  #heldUntil = microseconds(-1);
  #said: 'held' | 'refused' | 'lost' | '' = '';

  constructor(node: string, arbiter: ArbiterModel, time: VirtualTime, hands: LeaseHands) {
    this.#node = node;
    this.#arbiter = arbiter;
    this.#time = time;
    this.#hands = hands;
  }

  /** For a role from silence: until granted, or a lease had time to end. */
  ask(answer: (answer: Answer) => void, since: Microseconds = this.#time.now): void {
    if (!this.#hands.canTurn()) return;
    const { now } = this.#time;
    const given = this.#arbiter.ask(this.#node);
    if (given === 'granted') this.#heldUntil = addTime(now, leaseTime);
    if (given === 'none') this.#time.after(renewal, () => answer('none'));
    else if (given === 'granted' || now - since >= askedAgainFor) answer(given);
    else this.#time.after(milliseconds(50), () => this.ask(answer, since));
  }

  /** Called in each turn of the loop. */
  renew(): void {
    if (!this.#hands.isMaster()) {
      this.#said = '';
      return;
    }
    const { now } = this.#time;
    if (this.#heldUntil - now > leaseTime - renewal) return;
    const given = this.#arbiter.ask(this.#node);
    if (given === 'granted') this.#heldUntil = addTime(now, leaseTime);
    if (given === 'refused') this.#tell('refused');
    else if (this.#heldUntil > now) this.#tell('held');
    else this.#tell('lost');
  }

  release(): void {
    this.#heldUntil = microseconds(-1);
    this.#arbiter.release(this.#node);
  }

  #tell(state: 'held' | 'refused' | 'lost'): void {
    if (this.#said === state) return;
    this.#said = state;
    this.#hands.tell(state);
  }
}
