/**
 * Keeps a sync worker alive: starts it, tells its end, starts it again with growing pauses, and
 * pairs commands with their results. VRRP never waits for it. Knows nothing of roles.
 */
import { errorText } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import {
  addTime,
  milliseconds,
  seconds,
  subtractTime,
  toMilliseconds,
  type ArmedTimer,
  type Clock,
  type Microseconds,
  type Timers,
} from '../../base/time.js';
import type {
  StatisticsStatus,
  SyncCommand,
  SyncReport,
  SyncRequest,
  SyncStatus,
} from '../../sync/messages.js';
import type { WorkerSettings } from '../../sync/settings.js';
import { WorkerHeartbeat } from './workerHeartbeat.js';

/** A started worker: a thread (syncThread.ts), a fake in tests. */
export interface WorkerHandle {
  post(command: SyncCommand): void;
  /** Resolves when the thread has ended. */
  terminate(): Promise<void>;
}

export interface WorkerListener {
  report(report: SyncReport): void;
  /** The thread ended: its exit code or the error that killed it. */
  ended(because: string): void;
}

export type StartWorker = (listener: WorkerListener) => WorkerHandle;

/** With what each worker is started. */
export interface SupervisorOptions {
  readonly settings: WorkerSettings;
  readonly listingPath: string;
  /** For conntrackd's own client. */
  readonly clientPath: string | undefined;
  /** The worker reports the events of its role machine. */
  readonly records?: boolean;
  /** A role drives the engine. */
  readonly hasRole?: boolean;
  /** Those of sync_key, as they are now; undefined where there are none. */
  readonly keys?: () => SyncCommand | undefined;
}

export interface SupervisorPorts {
  readonly start: StartWorker;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly onReport: (report: SyncReport) => void;
  readonly onDown: (because: string) => void;
}

export interface SyncPicture {
  readonly status: SyncStatus | undefined;
  /** Absent where no log of ended connections is kept, and before its first report. */
  readonly statistics?: StatisticsStatus;
  readonly downBecause: string | undefined;
  readonly restarts: number;
  readonly listingPath: string;
}

export type SyncResult = Extract<SyncReport, { kind: 'result' }>;

const firstPause = milliseconds(250);
const longestPause = seconds(10);
/** A life this long was a good one: the next pause is short again. */
const goodLife = seconds(60);
const stopTimeout = seconds(3);
const settlePause = milliseconds(50);
/** A person waits for `status`, and a stop for nobody. */
const refreshTimeout = milliseconds(500);
/**
 * An engine that is started afresh ends its commit first; two reloads in a row are within the
 * command line's 70 s.
 */
const reconfigureTimeout = seconds(30);

export class WorkerSupervisor {
  readonly #ports: SupervisorPorts;
  readonly #options: SupervisorOptions;
  #settings: WorkerSettings;
  #worker: WorkerHandle | undefined;
  #startedAt: Microseconds;
  #pause: Microseconds = firstPause;
  #restart: ArmedTimer | undefined;
  #isStopping = false;
  #restarts = 0;
  #reports = 0;
  #downBecause: string | undefined;
  #lastStatus: SyncStatus | undefined;
  #lastStatistics: StatisticsStatus | undefined;
  #nextId = 1;
  readonly #heartbeat: WorkerHeartbeat;
  readonly #waiting = new Map<number, (result: SyncResult) => void>();

