/**
 * What became of each problem: when it began, ended and was acknowledged. Fed with everything that
 * is seen now, a few times a minute at least; keeps what has ended for an hour. Instants are
 * wall-clock times, because they outlive the boot; a clock that is set back lets an ended problem
 * stay longer, never shorter than it should. Pure but for its own memory.
 */
import { seconds, subtractTime, type Microseconds } from '../../base/time.js';
import type { Problem } from '../../control/statusAnswer.js';
import type { ProblemRecord } from '../problemTable/record.js';
import { isProblemCode, problemTable, type Finding } from '../problemTable/table.js';
import { isoTime } from '../../base/isoTime.js';

export interface ShownProblems {
  /** Going on, or of a lasting kind and neither acknowledged nor an hour old. */
  readonly problems: readonly Problem[];
  /** Of other kinds: ended within the hour and not acknowledged. */
  readonly endedProblems: readonly Problem[];
}

/** How long one that has ended is remembered. */
const memory = seconds(3_600);
/** A daemon that has just started sees some of what goes on only after a while. */
const startGrace = seconds(15);
/** Of a machine gone mad; the oldest that have ended give way. */
const mostRecords = 256;

export class ProblemLog {
  readonly #records: Map<string, ProblemRecord>;
  readonly #startedAt: Microseconds;
  /** Seen, but not for long enough: by monotonic time. */
  readonly #waiting = new Map<string, Microseconds>();
  /** Going on when the process before this one was last heard of, and not seen by this one yet. */
  readonly #inherited: Set<string>;
  #generation = 0;

  /** `saved`: of an earlier run. `now` is monotonic. */
  constructor(saved: readonly ProblemRecord[], now: Microseconds) {
    this.#startedAt = now;
    this.#records = new Map(saved.map((record) => [keyOf(record.problem), record]));
    this.#inherited = new Set(
      saved.filter(({ ended }) => ended === undefined).map(({ problem }) => keyOf(problem)),
    );
  }

  /** Grows with each beginning, end and acknowledgement: what has to be saved. */
  get generation(): number {
    return this.#generation;
  }

  get records(): readonly ProblemRecord[] {
    return [...this.#records.values()];
  }

  /** `findings` is everything that is seen now; what is not among them has ended. */
  observe(findings: readonly Finding[], now: Microseconds, wallClock: Microseconds): void {
    const seen = new Map<string, Finding>();
    // The first of two that are about the same thing is the more precise one.
    for (const finding of findings) {
      const key = keyOf(finding);
      if (!seen.has(key)) seen.set(key, finding);
    }
    for (const [key, finding] of seen) this.#see(key, finding, now, wallClock);
    for (const key of [...this.#waiting.keys()]) if (!seen.has(key)) this.#waiting.delete(key);
    for (const [key, record] of [...this.#records]) {
      if (record.ended === undefined && !seen.has(key)) this.#end(key, record, now, wallClock);
      else if (isForgotten(record, wallClock)) this.#forget(key);
    }
    this.#bound();
  }

  /**
   * Those that `suits`: one that has ended is no longer shown; one that goes on stays until its
   * end, and is not shown after it. Gives how many.
   */
  acknowledge(suits: (record: ProblemRecord) => boolean, wallClock: Microseconds): number {
    const chosen = [...this.#records].filter(
      ([, record]) => record.acknowledged === undefined && suits(record),
    );
    for (const [key, record] of chosen) {
      this.#set(key, { ...record, acknowledged: wallClock });
    }
    return chosen.length;
  }

  shown(wallClock: Microseconds): ShownProblems {
    const all = this.records.filter(
      (record) =>
        record.ended === undefined ||
        (record.acknowledged === undefined && !isForgotten(record, wallClock)),
    );
    const counts = (record: ProblemRecord): boolean =>
      record.ended === undefined || isLasting(record.problem);
    return {
      problems: all.filter(counts).map(toShown),
      endedProblems: all.filter((record) => !counts(record)).map(toShown),
    };
  }

  #see(key: string, finding: Finding, now: Microseconds, wallClock: Microseconds): void {
    const { after, ...problem } = finding;
    const known = this.#records.get(key);
    this.#inherited.delete(key);
    if (known !== undefined && known.ended === undefined) {
      // The text may tell more than before; that alone is not worth a write.
      this.#records.set(key, { ...known, problem });
      return;
    }
    if (after !== undefined) {
      const since = this.#waiting.get(key) ?? now;
      this.#waiting.set(key, since);
      if (subtractTime(now, since) < after) return;
      this.#waiting.delete(key);
    }
    this.#set(key, { problem, begun: wallClock, times: (known?.times ?? 0) + 1 });
  }

  #end(key: string, record: ProblemRecord, now: Microseconds, wallClock: Microseconds): void {
    if (this.#inherited.has(key)) {
      if (subtractTime(now, this.#startedAt) < startGrace) return;
      this.#inherited.delete(key);
    }
    this.#set(key, { ...record, ended: wallClock });
  }

  #set(key: string, record: ProblemRecord): void {
    // The newest stands last.
    this.#records.delete(key);
    this.#records.set(key, record);
    this.#generation++;
  }

  #forget(key: string): void {
    this.#records.delete(key);
    this.#generation++;
  }

  #bound(): void {
    for (const [key, { ended }] of [...this.#records]) {
      if (this.#records.size <= mostRecords) return;
      if (ended !== undefined) this.#forget(key);
    }
  }
}

function keyOf({ code, subject }: Problem): string {
  return subject === undefined ? code : `${code} ${subject}`;
}

function isLasting({ code }: Problem): boolean {
  return isProblemCode(code) && problemTable[code].isLasting === true;
}

function isForgotten({ ended }: ProblemRecord, wallClock: Microseconds): boolean {
  return ended !== undefined && subtractTime(wallClock, ended) >= memory;
}

function toShown({ problem, begun, ended, acknowledged, times }: ProblemRecord): Problem {
  return {
    ...problem,
    begun: isoTime(begun),
    ...(ended === undefined ? {} : { ended: isoTime(ended) }),
    ...(acknowledged === undefined ? {} : { acknowledged: isoTime(acknowledged) }),
    times,
    lasting: isLasting(problem),
  };
}
