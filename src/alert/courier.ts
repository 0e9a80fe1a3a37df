/**
 * One sink's way through the queue: one alarm after the other, in order, each until it is taken.
 * Its place is noted after each, so that only an alarm that was taken in the moment of a crash is
 * told twice.
 */
import { microseconds, seconds, type ArmedTimer, type Microseconds } from '../base/time.js';
import type { Timers } from '../base/time.js';
import type { Alarm, ProblemAlarm } from './alarm.js';

/** How a sink answered. `reason`: one line for a person. */
export type Delivery =
  { readonly kind: 'taken' } | { readonly kind: 'refused'; readonly reason: string };

/** What is kept of a sink over a restart. */
export interface Place {
  /** Everything up to this sequence number was taken, or was not for this sink. */
  readonly done: number;
  /** Never told: the queue had no room for more. */
  readonly lost: number;
  /** In a row without success: the pauses go on from there. */
  readonly failures: number;
}

export interface CourierPorts {
  readonly timers: Timers;
  readonly deliver: (alarm: Alarm) => Promise<Delivery>;
  readonly isWanted: (alarm: Alarm) => boolean;
  /** Its place is another one. */
  readonly note: () => void;
}

export interface CourierState {
  /** Alarms for this sink that it has not taken. */
  readonly waiting: number;
  readonly taken: number;
  readonly lost: number;
  readonly failures: number;
  /** Of the last failure; absent where the last attempt succeeded. */
  readonly reason?: string;
}

const firstPause = seconds(1);
/** A sink that is back has what waits within this time. */
const longestPause = seconds(30);

/** After so many failures in a row: 1, 2, 4, ... s. */
export function pauseAfter(failures: number): Microseconds {
  const factor = 2 ** Math.min(10, Math.max(0, failures - 1));
  return microseconds(Math.min(longestPause, firstPause * factor));
}

export class Courier {
  readonly #ports: CourierPorts;
  readonly #repeat: Microseconds | undefined;
  readonly #waiting: Alarm[] = [];
  /** By the id of the beginning. */
  readonly #reminders = new Map<string, ArmedTimer>();
  #offered: number;
  #done: number;
  #lost: number;
  #failures: number;
  #reason: string | undefined;
  #taken = 0;
  #isBusy = false;
  #attempting: Promise<void> = Promise.resolve();
  #isClosed = false;
  #pause: ArmedTimer | undefined;

  constructor(ports: CourierPorts, place: Place, repeat?: Microseconds) {
    this.#ports = ports;
    this.#repeat = repeat;
    this.#done = place.done;
    this.#offered = place.done;
    this.#lost = place.lost;
    this.#failures = place.failures;
  }

  get place(): Place {
    return { done: this.#done, lost: this.#lost, failures: this.#failures };
  }

  get state(): CourierState {
    return {
      waiting: this.#waiting.length,
      taken: this.#taken,
      lost: this.#lost,
      failures: this.#failures,
      ...(this.#reason === undefined ? {} : { reason: this.#reason }),
    };
  }

  /** Up to this sequence number nothing is needed again. */
  get settled(): number {
    const first = this.#waiting.find((alarm) => !isReminder(alarm));
    return first === undefined ? this.#offered : first.sequence - 1;
  }

  /** In the order of the sequence; what was taken in an earlier life is passed over. */
  offer(alarm: Alarm): void {
    if (this.#isClosed || alarm.sequence <= this.#offered) return;
    this.#offered = alarm.sequence;
    if (alarm.kind === 'problem' && alarm.problem.state === 'ended') {
      const { beginning } = alarm.problem;
      this.#forgetReminder(beginning);
      this.#remove(
        (one, index) => one.id === beginning && isReminder(one) && !(this.#isBusy && index === 0),
      );
    }
    if (this.#ports.isWanted(alarm)) {
      this.#waiting.push(alarm);
      this.#next();
    } else if (this.#waiting.length === 0) this.#done = alarm.sequence;
  }

  /** A problem goes on that was told in an earlier life. */
  remind(alarm: ProblemAlarm): void {
    if (alarm.sequence <= this.#done && this.#ports.isWanted(alarm)) this.#armReminder(alarm, 1);
  }

  /** The queue has no room for what is not younger than `sequence`: it is counted as lost. */
  drop(sequence: number): void {
    const isDropped = (alarm: Alarm, index: number): boolean =>
      alarm.sequence <= sequence && !isReminder(alarm) && !(this.#isBusy && index === 0);
    const dropped = this.#remove(isDropped);
    if (dropped === 0) return;
    this.#lost += dropped;
    this.#ports.note();
  }

  /** Resolves when what is being delivered has its answer; nothing follows it. */
  async finish(): Promise<void> {
    this.#isClosed = true;
    this.#pause?.cancel();
    for (const key of [...this.#reminders.keys()]) this.#forgetReminder(key);
    await this.#attempting;
  }

  #next(): void {
    const [alarm] = this.#waiting;
    if (alarm === undefined || this.#isBusy || this.#isClosed || this.#pause !== undefined) return;
    this.#isBusy = true;
    this.#attempting = this.#attempt(alarm).then((delivery) => {
      this.#isBusy = false;
      this.#attempted(alarm, delivery);
    });
  }

  async #attempt(alarm: Alarm): Promise<Delivery> {
    try {
      return await this.#ports.deliver(alarm);
    } catch (error) {
      return { kind: 'refused', reason: String(error) };
    }
  }

  #attempted(alarm: Alarm, delivery: Delivery): void {
    if (delivery.kind === 'refused') {
      this.#failures++;
      this.#reason = delivery.reason;
      this.#ports.note();
      if (this.#isClosed) return;
      this.#pause = this.#ports.timers.after(pauseAfter(this.#failures), () => {
        this.#pause = undefined;
        this.#next();
      });
      return;
    }
    this.#waiting.shift();
    this.#taken++;
    this.#failures = 0;
    this.#reason = undefined;
    // A reminder is an older alarm told again.
    this.#done = Math.max(this.#done, alarm.sequence);
    this.#ports.note();
    if (alarm.kind === 'problem' && alarm.problem.state !== 'ended') {
      this.#armReminder(alarm, (alarm.problem.reminder ?? 0) + 1);
    }
    this.#next();
  }

  #armReminder(alarm: ProblemAlarm, count: number): void {
    if (this.#repeat === undefined || this.#isClosed || this.#endWaits(alarm.id)) return;
    this.#forgetReminder(alarm.id);
    const timer = this.#ports.timers.after(this.#repeat, () => {
      this.#reminders.delete(alarm.id);
      const problem = { ...alarm.problem, state: 'goesOn' as const, reminder: count };
      this.#waiting.push({ ...alarm, problem });
      this.#next();
    });
    this.#reminders.set(alarm.id, timer);
  }

  #endWaits(beginning: string): boolean {
    return this.#waiting.some(
      (one) =>
        one.kind === 'problem' &&
        one.problem.state === 'ended' &&
        one.problem.beginning === beginning,
    );
  }

  #forgetReminder(beginning: string): void {
    this.#reminders.get(beginning)?.cancel();
    this.#reminders.delete(beginning);
  }

  /** Gives how many. */
  #remove(suits: (alarm: Alarm, index: number) => boolean): number {
    const before = this.#waiting.length;
    const kept = this.#waiting.filter((alarm, index) => !suits(alarm, index));
    this.#waiting.splice(0, before, ...kept);
    return before - kept.length;
  }
}

function isReminder(alarm: Alarm): boolean {
  return alarm.kind === 'problem' && alarm.problem.state === 'goesOn';
}