  constructor(ports: SupervisorPorts, options: SupervisorOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#settings = options.settings;
    this.#startedAt = ports.clock.now();
    this.#heartbeat = new WorkerHeartbeat(
      ports.timers,
      () => this.#reports,
      () => this.#silent(),
    );
  }

  /** The worker's last word on itself; undefined before the first, and while it is down. */
  get status(): SyncStatus | undefined {
    return this.#lastStatus;
  }

  get restarts(): number {
    return this.#restarts;
  }

  /** Why no worker runs; undefined while one does. */
  get downBecause(): string | undefined {
    return this.#downBecause;
  }

  /** For `status`. */
  get picture(): SyncPicture {
    const statistics = this.#lastStatistics;
    return {
      status: this.#lastStatus,
      ...(statistics === undefined ? {} : { statistics }),
      downBecause: this.#downBecause,
      restarts: this.#restarts,
      listingPath: this.#options.listingPath,
    };
  }

  /** Whether these are other settings than the engine has. */
  needs(settings: WorkerSettings): boolean {
    return JSON.stringify(settings) !== JSON.stringify(this.#settings);
  }

  start(): void {
    const { start, clock } = this.#ports;
    this.#startedAt = clock.now();
    this.#downBecause = undefined;
    // A late word of a worker that is gone must not be taken for its successor's.
    let isCurrent = true;
    const listener: WorkerListener = {
      report: (report) => {
        if (isCurrent) this.#reported(report);
      },
      ended: (because) => {
        if (!isCurrent) return;
        isCurrent = false;
        this.#ended(because);
      },
    };
    let worker: WorkerHandle;
    try {
      worker = start(listener);
    } catch (error) {
      // No thread or descriptor was left: as though it had died at once.
      listener.ended(errorText(error));
      return;
    }
    this.#worker = worker;
    this.#heartbeat.start();
    this.#postKeys();
    const first = this.#firstCommand();
    if (first !== undefined) worker.post(first);
  }

  /** Dropped while no worker runs: a new one is told all it needs. */
  post(command: SyncCommand): void {
    this.#worker?.post(command);
  }

  /**
   * Resolves with the worker's answer; with a refusal when it is down, dies, or stays silent for
   * `timeout`.
   */
  request(request: SyncRequest, timeout: Microseconds): Promise<SyncResult> {
    return this.#ask((id) => ({ kind: 'request', id, request }), timeout);
  }

  /** Refreshes the cached status; keeps the old one if the worker is busy. */
  async refresh(): Promise<void> {
    await this.request({ verb: 'stats' }, refreshTimeout);
  }

  /**
   * Resolves when no table is on its way between the nodes (a resync or a bulk takes moments), or
   * `timeout` is over. Then the status tells which.
   */
  async settled(timeout: Microseconds): Promise<void> {
    const { clock, timers } = this.#ports;
    const until = addTime(clock.now(), timeout);
    await this.refresh();
    while (this.#lastStatus?.state === 'synchronising' && clock.now() < until) {
      await new Promise<void>((resolve) => timers.after(settlePause, () => resolve()));
      await this.refresh();
    }
  }

  /**
   * After a reload; resolves with what became of it, for the operator. The settings also hold for
   * each later start.
   */
  async reconfigure(settings: WorkerSettings): Promise<string> {
    this.#settings = settings;
    this.#postKeys();
    const { ok, message } = await this.#ask(
      (id) => ({ kind: 'reconfigure', id, settings }),
      reconfigureTimeout,
    );
    return ok
      ? `sync engine: ${message}`
      : `${message}; it goes by the new settings when its present work ends, or from its next start`;
  }

  /** Before the settings that name them. */
  #postKeys(): void {
    const command = this.#options.keys?.();
    if (command !== undefined) this.#worker?.post(command);
  }

  /** Asks the worker to end by itself, then ends it. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#restart?.cancel();
    this.#heartbeat.stop();
    const worker = this.#worker;
    if (worker === undefined) return;
    await this.#ask((id) => ({ kind: 'stop', id }), stopTimeout);
    this.#worker = undefined;
    await worker.terminate();
  }

  /** What a worker is told first; undefined where there is nothing for it to do. */
  #firstCommand(): SyncCommand | undefined {
    const { listingPath, clientPath, records, hasRole } = this.#options;
    const { sync, statistics } = this.#settings;
    const paths = { listingPath, ...(clientPath === undefined ? {} : { clientPath }) };
    if (sync !== undefined) {
      return {
        kind: 'start',
        settings: sync,
        ...paths,
        ...(records === true ? { records } : {}),
        ...(statistics === undefined ? {} : { statistics }),
        ...(hasRole === true ? { hasRole } : {}),
      };
    }
    return statistics === undefined ? undefined : { kind: 'startStatistics', statistics, ...paths };
  }

  #ask(command: (id: number) => SyncCommand, timeout: Microseconds): Promise<SyncResult> {
    const worker = this.#worker;
    const id = this.#nextId++;
    if (worker === undefined) {
      return Promise.resolve(
        refused(id, `the sync engine is down: ${this.#downBecause ?? 'not started'}`),
      );
    }
    return new Promise((resolve) => {
      const timer = this.#ports.timers.after(timeout, () => {
        settle(refused(id, `the sync engine did not answer within ${toMilliseconds(timeout)} ms`));
      });
      const settle = (result: SyncResult): void => {
        timer.cancel();
        this.#waiting.delete(id);
        resolve(result);
      };
      this.#waiting.set(id, settle);
      worker.post(command(id));
    });
  }

  /** It hangs. Its end is told by the thread itself, as that of any other. */
  #silent(): void {
    this.#ports.logger.log('error', 'the sync engine hangs: it is ended');
    void this.#worker?.terminate();
  }

  #reported(report: SyncReport): void {
    this.#reports++;
    if (report.kind === 'status') this.#lastStatus = report.status;
    if (report.kind === 'statistics') this.#lastStatistics = report.status;
    if (report.kind === 'result') this.#waiting.get(report.id)?.(report);
    this.#ports.onReport(report);
  }

  #ended(because: string): void {
    const { clock, timers, logger, onDown } = this.#ports;
    this.#heartbeat.stop();
    this.#worker = undefined;
    this.#lastStatus = undefined;
    this.#lastStatistics = undefined;
    this.#downBecause = because;
    for (const [id, settle] of this.#waiting)
      settle(refused(id, `the sync engine died: ${because}`));
    if (this.#isStopping) return;
    if (subtractTime(clock.now(), this.#startedAt) > goodLife) this.#pause = firstPause;
    logger.log('error', 'the sync engine died', {
      reason: because,
      restartInMs: toMilliseconds(this.#pause),
    });
    onDown(because);
    this.#restart = timers.after(this.#pause, () => {
      this.#restarts++;
      this.start();
    });
    // Both operands are Microseconds, so is the smaller of them.
    this.#pause = Math.min(this.#pause * 2, longestPause) as Microseconds;
  }
}

function refused(id: number, message: string): SyncResult {
  return { kind: 'result', id, ok: false, message, counts: {}, durationMs: 0 };
}
