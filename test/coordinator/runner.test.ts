/** Timers of the role coordinator in a process that does not always run. */
import { silentLogger } from '../../src/base/logger.js';
import { milliseconds, seconds } from '../../src/base/time.js';
import { CoordinatorRunner, type UnitControl } from '../../src/coordinator/runner.js';
import { ManualTime } from '../support/base/manualTime.js';

const settings = {
  commitDeadline: seconds(1),
  commitLimit: seconds(10),
  preemptSyncTimeout: seconds(60),
  preempts: true,
};

/**
 * A unit that has just become MASTER, and waits for its flows. `released` are reasons for its
 * addresses to come up.
 */
function takingOver() {
  const time = new ManualTime();
  const released: string[] = [];
  const nothing = (): void => undefined;
  const unitControl: UnitControl = {
    releaseVips: (unit) => released.push(unit),
    grantPreemption: nothing,
    resign: nothing,
    assumeRole: nothing,
    releasePreemption: nothing,
    setMaintenance: nothing,
    announceAgain: nothing,
    testify: () => undefined,
  };
  const runner = new CoordinatorRunner(
    {
      unit: 'G1',
      unitControl: () => unitControl,
      post: nothing,
      clock: time,
      timers: time,
      logger: silentLogger,
      takeoverDone: nothing,
      maintenanceChanged: nothing,
      split: nothing,
      merged: nothing,
    },
    settings,
    false,
  );
  runner.input({ kind: 'workerReady' });
  const role = { kind: 'roleChanged', unitEpoch: 1, isResumed: false, vipsWait: true } as const;
  runner.input({ ...role, to: 'BACKUP', because: 'start' });
  runner.input({ ...role, to: 'MASTER', because: 'no advertisement' });
  const { epoch } = runner.state;
  return { time, released, runner, epoch };
}

test('addresses wait a second for a commit that makes no progress', async () => {
  const { time, released } = takingOver();
  await time.advance(milliseconds(990));
  expect(released).toEqual([]);
  await time.advance(milliseconds(20));
  expect(released).toEqual(['G1']);
});

test('each progress gives it another second, until the limit', async () => {
  const { time, released, runner, epoch } = takingOver();
  for (let round = 0; round < 11; round++) {
    await time.advance(milliseconds(900));
    runner.input({ kind: 'commitProgress', epoch });
  }
  expect(released).toEqual([]);
  await time.advance(milliseconds(200));
  expect(released).toEqual(['G1']);
});

test('a standstill of the whole process is none of the commit', async () => {
  const { time, released, runner, epoch } = takingOver();
  await time.advance(milliseconds(250));
  time.stall(seconds(4));
  // The first thing that rings after it; what the worker says comes a moment later.
  await time.advance(milliseconds(50));
  expect(released).toEqual([]);
  runner.input({ kind: 'commitProgress', epoch });
  await time.advance(milliseconds(900));
  expect(released).toEqual([]);
  await time.advance(milliseconds(200));
  expect(released).toEqual(['G1']);
});
