/**
 * The alert thread's other end: keeps what happens in the queue, tells the thread of it, starts the
 * thread again when it dies, and says in status what stands in the way of an alarm.
 */
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { errorText } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import type { Clock, RandomSource, Timers } from '../../base/time.js';
import { microseconds, milliseconds, seconds, subtractTime } from '../../base/time.js';
import type { ArmedTimer, Microseconds } from '../../base/time.js';
import { threadFile } from '../../base/threadFile.js';
import type { Alarm } from '../../alert/alarm.js';
import type { AlertOrder, AlertReport, AlertStart, SinkStatus } from '../../alert/alertMessages.js';
import { sinkNames, type CommandPolicy, type SinkSettings } from '../../alert/alertSettings.js';
import { readPlaces } from '../../alert/sinkPlaces.js';
import type { HistoryEvent, StatusAnswer } from '../../control/statusAnswer.js';
import type { Disk } from '../disk/disk.js';
import type { ProblemRecord } from '../problemTable/record.js';
import type { Finding } from '../problemTable/table.js';
import { AlarmBook } from './alarmBook.js';
import { AlarmJournal, overwrittenBy, type KeptAlarms } from './alarmJournal.js';
import { alertProblems } from './alertProblems.js';

export interface AlertServicePorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: RandomSource;
  readonly logger: Logger;
  readonly disk: Disk;
  /** `state_directory` of this node; asked when there is somebody to tell. */
  readonly folder: () => string;
  readonly node: () => string;
  readonly version: string;
}

const restartPause = seconds(2);
/** What waits at a stop has this long; and a thread that ends, this long. */
const stopTimeout = seconds(3);
const finishTimeout = seconds(45);
const look = milliseconds(50);

const nothingTold = { taken: 0, lost: 0, failures: 0 };

/** Since there was somebody to tell. */
interface Queue {
  readonly journal: AlarmJournal;
  readonly book: AlarmBook;
  readonly placesPath: string;
}

export class AlertService {
  readonly #ports: AlertServicePorts;
  #queue: Queue | undefined;
  #sinks: readonly SinkSettings[] = [];
  #policy: CommandPolicy = { enableScriptSecurity: false };
  /** Not taken by every sink yet, oldest first: for the next thread. */
  #live: Alarm[] = [];
  #newSinksFrom = 0;
  #worker: Worker | undefined;
  /** The thread before, which ends. */
  #ending: Promise<void> = Promise.resolve();
  #restart: ArmedTimer | undefined;
  #report: AlertReport | undefined;
  #damage: { readonly text: string; readonly at: Microseconds } | undefined;
  #lastLoss: Microseconds | undefined;
  #died: { readonly reason: string; readonly at: Microseconds } | undefined;

  constructor(ports: AlertServicePorts) {
    this.#ports = ports;
  }

