/** When the replicator sends: once per turn, in bounded runs, and not while the link takes nothing. */
import { microseconds, type Microseconds } from '../../../src/base/time.js';
import { Pump, type Pumped } from '../../../src/sync/stream/pump.js';
import type { SyncMode } from '../../../src/sync/settings.js';

/** Turns and timers are run by hand; `waiting` messages are sent, at most so many per run as the pump asks for. */
class DrivenPump {
  readonly turns: (() => void)[] = [];
  readonly timers: (() => void)[] = [];
  readonly runs: number[] = [];
  waiting = 0;
  isBlocked = false;
  readonly pump: Pump;

  constructor(mode: SyncMode) {
    const replicator: Pumped = {
      pump: (_now: number, most: number): boolean => {
        const sent = Math.min(most, this.waiting);
        this.waiting -= sent;
        this.runs.push(sent);
        return this.waiting > 0;
      },
    };
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
  const driven = new DrivenPump('FTFW');
  for (let batch = 0; batch < 4; batch++) {
    driven.waiting += 256;
    driven.pump.wake();
  }
  expect(driven.runs).toEqual([]);
  driven.turn();
  expect(driven.runs).toEqual([1_024]);
  driven.turn();
  expect(driven.runs).toHaveLength(1);
});

test('what is more than a run goes on in the next turns', () => {
  const driven = new DrivenPump('FTFW');
  driven.waiting = 2_500;
  driven.pump.wake();
  for (let i = 0; i < 5; i++) driven.turn();
  expect(driven.runs).toEqual([1_024, 1_024, 452]);
});

test('without acknowledgements runs are spaced by time', () => {
  const driven = new DrivenPump('NOTRACK');
  driven.waiting = 500;
  driven.pump.wake();
  driven.turn();
  driven.turn();
  expect(driven.runs).toEqual([384]);
  driven.timers.shift()!();
  expect(driven.runs).toEqual([384, 116]);
});

test('nothing is sent while the link is blocked, nor after the end, and the next wake sends', () => {
  const driven = new DrivenPump('FTFW');
  driven.waiting = 1;
  driven.isBlocked = true;
  driven.pump.wake();
  driven.turn();
  expect(driven.runs).toEqual([]);
  driven.isBlocked = false;
  driven.pump.wake();
  driven.turn();
  expect(driven.runs).toEqual([1]);
  driven.waiting = 1;
  driven.pump.wake();
  driven.pump.close();
  driven.turn();
  expect(driven.runs).toEqual([1]);
});
