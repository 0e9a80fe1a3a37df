/** What the main thread and the alert thread tell each other. Plain data. */
import type { Alarm, ProblemAlarm } from './alarm.js';
import type { CommandPolicy, SinkSettings } from './alertSettings.js';

export interface AlertStart {
  readonly sinks: readonly SinkSettings[];
  readonly policy: CommandPolicy;
  /** Where the place of each sink is kept. */
  readonly placesPath: string;
  /** What earlier lives have left in the queue, oldest first. */
  readonly queue: readonly Alarm[];
  /** The newest alarm that was given a number. */
  readonly last: number;
  /** A sink that is not known yet takes what comes behind this sequence number. */
  readonly newSinksFrom: number;
  /** Beginnings of problems that go on. */
  readonly going: readonly ProblemAlarm[];
  readonly version: string;
}

export type AlertOrder =
  | { readonly kind: 'alarm'; readonly alarm: Alarm; readonly file: string }
  /** What stands in the queue up to this number is overwritten. */
  | { readonly kind: 'overwritten'; readonly sequence: number }
  /** The thread ends when what is being delivered has its answer. */
  | { readonly kind: 'finish' }
  /** Commands that run are ended with their groups. */
  | { readonly kind: 'kill' };

/** One sink, as far as status tells it. */
export interface SinkStatus {
  readonly name: string;
  readonly waiting: number;
  readonly taken: number;
  readonly lost: number;
  /** Failures in a row. */
  readonly failures: number;
  readonly reason?: string;
}

/** Told after each change, at most a few times a second. */
export interface AlertReport {
  readonly sinks: readonly SinkStatus[];
  /** The newest alarm that the thread knows. */
  readonly last: number;
  /** Up to this sequence number no sink needs anything again. */
  readonly settled: number;
  /** Why the places of sinks cannot be written; absent while they can. */
  readonly unsaved?: string;
  /** Why the places of an earlier life could not be read. */
  readonly damage?: string;
}