  get problems(): readonly Finding[] {
    if (this.#sinks.length === 0) return [];
    const now = this.#ports.clock.now();
    const age = (at: Microseconds | undefined): Microseconds =>
      at === undefined ? microseconds(Number.MAX_SAFE_INTEGER) : subtractTime(now, at);
    const unsaved = this.#queue?.journal.unsaved;
    return alertProblems({
      sinks: this.#report?.sinks ?? [],
      notKept: unsaved?.reason ?? this.#report?.unsaved,
      unsaved: unsaved?.count ?? 0,
      damage: age(this.#damage?.at) < seconds(60) ? this.#damage?.text : undefined,
      hasLostLately: age(this.#lastLoss) < seconds(60),
      died: this.#worker === undefined ? this.#died?.reason : undefined,
    });
  }

  /** Nothing where nobody is told. */
  get shown(): Pick<StatusAnswer, 'alerts'> {
    if (this.#sinks.length === 0) return {};
    const last = this.#queue?.book.last ?? 0;
    const unsaved = this.#queue?.journal.unsaved?.count ?? 0;
    const report = this.#report;
    // What the thread has not told of yet waits too.
    const sinks =
      report === undefined
        ? sinkNames(this.#sinks).map((name) => ({
            name,
            ...nothingTold,
            waiting: this.#live.length,
          }))
        : report.sinks.map((sink) => ({ ...sink, waiting: sink.waiting + last - report.last }));
    return { alerts: { last, unsaved, sinks } };
  }

  /** Tells these sinks from now on; none: nothing is told or kept. */
  apply(sinks: readonly SinkSettings[], policy: CommandPolicy): void {
    const before = JSON.stringify([this.#sinks, this.#policy]);
    if (JSON.stringify([sinks, policy]) === before) return;
    this.#sinks = sinks;
    this.#policy = policy;
    this.#restart?.cancel();
    this.#finish();
    if (sinks.length === 0) return;
    if (this.#queue !== undefined) this.#newSinksFrom = this.#queue.book.last;
    const queue = (this.#queue ??= this.#open());
    void this.#ending.then(() => this.#start(queue));
  }

  /** A transition, or its completion, as it is put into the history. */
  told(event: HistoryEvent): void {
    const queue = this.#queue;
    if (queue !== undefined && this.#sinks.length > 0) this.#tell(queue, queue.book.role(event));
  }

  /** What the problem log holds, after each look at the node. */
  observed(records: readonly ProblemRecord[]): void {
    const queue = this.#queue;
    if (queue === undefined || this.#sinks.length === 0) return;
    const { book, journal } = queue;
    for (const alarm of book.problems(records)) this.#tell(queue, alarm);
    journal.retry(() => book.going);
  }

  /** Sinks that take alarms get what waits; what is left is told after the next start. */
  async stop(): Promise<void> {
    this.#restart?.cancel();
    const { clock, timers } = this.#ports;
    const startedAt = clock.now();
    while (this.#worker !== undefined && subtractTime(clock.now(), startedAt) < stopTimeout) {
      const waiting = this.#report?.sinks.some((sink) => sink.waiting > 0 && sink.failures === 0);
      const isBehind = (this.#report?.last ?? 0) < (this.#queue?.book.last ?? 0);
      if (waiting === false && !isBehind) break;
      await new Promise<void>((resolve) => timers.after(look, () => resolve()));
    }
    this.#sinks = [];
    const worker = this.#worker;
    this.#finish();
    const late = timers.after(stopTimeout, () => {
      worker?.postMessage({ kind: 'kill' } satisfies AlertOrder);
      void worker?.terminate();
    });
    await this.#ending;
    late.cancel();
  }

  #open(): Queue {
    const folder = this.#ports.folder();
    const journal = new AlarmJournal(folder, this.#ports.disk);
    const placesPath = join(folder, 'alarms.places.json');
    const kept = journal.read();
    const { places } = readPlaces(placesPath);
    // A loss of power may have cost the end of the queue, and no number is given twice.
    const last = Math.max(kept.last, ...[...places.values()].map(({ done }) => done));
    this.#live = [...kept.alarms];
    this.#newSinksFrom = last;
    this.#noteDamage(kept);
    return { journal, placesPath, book: new AlarmBook(this.#ports, last, kept.going) };
  }

  #noteDamage({ damage }: Pick<KeptAlarms, 'damage'>): void {
    for (const reason of damage) {
      this.#ports.logger.log('warning', 'the queue of alarms is damaged', { reason });
    }
    const [text] = damage;
    if (text !== undefined) this.#damage = { text, at: this.#ports.clock.now() };
  }

  #tell({ journal, book }: Queue, alarm: Alarm): void {
    journal.append(alarm, () => book.going);
    this.#live.push(alarm);
    const sequence = overwrittenBy(alarm.sequence);
    if ((this.#live[0]?.sequence ?? alarm.sequence) <= sequence) {
      this.#live = this.#live.filter((one) => one.sequence > sequence);
      this.#post({ kind: 'overwritten', sequence });
    }
    this.#post({ kind: 'alarm', alarm, file: journal.path(alarm.sequence) });
  }

  #start(queue: Queue): void {
    if (this.#sinks.length === 0 || this.#worker !== undefined) return;
    const { logger, timers, version } = this.#ports;
    const start: AlertStart = {
      ...{ sinks: this.#sinks, policy: this.#policy, placesPath: queue.placesPath, version },
      ...{
        last: queue.book.last,
        queue: this.#live,
        newSinksFrom: this.#newSinksFrom,
        going: queue.book.going,
      },
    };
    const worker = new Worker(threadFile('alert/alertThread'), {
      name: 'alert',
      workerData: start,
    });
    this.#worker = worker;
    this.#report = undefined;
    // Only our own thread posts here, and its messages have this one type.
    worker.on('message', (report: AlertReport) => {
      if (this.#worker === worker) this.#reported(report);
    });
    worker.on('error', (error) => {
      this.#died = { reason: errorText(error), at: this.#ports.clock.now() };
      logger.log('error', 'the alert thread died', { reason: errorText(error) });
    });
    worker.on('exit', () => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      this.#restart = timers.after(restartPause, () => this.#start(queue));
    });
  }

  /** What is being delivered has its answer first: it would be told twice otherwise. */
  #finish(): void {
    const worker = this.#worker;
    this.#worker = undefined;
    if (worker === undefined) return;
    const { timers } = this.#ports;
    this.#ending = new Promise((resolve) => {
      const late = timers.after(finishTimeout, () => void worker.terminate());
      worker.on('exit', () => {
        late.cancel();
        resolve();
      });
    });
    worker.postMessage({ kind: 'finish' } satisfies AlertOrder);
  }

  #reported(report: AlertReport): void {
    const { clock, logger } = this.#ports;
    const lost = (one: AlertReport | undefined): number =>
      one?.sinks.reduce((sum, sink) => sum + sink.lost, 0) ?? 0;
    if (this.#report !== undefined && lost(report) > lost(this.#report)) {
      this.#lastLoss = clock.now();
      logger.log('error', 'alarms are lost: the queue has no room for more', {
        lost: lost(report) - lost(this.#report),
      });
    }
    if (this.#report === undefined && report.damage !== undefined) {
      this.#noteDamage({ damage: [`the places of sinks: ${report.damage}`] });
    }
    report.sinks.forEach((sink, i) => {
      this.#logChange(sink, this.#report?.sinks[i]?.failures ?? 0);
    });
    this.#report = report;
    while ((this.#live[0]?.sequence ?? Number.POSITIVE_INFINITY) <= report.settled) {
      this.#live.shift();
    }
  }

  #logChange({ name, failures, waiting, reason }: SinkStatus, before: number): void {
    const fields = { sink: name, waiting, reason };
    const { logger } = this.#ports;
    if (before === 0 && failures > 0) logger.log('warning', 'an alarm was not taken', fields);
    if (before > 0 && failures === 0) logger.log('notice', 'alarms are taken again', fields);
  }

  #post(order: AlertOrder): void {
    this.#worker?.postMessage(order);
  }
}
