/**
 * A thread of a simulated process: where the product's code runs. It may stand still, be late or
 * end; what is due meanwhile waits, and then timers come before sockets, as in the event loop of
 * Node.js. All that a thread does at one instant, its promises too, is over before another runs.
 */
import {
  microseconds,
  type ArmedTimer,
  type Clock,
  type Microseconds,
  type Timers,
  type Turns,
} from '../../../src/base/time.js';
import { enterThread, type EnteredThread } from '../kernel/simulatedAddon.js';
import type { Kernel } from '../kernel/kernel.js';
import type { NetworkPorts } from '../kernel/kernelPorts.js';
import { settlePromises } from './microtasks.js';
import type { SeededRandom } from '../../support/base/seededRandom.js';
import type { World } from './world.js';

/** What one boot of a machine shares. */
export interface ThreadHost {
  readonly name: string;
  readonly kernel: Kernel;
  /** Microseconds that the monotonic clock of this boot is ahead of the world's. */
  readonly clockOffset: number;
  /** Microseconds by which somebody set the wall clock. */
  wallClockStep: number;
}

interface Deferred {
  readonly isTimer: boolean;
  readonly due: number;
  readonly order: number;
  readonly run: () => void;
}

/** A turn of the event loop takes this long, in microseconds. */
const turnMicroseconds = 30;
/** SystemTimers adds 1 ms, and Node.js counts whole milliseconds. */
const longestLateness = 2_000;

/** Rejections that nobody handles reach the thread in which they happened. */
let running: ((error: unknown) => void) | undefined;
let isListening = false;

export class SimulatedThread {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly turns: Turns;
  /** What the model of the kernel knows this thread by. */
  readonly ofKernel: EnteredThread;
  /** Links and addresses, as this thread sees them. */
  readonly network: NetworkPorts;
  readonly host: ThreadHost;
  readonly name: string;
  readonly #world: World;
  readonly #random: SeededRandom;
  readonly #onDeath: (because: string) => void;
  #frozenUntil = 0;
  #deferred: Deferred[] = [];
  #order = 0;
  #isAlive = true;
  #armed = 0;

  /** `onDeath`: an error that nobody caught ended it. */
  constructor(world: World, host: ThreadHost, name: string, onDeath: (because: string) => void) {
    this.#world = world;
    this.host = host;
    this.name = name;
    this.#onDeath = onDeath;
    this.#random = world.random(`thread ${name}`);
    const now = (): Microseconds => microseconds(world.now() + host.clockOffset);
    this.clock = {
      now,
      wallClock: () => microseconds(world.clock.wallClock() + host.wallClockStep),
    };
    this.timers = { after: (delay, callback) => this.#after(delay, callback) };
    this.turns = {
      next: (callback) => {
        world.queue.after(turnMicroseconds, () => this.#happens(false, callback));
      },
    };
    const wakeUps: Timers = {
      after: (delay, callback) => {
        const due = microseconds(now() + Math.max(0, delay));
        return world.queue.after(delay, () => this.#happens(false, () => callback(due)));
      },
    };
    this.ofKernel = { kernel: host.kernel, timers: wakeUps };
    this.network = host.kernel.network.portsOf(this.ofKernel);
    listenForRejections();
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  get isFrozen(): boolean {
    return this.#world.now() < this.#frozenUntil;
  }

  /** Timers that are armed now. */
  get armed(): number {
    return this.#armed;
  }

  /** `run` in this thread, after `delay` microseconds, as a message or a datagram comes. */
  later(delay: number, run: () => void): void {
    this.#world.queue.after(delay, () => this.#happens(false, run));
  }

  /** `run` in this thread, now: the caller is the world and no other thread. */
  now(run: () => void): void {
    if (!this.#isAlive) return;
    this.#enter(run);
  }

  /** Nothing runs for so many microseconds. */
  freeze(duration: number): void {
    const until = this.#world.now() + duration;
    if (until <= this.#frozenUntil) return;
    this.#frozenUntil = until;
    this.#world.queue.at(until, () => this.#thaw(until));
  }

  /** What it was about to do never happens. Its sockets are closed. */
  end(): void {
    if (!this.#isAlive) return;
    this.#isAlive = false;
    this.#deferred = [];
    this.host.kernel.closeSocketsOf(this.ofKernel);
  }

  #after(delay: Microseconds, callback: (due: Microseconds) => void): ArmedTimer {
    const world = this.#world;
    const due = microseconds(this.clock.now() + Math.max(0, delay));
    const late = this.#random.below(longestLateness);
    this.#armed++;
    let isOver = false;
    const over = (): boolean => {
      if (isOver) return true;
      isOver = true;
      this.#armed--;
      return false;
    };
    const appointment = world.queue.at(world.now() + Math.max(0, delay) + late, () => {
      this.#happens(true, () => {
        if (!over()) callback(due);
      });
    });
    return {
      cancel: () => {
        if (!over()) appointment.cancel();
      },
    };
  }

  #happens(isTimer: boolean, run: () => void): void {
    if (!this.#isAlive) return;
    if (this.isFrozen) {
      this.#deferred.push({ isTimer, due: this.#world.now(), order: this.#order++, run });
    } else this.#enter(run);
  }

  #thaw(until: number): void {
    if (until !== this.#frozenUntil || !this.#isAlive) return;
    const waiting = this.#deferred;
    this.#deferred = [];
    waiting.sort(
      (a, b) => Number(b.isTimer) - Number(a.isTimer) || a.due - b.due || a.order - b.order,
    );
    for (const { run } of waiting) {
      if (!this.isAlive) return;
      this.#enter(run);
    }
  }

  #enter(run: () => void): void {
    const before = running;
    running = (error) => {
      this.died(error);
    };
    enterThread(this.ofKernel);
    try {
      run();
      settlePromises();
    } catch (error) {
      this.died(error);
    } finally {
      running = before;
    }
  }

  /** An error that nobody caught. */
  died(error: unknown): void {
    if (!this.#isAlive) return;
    const because = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.end();
    this.#onDeath(because);
  }
}

function listenForRejections(): void {
  if (isListening) return;
  isListening = true;
  process.on('unhandledRejection', (error) => {
    if (running === undefined) throw error;
    running(error);
  });
}
