/**
 * Counts the processes that match a `vrrp_track_process`, by looking at /proc once a second. The
 * verdict changes only after `fork_delay` or `terminate_delay` has passed with the new count.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { seconds, type ArmedTimer, type Microseconds, type Timers } from '../../base/time.js';
import type { TrackProcessSettings } from '../settings.js';
import type { TrackVerdict } from './observations.js';

const scanPeriod = seconds(1);
/** TASK_COMM_LEN - 1 of linux/sched.h: the kernel cuts names there. */
const longestName = 15;

/** `argv` is read only when a matcher needs it. */
export interface RunningProcess {
  readonly name: string;
  argv(): readonly string[];
}

export interface ProcessTable {
  list(): Iterable<RunningProcess>;
}

/** Whether `process` is one of those that `settings` asks for. */
export function processMatches(settings: TrackProcessSettings, process: RunningProcess): boolean {
  const [command = '', ...parameters] = settings.words;
  const base = command.slice(command.lastIndexOf('/') + 1);
  if (!settings.fullCommand && process.name !== base.slice(0, longestName)) return false;
  if (!settings.fullCommand && settings.parameterMatch === undefined) return true;
  const [argument0, ...given] = process.argv();
  if (settings.fullCommand && argument0 !== command) return false;
  const wanted = parameters.join('\0');
  const have = given.join('\0');
  if (settings.parameterMatch === undefined) return true;
  switch (settings.parameterMatch) {
    case 'exact':
      return have === wanted;
    case 'initial':
      return have.startsWith(wanted);
    case 'partial':
      return have.includes(wanted);
  }
}

/** Good while quorum <= count <= quorum_max. */
export function quorumVerdict(settings: TrackProcessSettings, count: number): 'good' | 'bad' {
  const tooMany = settings.quorumMax !== undefined && count > settings.quorumMax;
  return count >= settings.quorum && !tooMany ? 'good' : 'bad';
}

interface Watched {
  readonly settings: TrackProcessSettings;
  verdict: TrackVerdict;
  pending: { readonly verdict: TrackVerdict; readonly timer: ArmedTimer } | undefined;
}

/** Watches all configured processes with one scan. */
export class ProcessTracker {
  readonly #ports: { readonly table: ProcessTable; readonly timers: Timers };
  readonly #watched: Watched[];
  readonly #onVerdict: (name: string, verdict: TrackVerdict) => void;
  #timer: ArmedTimer | undefined;

  constructor(
    ports: { readonly table: ProcessTable; readonly timers: Timers },
    settings: readonly TrackProcessSettings[],
    onVerdict: (name: string, verdict: TrackVerdict) => void,
  ) {
    this.#ports = ports;
    this.#watched = settings.map((one) => ({
      settings: one,
      verdict: 'unknown',
      pending: undefined,
    }));
    this.#onVerdict = onVerdict;
  }

  start(): void {
    if (this.#watched.length === 0) return;
    this.#scan();
    this.#timer = this.#ports.timers.after(scanPeriod, () => this.start());
  }

  close(): void {
    this.#timer?.cancel();
    for (const watched of this.#watched) watched.pending?.timer.cancel();
    this.#watched.length = 0;
  }

  #scan(): void {
    const counts = this.#watched.map(() => 0);
    for (const process of this.#ports.table.list()) {
      this.#watched.forEach((watched, i) => {
        if (processMatches(watched.settings, process)) counts[i] = (counts[i] ?? 0) + 1;
      });
    }
    this.#watched.forEach((watched, i) => {
      const verdict = quorumVerdict(watched.settings, counts[i] ?? 0);
      const { forkDelay, terminateDelay } = watched.settings;
      this.#judge(watched, verdict, verdict === 'good' ? forkDelay : terminateDelay);
    });
  }

  #judge(watched: Watched, verdict: TrackVerdict, delay: Microseconds): void {
    if (watched.pending !== undefined && watched.pending.verdict !== verdict) {
      watched.pending.timer.cancel();
      watched.pending = undefined;
    }
    if (verdict === watched.verdict || watched.pending !== undefined) return;
    const settle = (): void => {
      watched.pending = undefined;
      watched.verdict = verdict;
      this.#onVerdict(watched.settings.name, verdict);
    };
    if (watched.verdict === 'unknown' || delay === 0) settle();
    else watched.pending = { verdict, timer: this.#ports.timers.after(delay, settle) };
  }
}

/** /proc itself. A process that ends while we look is no longer there: skipped. */
export const procTable: ProcessTable = {
  *list() {
    for (const pid of readdirSync('/proc')) {
      if (!/^\d+$/.test(pid)) continue;
      const name = readProc(`/proc/${pid}/comm`);
      if (name === undefined) continue;
      yield {
        name: name.trimEnd(),
        argv: () => (readProc(`/proc/${pid}/cmdline`) ?? '').split('\0').slice(0, -1),
      };
    }
  },
};

function readProc(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Ended in the meantime.
    return undefined;
  }
}
