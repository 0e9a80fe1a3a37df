/**
 * VRRP of a simulated node, as one sync group: adverts each second on each segment, master-down,
 * preemption, priority 0. It asks before it takes the role and does what the agreement says.
 */
import { microseconds, seconds, type Microseconds } from '../../../src/base/time.js';
import type { Role } from '../../../src/agreement/statement.js';
import type { Wish } from '../../../src/agreement/agreementEvents.js';
import type { VirtualTime } from './virtualTime.js';

export interface ModelAdvert {
  readonly from: string;
  readonly address: string;
  readonly priority: number;
}

export interface VrrpHands {
  advertise(priority: number): void;
  /** The role changed; `because` for the record. */
  changed(role: Role, because: string): void;
  wish(wish: Wish): void;
}

export const advertInterval = seconds(1);

export function masterDownOf(priority: number): Microseconds {
  return microseconds(3 * advertInterval + ((256 - priority) * advertInterval) / 256);
}

export class VrrpModel {
  role: Role = 'INIT';
  readonly priority: number;
  readonly preempts: boolean;
  /** Flows are in the kernel and the addresses are up. */
  hasAddresses = false;
  isHeld = false;
  readonly #time: VirtualTime;
  readonly #segments: readonly string[];
  readonly #hands: VrrpHands;
  readonly #waits = new Map<string, () => void>();
  #weaker = false;
  #stop: () => void = () => undefined;

  constructor(
    time: VirtualTime,
    segments: readonly string[],
    options: { readonly priority: number; readonly preempts: boolean },
    hands: VrrpHands,
  ) {
    this.#time = time;
    this.#segments = segments;
    this.priority = options.priority;
    this.preempts = options.preempts;
    this.#hands = hands;
  }

  become(role: Role, because: string, commit = microseconds(20_000)): void {
    const was = this.role;
    this.role = role;
    this.#stop();
    this.#stopWaiting();
    if (role === 'MASTER') {
      this.#advertise();
      // The commit, then the addresses.
      if (!this.hasAddresses) {
        const cancel = this.#time.after(commit, () => (this.hasAddresses = true));
        const stop = this.#stop;
        this.#stop = () => {
          cancel();
          stop();
        };
      }
    } else {
      this.hasAddresses = false;
      if (was === 'MASTER' && !this.isHeld) this.#hands.advertise(0);
    }
    if (role === 'BACKUP') for (const segment of this.#segments) this.#await(segment);
    if (was !== role) this.#hands.changed(role, because);
  }

  #advertise(): void {
    if (this.role !== 'MASTER') return;
    if (!this.isHeld) this.#hands.advertise(this.priority);
    const cancel = this.#time.after(advertInterval, () => this.#advertise());
    this.#stop = cancel;
  }

  /** What the agreement refused is asked for again after the same time. */
  refused(): void {
    if (this.role === 'BACKUP') for (const segment of this.#segments) this.#await(segment);
  }

  hear(segment: string, advert: ModelAdvert, own: string): void {
    const isStronger =
      advert.priority > this.priority ||
      (advert.priority === this.priority && advert.address > own);
    if (this.role === 'MASTER') {
      if (isStronger && advert.priority > 0) this.become('BACKUP', `${advert.from} is stronger`);
      return;
    }
    if (this.role !== 'BACKUP') return;
    if (advert.priority === 0) {
      const skew = masterDownOf(this.priority) - 3 * advertInterval;
      this.#await(segment, microseconds(skew), 'priorityZero');
      return;
    }
    this.#weaker = !isStronger;
    if (isStronger || !this.preempts) this.#await(segment);
  }

  /** A process that ends says nothing more. */
  halt(): void {
    this.#stop();
    this.#stopWaiting();
  }

  #await(segment: string, delay = masterDownOf(this.priority), wish?: Wish): void {
    this.#waits.get(segment)?.();
    const due = (): void => {
      if (this.role !== 'BACKUP') return;
      const isWeaker = this.#weaker;
      this.#weaker = false;
      this.#hands.wish(wish ?? (isWeaker ? 'preemption' : 'masterDown'));
    };
    this.#waits.set(segment, this.#time.after(delay, due));
  }

  #stopWaiting(): void {
    for (const cancel of this.#waits.values()) cancel();
    this.#waits.clear();
  }
}
