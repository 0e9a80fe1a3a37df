/**
 * Whether the external table has everything that the peer has. A keepstate peer says when its bulk
 * has ended, and only one that began after our request counts. For a conntrackd peer, or where the
 * peer channel is silent, a bulk counts as complete when the RESYNC was answered and nothing was
 * missing for a second. In ALARM nothing can be asked for: there the peer repeats all of its table
 * within its RefreshTime.
 */
import { addTime, seconds, subtractTime, type Microseconds } from '../../base/time.js';
import { sequenceDistance } from '../wire/header.js';

const quiet = seconds(1);
/**
 * A peer that is there and never announces the end is not waited for any longer: the purge waits
 * for it.
 */
const longestBulk = seconds(300);

export class CatchUp {
  #isCaughtUp = false;
  #answeredAt: Microseconds | undefined;
  /**
   * The first number of the peer that a bulk in answer to the request can begin with; undefined:
   * any.
   */
  #from: number | undefined;
  /**
   * When the peer was last there that announces the ends of its bulks, and since when its end is
   * waited for.
   */
  #announcedAt: Microseconds | undefined;
  #waitsSince: Microseconds | undefined;
  #lost = 0;
  #lostAt: Microseconds | undefined;

  #repeatedAt: Microseconds | undefined;

  get isCaughtUp(): boolean {
    return this.#isCaughtUp;
  }

  /**
   * ALARM, at the start and at a change of role: complete when the peer was heard for `period` from
   * now on.
   */
  awaitRepetition(now: Microseconds, period: Microseconds): void {
    this.begin();
    this.#repeatedAt = addTime(addTime(now, period), quiet);
  }

  /**
   * ALARM. True at the moment in which the table is complete; `heardAt` is when the peer was heard
   * last.
   */
  repetition(now: Microseconds, heardAt: Microseconds | undefined, period: Microseconds): boolean {
    if (this.#repeatedAt === undefined || this.#isCaughtUp) return false;
    if (heardAt === undefined) {
      this.#repeatedAt = addTime(addTime(now, period), quiet);
      return false;
    }
    if (now < this.#repeatedAt) return false;
    this.#complete();
    return true;
  }

  /**
   * A new request was made, or the peer began anew: what it sent before its number `from` may be
   * old.
   */
  begin(from?: number): void {
    this.#isCaughtUp = false;
    this.#answeredAt = undefined;
    this.#from = from;
  }

  /** Whether a bulk that began with number `since` is all that was asked for. */
  answers(since: number): boolean {
    return this.#from === undefined || sequenceDistance(since, this.#from) >= 0;
  }

  /** The peer said that all of a bulk that `answers` was delivered. True where that is news. */
  bulkEnded(): boolean {
    const isNews = !this.#isCaughtUp;
    this.#complete();
    return isNews;
  }

  /** The request was answered longer than `timeout` ago, and yet not all is here. */
  isOverdue(now: Microseconds, timeout: Microseconds): boolean {
    if (this.#isCaughtUp || this.#answeredAt === undefined) return false;
    return subtractTime(now, this.#answeredAt) >= timeout;
  }

  /**
   * `answeredAt`: when the RESYNC was answered; `lost`: messages missing so far; `announces`: a
   * keepstate peer is heard that will say when its bulk has ended. True at the moment in which the
   * table counts as complete.
   */
  tick(
    now: Microseconds,
    answeredAt: Microseconds | undefined,
    lost: number,
    announces = false,
  ): boolean {
    if (lost !== this.#lost) {
      this.#lost = lost;
      this.#lostAt = now;
    }
    this.#answeredAt = answeredAt;
    if (!announces) this.#waitsSince = undefined;
    if (this.#isCaughtUp || answeredAt === undefined) return false;
    if (announces && this.#waitsForEnd(now)) return false;
    const since = Math.max(answeredAt, this.#lostAt ?? 0, this.#announcedAt ?? 0) as Microseconds;
    if (subtractTime(now, since) < quiet) return false;
    this.#complete();
    return true;
  }

  #waitsForEnd(now: Microseconds): boolean {
    this.#waitsSince ??= now;
    if (subtractTime(now, this.#waitsSince) >= longestBulk) return false;
    this.#announcedAt = now;
    return true;
  }

  #complete(): void {
    this.#isCaughtUp = true;
    // Numbers of long ago cannot be compared.
    this.#from = undefined;
    this.#waitsSince = undefined;
  }
}
