/**
 * Whether the external table has everything that the peer has. A keepstate peer says when its bulk has ended;
 * for a conntrackd peer a bulk counts as complete when the RESYNC was answered and nothing was missing for a
 * second. In ALARM nothing can be asked for: there the peer repeats all of its table within its RefreshTime.
 */
import { addTime, seconds, subtractTime, type Microseconds } from '../base/time.js';

const quiet = seconds(1);

export class CatchUp {
  #isCaughtUp = false;
  #answeredAt: Microseconds | undefined;
  #lost = 0;
  #lostAt: Microseconds | undefined;

  #repeatedAt: Microseconds | undefined;

  get isCaughtUp(): boolean {
    return this.#isCaughtUp;
  }

  /** ALARM, at the start and at a change of role: complete when the peer was heard for `period` from now on. */
  awaitRepetition(now: Microseconds, period: Microseconds): void {
    this.begin();
    this.#repeatedAt = addTime(addTime(now, period), quiet);
  }

  /** ALARM. True at the moment in which the table is complete; `heardAt` is when the peer was heard last. */
  repetition(now: Microseconds, heardAt: Microseconds | undefined, period: Microseconds): boolean {
    if (this.#repeatedAt === undefined || this.#isCaughtUp) return false;
    if (heardAt === undefined) {
      this.#repeatedAt = addTime(addTime(now, period), quiet);
      return false;
    }
    if (now < this.#repeatedAt) return false;
    this.#isCaughtUp = true;
    return true;
  }

  /** A new request was made, or the peer began anew: what is here may be old. */
  begin(): void {
    this.#isCaughtUp = false;
    this.#answeredAt = undefined;
  }

  /** The peer said that all of its bulk was delivered. True where that is news. */
  bulkEnded(): boolean {
    const isNews = !this.#isCaughtUp;
    this.#isCaughtUp = true;
    return isNews;
  }

  /** `answeredAt`: when the RESYNC was answered; `lost`: messages missing so far. True at the moment of it. */
  tick(now: Microseconds, answeredAt: Microseconds | undefined, lost: number): boolean {
    if (lost !== this.#lost) {
      this.#lost = lost;
      this.#lostAt = now;
    }
    if (answeredAt !== undefined && answeredAt !== this.#answeredAt) {
      this.#answeredAt = answeredAt;
      this.#isCaughtUp = false;
    }
    if (this.#isCaughtUp || this.#answeredAt === undefined) return false;
    const since = Math.max(this.#answeredAt, this.#lostAt ?? 0) as Microseconds;
    if (subtractTime(now, since) < quiet) return false;
    this.#isCaughtUp = true;
    return true;
  }
}
