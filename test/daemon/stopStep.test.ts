import { milliseconds, seconds } from '../../src/base/time.js';
import type { CoordinatorRunner } from '../../src/coordinator/runner.js';
import { initialCoordinator, type CoordinatorState } from '../../src/coordinator/vocabulary.js';
import { handOverBeforeStop, stopStep } from '../../src/daemon/stopStep.js';
import { ManualTime } from '../support/base/manualTime.js';
import { RecordedLog } from '../support/base/recordedLog.js';

test('a step that fails is logged with its stack, and the next ones follow', async () => {
  const log = new RecordedLog();
  await stopStep('VRRP', log, () => Promise.reject(new Error('no room')));
  await stopStep('the sync engine', log, () => Promise.resolve());
  expect(log.lines).toEqual(['error: not stopped cleanly']);
  expect(log.fields[0]).toMatchObject({
    what: 'VRRP',
    reason: expect.stringContaining('no room') as string,
  });
});

describe('before a stop', () => {
  const synchronised = { kind: 'keepstate', isSynchronised: true } as const;

  /** What was done, in order; the hand-over never ends. */
  async function stopped(change: Partial<CoordinatorState>): Promise<readonly string[]> {
    const done: string[] = [];
    const time = new ManualTime();
    const supervisor = {
      settled: () => {
        done.push('settled');
        return Promise.resolve();
      },
    };
    const coordinator: Pick<CoordinatorRunner, 'state' | 'ask'> = {
      state: { ...initialCoordinator, role: 'MASTER', peer: synchronised, ...change },
      ask: ({ kind }) => {
        done.push(kind);
        return new Promise(() => undefined);
      },
    };
    const look = (): void => void done.push('look');
    const stop = handOverBeforeStop(time, supervisor, coordinator, look);
    void stop.then(() => done.push('over'));
    await time.advance(milliseconds(2_999));
    done.push('after 3 s');
    await time.advance(seconds(1));
    await stop;
    return done;
  }

  test('a MASTER hands over to a synchronised keepstate, and waits three seconds at most', async () => {
    expect(await stopped({})).toEqual(['settled', 'look', 'failover', 'after 3 s', 'over']);
  });

  test.each<[string, Partial<CoordinatorState>]>([
    ['a BACKUP', { role: 'BACKUP' }],
    ['a conntrackd peer', { peer: { kind: 'conntrackd', isSynchronised: true } }],
    ['a peer that lacks flows', { peer: { kind: 'keepstate', isSynchronised: false } }],
  ])('%s is handed over to by priority 0 alone', async (_what, change) => {
    expect(await stopped(change)).toEqual(['settled', 'over', 'after 3 s']);
  });
});
