/**
 * The problem log of a running node: fed once a second, kept in the state file, acknowledged by the
 * operator.
 */
import { seconds, subtractTime, type Clock, type Microseconds } from '../../base/time.js';
import { refusal, type ControlResult } from '../../control/protocol.js';
import type { DoneAnswer } from '../../control/statusAnswer.js';
import type { ProblemRecord } from '../problemTable/record.js';
import { ProblemLog, type ShownProblems } from './problemLog.js';
import { isProblemCode, problemTable, type Finding } from '../problemTable/table.js';

/** Where records outlive the process. */
export interface ProblemStore {
  readonly problems: readonly ProblemRecord[];
  saveProblems(records: readonly ProblemRecord[]): void;
  /** Whether the peer is known as a keepstate. */
  notePeer(isKeepstate: boolean): void;
}

/** Which problems an operator has seen. `ended`: all that are over. `all`: also what goes on. */
export type AcknowledgeRequest =
  | { readonly which: 'ended' }
  | { readonly which: 'all' }
  | { readonly which: 'code'; readonly code: string };

/** Two ends within a second are one write. */
const savePause = seconds(1);

export class ProblemKeeper {
  readonly #clock: Clock;
  readonly #store: ProblemStore;
  readonly #noted: (records: readonly ProblemRecord[]) => void;
  readonly #log: ProblemLog;
  #savedGeneration = 0;
  #savedAt: Microseconds | undefined;

  /** `noted` hears after each look what goes on, and what has ended within the hour. */
  constructor(
    clock: Clock,
    store: ProblemStore,
    noted: (records: readonly ProblemRecord[]) => void = () => undefined,
  ) {
    this.#clock = clock;
    this.#noted = noted;
    this.#store = store;
    this.#log = new ProblemLog(store.problems, clock.now());
  }

  observe(findings: readonly Finding[]): void {
    const now = this.#clock.now();
    this.#log.observe(findings, now, this.#clock.wallClock());
    this.#noted(this.#log.records);
    const isSoon = this.#savedAt !== undefined && subtractTime(now, this.#savedAt) < savePause;
    if (!isSoon) this.save();
  }

  shown(): ShownProblems {
    return this.#log.shown(this.#clock.wallClock());
  }

  /** Writes where something began, ended or was acknowledged since the last time. */
  save(): void {
    if (this.#log.generation === this.#savedGeneration) return;
    this.#savedGeneration = this.#log.generation;
    this.#savedAt = this.#clock.now();
    this.#store.saveProblems(this.#log.records);
  }

  acknowledge(request: AcknowledgeRequest): ControlResult {
    if (request.which === 'code' && !isProblemCode(request.code)) {
      const known = Object.keys(problemTable).sort().join(', ');
      const message = `there is no problem of the code ${JSON.stringify(request.code.slice(0, 64))}`;
      return refusal('unknown-problem', message, `use one of these codes: ${known}`);
    }
    // Whoever says that the peer is no keepstate any more need not say so again.
    const isOtherPeer = request.which === 'code' && request.code === 'peer-channel-silent';
    if (isOtherPeer) this.#store.notePeer(false);
    const count = this.#log.acknowledge(suits(request), this.#clock.wallClock());
    this.save();
    const goOn = this.#log.records.filter(
      (record) =>
        suits(request)(record) && record.acknowledged !== undefined && record.ended === undefined,
    ).length;
    const rest = goOn === 0 ? '' : `; ${goOn} of them still going on, and shown until the end`;
    const result: DoneAnswer = {
      message: acknowledgedText(count, rest, isOtherPeer),
      counts: { acknowledged: count },
      durationMs: 0,
    };
    return { ok: true, result };
  }
}

function suits(request: AcknowledgeRequest): (record: ProblemRecord) => boolean {
  switch (request.which) {
    case 'all':
      return () => true;
    case 'code':
      return ({ problem }) => problem.code === request.code;
    case 'ended':
      return ({ ended }) => ended !== undefined;
  }
}

function acknowledgedText(count: number, rest: string, isOtherPeer: boolean): string {
  if (count > 0) return `${plural(count)} acknowledged${rest}`;
  return isOtherPeer
    ? 'noted: the peer is no keepstate any more, until one is heard'
    : 'nothing to acknowledge';
}

function plural(count: number): string {
  return count === 1 ? '1 problem' : `${count} problems`;
}
