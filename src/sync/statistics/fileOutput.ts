/**
 * The log file of connections that ended. One write runs at a time, beside the events; what comes
 * meanwhile waits in bounded memory. A full disk is tried again until it has room, a pipe whose
 * reader is slow until it takes more, and a file that was renamed (logrotate) is left for a new one
 * within a second, or at once when that is asked for.
 */
import { errorText, systemErrorCode } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import { fileErrorText } from '../../base/regularFile.js';
import {
  milliseconds,
  seconds,
  subtractTime,
  type ArmedTimer,
  type Clock,
  type Microseconds,
  type Timers,
} from '../../base/time.js';
import type { StatisticsOutput } from '../messages.js';
import type { LogFiles } from './logFiles.js';
import { WaitingLines } from './waitingLines.js';

export interface FileOutputPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly files: LogFiles;
}

interface Failing {
  readonly since: Microseconds;
  readonly reason: string;
  /** A pipe that is full is no failure of a disk: the status alone tells of it. */
  readonly isPipe: boolean;
}

/** Memory for lines that wait: 80,000 of them. */
const mostWaiting = 16 * 1_048_576;
const retryPause = seconds(1);
/** A pipe of 64 KiB whose reader is fast is empty by then. */
const pipePause = milliseconds(20);
const renameLook = seconds(1);
/** How long the end of the daemon waits for what is not written yet. */
const closeTimeout = seconds(1);

export class FileOutput {
  readonly #path: string;
  readonly #ports: FileOutputPorts;
  readonly #lines: WaitingLines;
  #descriptor: number | undefined;
  #identity = '';
  /** A call of the file system runs, or a pause. */
  #isBusy = false;
  #isMoved = false;
  #isClosed = false;
  #lookedAt: Microseconds;
  #lostAt: Microseconds | undefined;
  #failing: Failing | undefined;
  #pause: ArmedTimer | undefined;
  #drained: () => void = () => undefined;

  constructor(path: string, ports: FileOutputPorts, limit = mostWaiting) {
    this.#path = path;
    this.#ports = ports;
    this.#lines = new WaitingLines(limit);
    this.#lookedAt = ports.clock.now();
    // conntrackd makes the file when it starts.
    this.#pump();
  }

  get status(): StatisticsOutput {
    return {
      kind: 'file',
      target: this.#path,
      ...this.#lines.counts,
      ...(this.#lostAt === undefined ? {} : { lostAt: this.#lostAt }),
      ...(this.#failing === undefined
        ? {}
        : { failingSince: this.#failing.since, reason: this.#failing.reason }),
    };
  }

  /** `lines` whole lines, copied. */
  write(bytes: Uint8Array, lines: number): void {
    if (!this.#lines.append(bytes, lines)) this.#lostAt = this.#ports.clock.now();
    if (!this.#isBusy) this.#pump();
  }

  /** The next line goes into the file that then stands under the name. */
  reopen(): void {
    this.#isMoved = true;
    if (!this.#isBusy) this.#pump();
  }

  /** Resolves when all is written, or a moment later. */
  async close(): Promise<void> {
    if (!this.#lines.isEmpty) {
      await new Promise<void>((resolve) => {
        this.#drained = resolve;
        this.#ports.timers.after(closeTimeout, () => {
          resolve();
        });
      });
    }
    this.#isClosed = true;
    if (this.#pause !== undefined) this.#isBusy = false;
    this.#pause?.cancel();
    this.#lines.clear();
    // One that a write still runs on is closed by the end of the process.
    if (!this.#isBusy) this.#forget();
  }

  #pump(): void {
    this.#isBusy = true;
    this.#step().then(
      (pause) => {
        this.#stepped(pause);
      },
      (error: unknown) => {
        this.#failed(error);
      },
    );
  }

  /**
   * A pause after which the next step is due; undefined: at once, where there is something to do.
   */
  async #step(): Promise<Microseconds | undefined> {
    const { clock, files } = this.#ports;
    if (await this.#isRenamed()) this.#leave();
    if (this.#descriptor === undefined) await this.#open();
    const piece = this.#lines.next();
    if (piece === undefined || this.#descriptor === undefined) return undefined;
    const { bytes, from, to } = piece;
    try {
      this.#lines.wrote(await files.write(this.#descriptor, bytes, from, to - from));
    } catch (error) {
      if (systemErrorCode(error) !== 'EAGAIN') throw error;
      const reason = 'a pipe that nobody reads fast enough';
      this.#failing ??= { since: clock.now(), reason, isPipe: true };
      return pipePause;
    }
    this.#mended();
    return undefined;
  }

  #stepped(pause: Microseconds | undefined): void {
    this.#isBusy = false;
    if (this.#lines.isEmpty) this.#drained();
    if (this.#isClosed) this.#forget();
    else if (pause !== undefined) this.#pumpAfter(pause);
    else if (!this.#lines.isEmpty || this.#isMoved) this.#pump();
  }

  #failed(error: unknown): void {
    const { clock, logger } = this.#ports;
    this.#forget();
    if (this.#failing === undefined) {
      const reason = fileErrorText(error);
      this.#failing = { since: clock.now(), reason, isPipe: false };
      const fields = { path: this.#path, reason: errorText(error) };
      logger.log('error', 'the log of ended connections cannot be written', fields);
    }
    if (this.#isClosed) this.#isBusy = false;
    else this.#pumpAfter(retryPause);
  }

  #mended(): void {
    if (this.#failing === undefined) return;
    const { isPipe } = this.#failing;
    this.#failing = undefined;
    if (isPipe) return;
    const fields = { path: this.#path, lost: this.#lines.counts.lost };
    this.#ports.logger.log('notice', 'the log of ended connections is written again', fields);
  }

  #pumpAfter(pause: Microseconds): void {
    this.#isBusy = true;
    this.#pause = this.#ports.timers.after(pause, () => {
      this.#pause = undefined;
      this.#pump();
    });
  }

  async #open(): Promise<void> {
    const { files } = this.#ports;
    const descriptor = await files.open(this.#path);
    this.#descriptor = descriptor;
    const identity = await files.identity(descriptor);
    // What a failed write left stands in another file.
    if (identity !== this.#identity) this.#lines.toLineStart();
    this.#identity = identity;
  }

  async #isRenamed(): Promise<boolean> {
    const { clock, files } = this.#ports;
    if (this.#isMoved) return true;
    const now = clock.now();
    if (this.#descriptor === undefined) return false;
    if (subtractTime(now, this.#lookedAt) < renameLook) return false;
    this.#lookedAt = now;
    return (await files.identityOf(this.#path)) !== this.#identity;
  }

  #leave(): void {
    this.#isMoved = false;
    this.#forget();
  }

  #forget(): void {
    if (this.#descriptor !== undefined) this.#ports.files.close(this.#descriptor);
    this.#descriptor = undefined;
  }
}
