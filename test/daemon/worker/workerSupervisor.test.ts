import { silentLogger } from '../../../src/base/logger.js';
import {
  microseconds,
  milliseconds,
  seconds,
  type ArmedTimer,
  type Microseconds,
} from '../../../src/base/time.js';
import {
  WorkerSupervisor,
  type WorkerListener,
} from '../../../src/daemon/worker/workerSupervisor.js';
import type { SyncCommand, SyncReport } from '../../../src/sync/messages.js';
import type { SyncSettings } from '../../../src/sync/settings.js';

/** A clock that only moves when told to. */
class World {
  now = 0;
  #timers: { due: number; ring: () => void }[] = [];
  readonly clock = {
    now: () => microseconds(this.now),
    wallClock: () => microseconds(this.now),
  };
  readonly timers = {
    after: (delay: Microseconds, callback: (due: Microseconds) => void): ArmedTimer => {
      const timer = { due: this.now + delay, ring: () => callback(microseconds(timer.due)) };
      this.#timers.push(timer);
      return { cancel: () => (this.#timers = this.#timers.filter((one) => one !== timer)) };
    },
  };
  advance(by: Microseconds): void {
    const end = this.now + by;
    for (;;) {
      const next = this.#timers.filter((one) => one.due <= end).sort((a, b) => a.due - b.due)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((one) => one !== next);
      this.now = Math.max(this.now, next.due);
      next.ring();
    }
    this.now = end;
  }
}

class FakeWorker {
  readonly commands: SyncCommand[] = [];
  isTerminated = false;
  readonly listener: WorkerListener;
  constructor(listener: WorkerListener) {
    this.listener = listener;
  }
  post(command: SyncCommand): void {
    this.commands.push(command);
  }
  terminate(): Promise<void> {
    this.isTerminated = true;
    return Promise.resolve();
  }
}

// Only passed on.
const settings = { mode: 'FTFW' } as unknown as SyncSettings;

function supervise() {
  const world = new World();
  const workers: FakeWorker[] = [];
  const reports: SyncReport[] = [];
  const downs: string[] = [];
  const state = { hasThreads: true };
  const supervisor = new WorkerSupervisor(
    {
      clock: world.clock,
      timers: world.timers,
      start: (listener) => {
        if (!state.hasThreads) throw new Error('EAGAIN');
        const worker = new FakeWorker(listener);
        workers.push(worker);
        return worker;
      },
      logger: silentLogger,
      onReport: (report) => reports.push(report),
      onDown: (because) => downs.push(because),
    },
    { settings: { sync: settings }, listingPath: '/run/x', clientPath: undefined },
  );
  supervisor.start();
  return { world, workers, reports, downs, supervisor, state };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function result(id: number): SyncReport {
  return { kind: 'result', id, ok: true, message: 'done', counts: {}, durationMs: 1 };
}

describe('worker supervisor', () => {
  test('starts the worker with its settings', () => {
    const { workers } = supervise();
    expect(workers[0]?.commands).toEqual([{ kind: 'start', settings, listingPath: '/run/x' }]);
  });

  test('a dead worker is started again, each time after a longer pause, ten seconds at most', () => {
    const { world, workers, downs, supervisor } = supervise();
    const pauses: number[] = [];
    for (let n = 1; n <= 8; n++) {
      workers.at(-1)?.listener.ended('exit 1');
      expect(supervisor.downBecause).toBe('exit 1');
      let waited = 0;
      while (workers.length === n) {
        world.advance(milliseconds(50));
        waited += 50;
      }
      pauses.push(waited);
    }
    expect(pauses).toEqual([250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
    expect(downs).toHaveLength(8);
    expect(supervisor.restarts).toBe(8);
    expect(supervisor.downBecause).toBeUndefined();
  });

  test('a thread that cannot be had is tried for again, and nothing else ends', () => {
    const { world, workers, downs, supervisor, state } = supervise();
    state.hasThreads = false;
    workers[0]?.listener.ended('exit 1');
    world.advance(milliseconds(250));
    expect(downs).toEqual(['exit 1', 'EAGAIN']);
    expect(supervisor.downBecause).toBe('EAGAIN');
    state.hasThreads = true;
    world.advance(milliseconds(500));
    expect(workers).toHaveLength(2);
    expect(supervisor.downBecause).toBeUndefined();
  });

  test('after a good life the pause is short again', () => {
    const { world, workers } = supervise();
    workers[0]?.listener.ended('exit 1');
    world.advance(seconds(1));
    world.advance(seconds(120));
    workers[1]?.listener.ended('exit 1');
    world.advance(milliseconds(250));
    expect(workers).toHaveLength(3);
  });

  test('a late word of a worker that is gone is not heard', () => {
    const { world, workers, reports, downs } = supervise();
    workers[0]?.listener.ended('exit 1');
    world.advance(seconds(1));
    workers[0]?.listener.report({ kind: 'caughtUp', entries: 1 });
    workers[0]?.listener.ended('again');
    expect(reports).toEqual([]);
    expect(downs).toEqual(['exit 1']);
  });

  test('a request gets its own answer', async () => {
    const { workers, supervisor } = supervise();
    const one = supervisor.request({ verb: 'bulk' }, seconds(1));
    const two = supervisor.request({ verb: 'purge' }, seconds(1));
    workers[0]?.listener.report(result(2));
    workers[0]?.listener.report(result(1));
    expect((await one).id).toBe(1);
    expect((await two).id).toBe(2);
  });

  test('a request is refused when the worker is silent, dies, or is down', async () => {
    const { world, workers, supervisor } = supervise();
    const silent = supervisor.request({ verb: 'bulk' }, seconds(1));
    world.advance(seconds(1));
    expect((await silent).message).toContain('1000 ms');
    const dying = supervisor.request({ verb: 'bulk' }, seconds(1));
    workers[0]?.listener.ended('exit 1');
    expect(await dying).toMatchObject({ ok: false, message: 'the sync engine died: exit 1' });
    expect(await supervisor.request({ verb: 'bulk' }, seconds(1))).toMatchObject({
      ok: false,
      message: 'the sync engine is down: exit 1',
    });
  });

  test('a refresh asks for figures of now, and waits half a second for them at most', async () => {
    const { world, workers, supervisor } = supervise();
    const fresh = supervisor.refresh();
    expect(workers[0]?.commands.at(-1)).toMatchObject({ request: { verb: 'stats' } });
    workers[0]?.listener.report(result(1));
    await fresh;
    const late = supervisor.refresh();
    world.advance(milliseconds(500));
    await late;
  });

  test('a table that is on its way is waited for, but not for ever', async () => {
    const { world, workers, supervisor } = supervise();
    const say = (state: string): void => {
      const asked = workers[0]?.commands.filter(({ kind }) => kind === 'request').length ?? 0;
      // The supervisor looks at the state alone.
      workers[0]?.listener.report({ kind: 'status', status: { state } } as unknown as SyncReport);
      workers[0]?.listener.report(result(asked));
    };
    let isSettled = false;
    const settled = supervisor.settled(seconds(3)).then(() => (isSettled = true));
    for (let look = 0; look < 3; look++) {
      say('synchronising');
      await turn();
      world.advance(milliseconds(50));
      await turn();
    }
    expect(isSettled).toBe(false);
    say('synchronised');
    await settled;
    const long = supervisor.settled(seconds(3));
    for (let look = 0; look < 70; look++) {
      say('synchronising');
      await turn();
      world.advance(milliseconds(50));
      await turn();
    }
    await long;
  });

  test('a reload says what became of it, also where the engine is busy for long, or down', async () => {
    const { world, workers, supervisor } = supervise();
    const changed = { sync: { mode: 'NOTRACK' } as unknown as SyncSettings };
    const done = supervisor.reconfigure(changed);
    workers[0]?.listener.report(result(1));
    expect(await done).toBe('sync engine: done');
    const busy = supervisor.reconfigure(changed);
    world.advance(seconds(30));
    expect(await busy).toMatch(/did not answer within 30000 ms; it goes by the new settings when/);
    workers[0]?.listener.ended('exit 1');
    expect(await supervisor.reconfigure({ sync: settings })).toMatch(
      /down: exit 1; .* from its next start/,
    );
    world.advance(milliseconds(250));
    expect(workers[1]?.commands).toMatchObject([{ kind: 'start', settings: { mode: 'FTFW' } }]);
  });

  test('a stop asks first, then ends the thread, and starts no other', async () => {
    const { world, workers, supervisor } = supervise();
    const stopped = supervisor.stop();
    const stop = workers[0]?.commands.at(-1);
    expect(stop).toMatchObject({ kind: 'stop' });
    workers[0]?.listener.report(result(1));
    await stopped;
    expect(workers[0]?.isTerminated).toBe(true);
    workers[0]?.listener.ended('exit 1');
    world.advance(seconds(60));
    expect(workers).toHaveLength(1);
  });

  test('a worker that hangs is ended and started again; a word of it is enough to live on', () => {
    const { world, workers, downs } = supervise();
    world.advance(seconds(14));
    workers[0]?.listener.report({ kind: 'log', level: 'info', message: 'busy', fields: {} });
    world.advance(seconds(15));
    expect(workers[0]?.isTerminated).toBe(false);
    world.advance(seconds(1));
    expect(workers[0]?.isTerminated).toBe(true);
    workers[0]?.listener.ended('terminated');
    expect(downs).toEqual(['terminated']);
    world.advance(seconds(1));
    expect(workers).toHaveLength(2);
  });
});
