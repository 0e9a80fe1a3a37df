/**
 * The kernel's count of flows beside that of the internal cache. At each comparison of content
 * their difference is remembered: what the filter ignores, and this node's own. Counting costs
 * nothing, so it goes on between two comparisons; when the difference moves, when the role changes
 * and when the cache was emptied, content is to be compared. Pure.
 */
import { seconds, subtractTime, type Microseconds } from '../../base/time.js';

/** So far may the difference move, in flows and as a share of the kernel's. */
const leastMove = 100;
const movedShare = 0.01;
/** Events that are still to be read move it for a moment: so many readings in a row count. */
const readingsThatCount = 3;
/** A comparison by itself comes no sooner than this after the last one. */
const pause = seconds(60);

const emptied = 'the internal cache was emptied: it is filled again from the kernel';
const moved = 'the kernel holds other flows than the internal cache';

/** What a comparison found, and the counts at its end. */
export interface Compared {
  readonly startedAt: Microseconds;
  readonly endedAt: Microseconds;
  /** Flows of the kernel that the filter ignores. */
  readonly ignored: number;
  /** undefined where the kernel does not say it. */
  readonly kernel: number | undefined;
  readonly cache: number;
}

/** Why content is to be compared now. */
export interface ComparisonDue {
  readonly because: string;
  /** The cache lacks everything: the peer is sent the whole of it afterwards. */
  readonly isEmptied: boolean;
}

export class KernelBalance {
  #difference: number | undefined;
  #ignored: number | undefined;
  #kernel: number | undefined;
  #moves = 0;
  #comparedAt: Microseconds | undefined;
  #emptiedAt: Microseconds | undefined;
  #roleChangedAt: Microseconds | undefined;

  /** Flows of the kernel at the last reading. */
  get kernel(): number | undefined {
    return this.#kernel;
  }

  /** Of these, those that the filter ignores, at the last comparison. */
  get ignored(): number | undefined {
    return this.#ignored;
  }

  /**
   * Why the internal cache may not be what the kernel holds; undefined where nothing speaks for
   * that.
   */
  get doubt(): string | undefined {
    if (this.#emptiedAt !== undefined) return emptied;
    return this.isApart ? moved : undefined;
  }

  /** The cache lacks everything until a comparison that began behind its emptying has ended. */
  get isEmptied(): boolean {
    return this.#emptiedAt !== undefined;
  }

  /** The two counts part in a way that the last comparison does not explain. */
  get isApart(): boolean {
    return this.#moves >= readingsThatCount;
  }

  /** About once a second. `cache`: flows of the kernel that this daemon knows of. */
  read(kernel: number, cache: number): void {
    this.#kernel = kernel;
    if (this.#difference === undefined) return;
    const move = Math.abs(kernel - cache - this.#difference);
    this.#moves = move > Math.max(leastMove, movedShare * kernel) ? this.#moves + 1 : 0;
  }

  compared({ startedAt, endedAt, ignored, kernel, cache }: Compared): void {
    this.#comparedAt = endedAt;
    this.#ignored = ignored;
    this.#kernel = kernel;
    this.#difference = kernel === undefined ? undefined : kernel - cache;
    this.#moves = 0;
    // What began before that has perhaps passed by its place.
    if (this.#emptiedAt !== undefined && startedAt >= this.#emptiedAt) this.#emptiedAt = undefined;
    if (this.#roleChangedAt !== undefined && startedAt >= this.#roleChangedAt) {
      this.#roleChangedAt = undefined;
    }
  }

  /** By a verb. */
  emptied(now: Microseconds): void {
    this.#emptiedAt = now;
  }

  roleChanged(now: Microseconds): void {
    this.#roleChangedAt = now;
  }

  /** Asked about once a second. */
  due(now: Microseconds): ComparisonDue | undefined {
    if (this.#emptiedAt !== undefined) return { because: emptied, isEmptied: true };
    const isEarly = this.#comparedAt !== undefined && subtractTime(now, this.#comparedAt) < pause;
    if (isEarly) return undefined;
    if (this.isApart) return { because: moved, isEmptied: false };
    return this.#roleChangedAt === undefined
      ? undefined
      : { because: 'the role changed', isEmptied: false };
  }
}
