/**
 * The alert thread: the entry of a node:worker_threads Worker. Whatever sinks and disk do, the
 * thread that sends adverts only posts what happened.
 */
import { fsync, open, close } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { parentPort, workerData } from 'node:worker_threads';
import { BugError } from '../base/errors.js';
import { systemClock, SystemTimers } from '../base/systemClock.js';
import { milliseconds, seconds, type ArmedTimer } from '../base/time.js';
import { NodeProcesses } from '../vrrp/scripts/nodeProcesses.js';
import type { LimitedRun } from '../vrrp/scripts/deadline.js';
import type { Alarm } from './alarm.js';
import { sinkKey, sinkNames, type SinkSettings } from './alertSettings.js';
import type { AlertOrder, AlertReport, AlertStart } from './alertMessages.js';
import { Courier, type Delivery, type Place } from './courier.js';
import { runAlarm } from './execSink.js';
import { mailAlarm } from './mailSink.js';
import { NameLookup } from './nameLookup.js';
import { readPlaces, writePlaces } from './sinkPlaces.js';
import { isWanted } from './wanted.js';
import { postAlarm } from './webhookSink.js';

/** Reports within it are one. */
const reportPause = milliseconds(100);

const unsavedPause = seconds(5);

const openFile = promisify(open);
const syncFile = promisify(fsync);
const closeFile = promisify(close);

class AlertThread {
  readonly #start: AlertStart;
  readonly #post: (report: AlertReport) => void;
  readonly #timers = new SystemTimers(systemClock);
  readonly #names = new NameLookup();
  readonly #running = new Set<LimitedRun>();
  readonly #spawner: NodeProcesses;
  readonly #couriers: readonly { readonly sink: SinkSettings; readonly courier: Courier }[];
  #last: number;
  #report: ArmedTimer | undefined;
  readonly #damage: string | undefined;
  #unsaved: string | undefined;
  /** The places could not be written: once more. */
  #again: ArmedTimer | undefined;
  #isSyncing = false;
  #toSync: string | undefined;

  constructor(start: AlertStart, post: (report: AlertReport) => void) {
    this.#start = start;
    this.#post = post;
    this.#last = start.last;
    this.#spawner = new NodeProcesses(() => start.policy);
    const { places, isMissing, damage } = readPlaces(start.placesPath);
    this.#damage = damage;
    // Without places nobody knows what was taken: all that is kept is told (again).
    const fresh: Place = { done: isMissing ? 0 : start.newSinksFrom, lost: 0, failures: 0 };
    this.#couriers = start.sinks.map((sink) => ({
      sink,
      courier: this.#courier(sink, places.get(sinkKey(sink)) ?? fresh),
    }));
  }

  /** Everything of earlier lives first, and then what goes on since. */
  begin(): void {
    this.#note();
    for (const alarm of this.#start.queue) this.#offer(alarm);
    for (const alarm of this.#start.going) {
      for (const { courier } of this.#couriers) courier.remind(alarm);
    }
    this.#tell();
  }

  order(order: AlertOrder): void {
    switch (order.kind) {
      case 'alarm':
        this.#offer(order.alarm);
        this.#toSync = order.file;
        void this.#sync();
        this.#tell();
        return;
      case 'overwritten':
        for (const { courier } of this.#couriers) courier.drop(order.sequence);
        this.#tell();
        return;
      case 'finish':
        void this.#finish();
        return;
      case 'kill':
        for (const run of this.#running) run.kill();
    }
  }

  #courier(sink: SinkSettings, place: Place): Courier {
    const ports = {
      timers: this.#timers,
      deliver: (alarm: Alarm) => this.#deliver(sink, alarm),
      isWanted: (alarm: Alarm) => isWanted(alarm, sink),
      note: () => this.#note(),
    };
    return new Courier(ports, place, sink.kind === 'mail' ? undefined : sink.repeat);
  }

  #deliver(sink: SinkSettings, alarm: Alarm): Promise<Delivery> {
    const [timers, names, { version }] = [this.#timers, this.#names, this.#start];
    switch (sink.kind) {
      case 'exec': {
        const ports = { timers, spawner: this.#spawner, running: this.#running };
        return runAlarm(sink.command, alarm, ports);
      }
      case 'webhook':
        return postAlarm(sink.url, alarm, { timers, names, version });
      case 'mail':
        return mailAlarm(sink, alarm, { timers, names });
    }
  }

  #offer(alarm: Alarm): void {
    this.#last = Math.max(this.#last, alarm.sequence);
    for (const { courier } of this.#couriers) courier.offer(alarm);
  }

  #note(): void {
    const places = new Map(
      this.#couriers.map(({ sink, courier }) => [sinkKey(sink), courier.place]),
    );
    this.#again?.cancel();
    this.#again = undefined;
    this.#unsaved = writePlaces(this.#start.placesPath, places);
    if (this.#unsaved !== undefined) {
      this.#again = this.#timers.after(unsavedPause, () => this.#note());
    }
    this.#tell();
  }

  /** A loss of power may cost what is not on the disk yet: it is, as soon as the disk can. */
  async #sync(): Promise<void> {
    if (this.#isSyncing) return;
    this.#isSyncing = true;
    for (let path = this.#toSync; path !== undefined; path = this.#toSync) {
      this.#toSync = undefined;
      await syncPath(path);
      await syncPath(dirname(path));
    }
    this.#isSyncing = false;
  }

  #tell(): void {
    this.#report ??= this.#timers.after(reportPause, () => {
      this.#report = undefined;
      const names = sinkNames(this.#start.sinks);
      this.#post({
        sinks: this.#couriers.map(({ courier }, i) => ({
          name: names[i] ?? '',
          ...courier.state,
        })),
        last: this.#last,
        settled: Math.min(...this.#couriers.map(({ courier }) => courier.settled)),
        ...(this.#unsaved === undefined ? {} : { unsaved: this.#unsaved }),
        ...(this.#damage === undefined ? {} : { damage: this.#damage }),
      });
    });
  }

  async #finish(): Promise<void> {
    await Promise.all(this.#couriers.map(({ courier }) => courier.finish()));
    this.#report?.cancel();
    this.#again?.cancel();
    parentPort?.close();
  }
}

async function syncPath(path: string): Promise<void> {
  try {
    const descriptor = await openFile(path, 'r');
    try {
      await syncFile(descriptor);
    } finally {
      await closeFile(descriptor);
    }
  } catch {
    // It was written by the main thread, which tells where it could not.
  }
}

function serve(): void {
  const port = parentPort;
  if (port === null) throw new BugError('the alert thread has no parent');
  // The thread is started with this and nothing else, and only the main thread posts here.
  const thread = new AlertThread(workerData as AlertStart, (report) => port.postMessage(report));
  port.on('message', (order: AlertOrder) => thread.order(order));
  thread.begin();
}

serve();
