import { milliseconds, seconds } from '../../../src/base/time.js';
import { WorkerHeartbeat } from '../../../src/daemon/worker/workerHeartbeat.js';
import { ManualTime } from '../../support/base/manualTime.js';

test('fifteen checks without a word are too many; a word begins anew, a stop ends it', async () => {
  const time = new ManualTime();
  let silences = 0;
  let reports = 0;
  const heartbeat = new WorkerHeartbeat(
    time,
    () => reports,
    () => silences++,
  );
  heartbeat.start();
  await time.advance(seconds(14));
  reports++;
  await time.advance(seconds(15));
  expect(silences).toBe(0);
  await time.advance(seconds(1));
  expect(silences).toBe(1);
  await time.advance(seconds(60));
  expect(silences).toBe(1);
  heartbeat.start();
  heartbeat.stop();
  await time.advance(seconds(60));
  expect(silences).toBe(1);
});

test('a standstill of the process is one check, however long it was', async () => {
  const time = new ManualTime();
  let silences = 0;
  const heartbeat = new WorkerHeartbeat(
    time,
    () => 0,
    () => silences++,
  );
  heartbeat.start();
  time.stall(seconds(3_600));
  await time.advance(milliseconds(1));
  expect(silences).toBe(0);
  heartbeat.stop();
});
