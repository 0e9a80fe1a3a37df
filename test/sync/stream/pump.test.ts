/** When the replicator sends: once per turn, in bounded runs, and not while the link takes nothing. */
import { microseconds, type Microseconds } from '../../../src/base/time.js';
import { Pump } from '../../../src/sync/stream/pump.js';
import type { Replicator } from '../../../src/sync/stream/replicator.js';
import type { SyncMode } from '../../../src/sync/settings.js';

/** Turns and timers are run by hand; `waiting` messages are sent, at most so many per run as the pump asks for. */
class Bench {
  readonly turns: (() => void)[] = [];
  readonly timers: (() => void)[] = [];
  readonly runs: number[] = [];
  waiting = 0;
  isBlocked = false;
  readonly pump: Pump;

  constructor(mode: SyncMode) {
    const replicator = {
      pump: (_now: number, most: number): boolean => {
        const sent = Math.min(most, this.waiting);
        this.waiting -= sent;
        this.runs.push(sent);
        return this.waiting > 0;
      },
    } as unknown as Replicator;
    this.pump = new Pump(mode, replicator, {
      clock: { now: () => microseconds(1), wallClock: () => microseconds(1) },
      timers: {
        after: (_delay: Microseconds, callback: (due: Microseconds) => void) => {
          this.timers.push(() => {
            callback(microseconds(1));
          });
          return { cancel: () => undefined };
        },
      },
      turns: { next: (callback: () => void) => void this.turns.push(callback) },
      isBlocked: () => this.isBlocked,
    });
  }

  turn(): void {
    for (const callback of this.turns.splice(0)) callback();
  }
}

test('all that wakes it in one turn leaves in one run at the end of the turn', () => {
  const bench = new Bench('FTFW');
  for (let batch = 0; batch < 4; batch++) {
    bench.waiting += 256;
    bench.pump.wake();
  }
  expect(bench.runs).toEqual([]);
  bench.turn();
  expect(bench.runs).toEqual([1_024]);
  bench.turn();
  expect(bench.runs).toHaveLength(1);
});

test('what is more than a run goes on in the next turns', () => {
  const bench = new Bench('FTFW');
  bench.waiting = 2_500;
  bench.pump.wake();
  for (let i = 0; i < 5; i++) bench.turn();
  expect(bench.runs).toEqual([1_024, 1_024, 452]);
});

test('without acknowledgements runs are spaced by time', () => {
  const bench = new Bench('NOTRACK');
  bench.waiting = 500;
  bench.pump.wake();
  bench.turn();
  bench.turn();
  expect(bench.runs).toEqual([384]);
  bench.timers.shift()!();
  expect(bench.runs).toEqual([384, 116]);
});

test('nothing is sent while the link is blocked, nor after the end, and the next wake sends', () => {
  const bench = new Bench('FTFW');
  bench.waiting = 1;
  bench.isBlocked = true;
  bench.pump.wake();
  bench.turn();
  expect(bench.runs).toEqual([]);
  bench.isBlocked = false;
  bench.pump.wake();
  bench.turn();
  expect(bench.runs).toEqual([1]);
  bench.waiting = 1;
  bench.pump.wake();
  bench.pump.close();
  bench.turn();
  expect(bench.runs).toEqual([1]);
});
