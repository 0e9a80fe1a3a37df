/**
 * One virtual world: its time, its chance, and what is told of it. Chance has a source of its own
 * for each purpose, so that leaving one event out of a life changes as little else as possible.
 */
import {
  microseconds,
  type Clock,
  type Microseconds,
  type Timers,
} from '../../../src/base/time.js';
import { SeededRandom } from '../../support/base/seededRandom.js';
import type { PromiseName } from '../invariants/promises.js';
import { EventQueue } from './eventQueue.js';

/** One line of a story. */
export interface Told {
  /** Virtual microseconds since the life began. */
  readonly at: number;
  /** Node, client or `world`. */
  readonly who: string;
  readonly text: string;
}

/** A promise to the operator that was broken. */
export interface Violation {
  /** Name of the invariant. */
  readonly invariant: PromiseName;
  readonly at: number;
  readonly text: string;
}

export interface WorldOptions {
  /** The story is kept. */
  readonly isTold: boolean;
  readonly record?: (line: object) => void;
}

/** 2026-01-01, when the life begins. */
const wallClockOrigin = 1_767_225_600_000_000;

export class World {
  readonly queue = new EventQueue();
  readonly seed: number;
  readonly isTold: boolean;
  readonly story: Told[] = [];
  readonly violations: Violation[] = [];
  /** Of the world itself: no node reads it. */
  readonly clock: Clock = {
    now: () => this.queue.now(),
    wallClock: () => microseconds(wallClockOrigin + this.queue.now()),
  };
  readonly timers: Timers = {
    after: (delay, callback) => {
      const due = microseconds(this.queue.now() + Math.max(0, delay));
      return this.queue.at(due, () => callback(due));
    },
  };

  /** Hears each line of the machines' recorders. */
  readonly record: ((line: object) => void) | undefined;

  constructor(seed: number, { isTold, record }: WorldOptions) {
    this.seed = seed;
    this.isTold = isTold;
    this.record = record;
  }

  now(): Microseconds {
    return this.queue.now();
  }

  /** Chance for one purpose; the same name gives the same numbers in the same life. */
  random(purpose: string): SeededRandom {
    let hash = 0x811c9dc5 ^ this.seed;
    for (let i = 0; i < purpose.length; i++) {
      hash = Math.imul(hash ^ purpose.charCodeAt(i), 0x01000193);
    }
    return new SeededRandom(hash ^ Math.imul(this.seed, 0x9e3779b1));
  }

  tell(who: string, text: () => string): void {
    if (this.isTold) this.story.push({ at: this.now(), who, text: text() });
  }

  violate(invariant: PromiseName, text: string): void {
    this.violations.push({ invariant, at: this.now(), text });
    this.tell('world', () => `BROKEN ${invariant}: ${text}`);
  }
}
