/** The beat thread without sockets: silence, standing loops, and the ends of its life. */
import { readdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { BeatDoor, type DoorLimit } from '../../support/net/beatDoor.js';
import { builtPath } from '../../support/net/nativePath.js';
import { waitFor } from '../../lab/waitFor.js';

const { EALREADY, EINVAL } = constants.errno;

// Conditions are waited for; on a busy machine they take their time.
jest.setTimeout(60_000);

const doors: BeatDoor[] = [];
function open(limit?: DoorLimit): BeatDoor {
  const door = new BeatDoor(limit);
  doors.push(door);
  return door;
}
afterEach(() => {
  for (const door of doors.splice(0)) door.native.close();
});

/** A thread is listed for a moment after it was joined. */
async function untilThreads(count: number): Promise<void> {
  await waitFor(() => beatThreads() === count, { interval: 5 });
}

/** Of this process. */
function beatThreads(): number {
  return readdirSync('/proc/self/task').filter((task) => {
    try {
      return readFileSync(`/proc/self/task/${task}/comm`, 'utf8') === 'keepstate-beat\n';
    } catch {
      return false;
    }
  }).length;
}

test('a path that was heard, and then is not, is late and then silent', async () => {
  const door = open({ milliseconds: 1_500, beats: 3 });
  const seen: string[] = [];
  door.hear(0, {});
  door.native.start(20, () => {
    const { isAllLate, isAllSilent, paths } = door.report(true);
    const state = `${String(paths.get(0)?.state)} ${isAllLate ? 'late' : ''}`;
    seen.push(isAllSilent ? `${state} all silent` : state);
  });
  await waitFor(() => seen.includes('silent late all silent'), { interval: 5 });
  expect(seen).toEqual(['living ', 'living late', 'silent late all silent']);
  const { paths, probes } = door.report();
  // Nobody gave it a loop-back to ask.
  expect(probes.failed).toBeGreaterThan(0);
  expect(paths.get(0)).toMatchObject({ state: 'silent', silences: 1 });
  expect(paths.get(0)?.heard).toBeGreaterThanOrEqual(1_500);
  expect(paths.get(1)?.state).toBe('unknown');
  expect(door.hear(0, { sequence: 2 })).toBe(0);
  expect(door.report().paths.get(0)?.state).toBe('living');
});

test("three of the peer's intervals are waited for, however short the limit", async () => {
  const door = open({ milliseconds: 30, beats: 3 });
  door.hear(0, { interval: 200 });
  door.native.start(20, () => undefined);
  const path = await waitFor(
    () => {
      const found = door.report().paths.get(0);
      return found?.state === 'silent' ? found : undefined;
    },
    { interval: 5 },
  );
  expect(path.heard).toBeGreaterThanOrEqual(600);
});

test('all are silent only when each path that was living is', async () => {
  const door = open({ milliseconds: 100, beats: 1 });
  const seen: boolean[] = [];
  door.hear(0, {});
  door.hear(1, {});
  // Nobody waits for the second one here.
  door.native.setPathLimits(1, 1_000_000, 1);
  door.native.start(20, () => seen.push(door.report(true).isAllSilent));
  await waitFor(() => door.report().paths.get(0)?.state === 'silent', { interval: 5 });
  expect(door.report()).toMatchObject({ isAllSilent: false, isAllLate: false });
  door.native.forgetPath(1);
  await waitFor(() => seen.includes(true), { interval: 5 });
  door.native.forgetPath(0);
  await waitFor(() => seen.at(-1) === false, { interval: 5 });
});

test('the handler is called when the peer says something else, and not when it repeats itself', async () => {
  const door = open();
  const seen: string[] = [];
  door.native.start(20, () => {
    if (door.report(true).hasBeat) seen.push(door.newest().subarray(32).toString());
  });
  const say = async (sequence: number, text: string): Promise<void> => {
    const before = door.report().ticks;
    door.hear(0, { sequence, content: Buffer.from(text) });
    await waitFor(() => door.report().ticks >= before + 3, { interval: 5 });
  };
  await say(1, 'a');
  await say(2, 'a');
  await say(3, 'b');
  await say(4, 'b');
  await waitFor(() => seen.length >= 2, { interval: 5 });
  expect(seen).toEqual(['a', 'b']);
});

test("the peer's loop stands still beyond the limit, and turns again", async () => {
  const door = open();
  const seen: boolean[] = [];
  door.native.setLoopLimits(0, 500);
  door.native.start(20, () => seen.push(door.report(true).peerLoopStands));
  door.hear(0, { sequence: 1, loopAge: 499 });
  await waitFor(() => seen.length > 0, { interval: 5 });
  door.hear(0, { sequence: 2, loopAge: 500 });
  await waitFor(() => seen.at(-1) === true, { interval: 5 });
  expect(door.report().peerLoopAge).toBe(500);
  door.hear(0, { sequence: 3, loopAge: 0 });
  await waitFor(() => seen.at(-1) === false, { interval: 5 });
});

test('a loop that is kept busy has stood still; one that waits or only turns has not', async () => {
  const door = open();
  const seen: number[] = [];
  door.native.setLoopLimits(300, 0);
  door.native.start(20, () => seen.push(door.report(true).longestStand));
  // A busy machine may keep the loop from turning for as long: then it is tried again.
  const turnsDuring = (work: (isOver: () => boolean) => Promise<void>): Promise<unknown> =>
    waitFor(async () => {
      const wanted = door.report(true).ticks + 25;
      seen.length = 0;
      await work(() => door.report().ticks >= wanted);
      return Math.max(door.report().longestStand, ...seen) < 300;
    });
  // Waits in libuv, for longer than the limit.
  await turnsDuring(async (isOver) => {
    await waitFor(isOver, { interval: 400 });
  });
  // Turns all the time, and never waits.
  await turnsDuring(async (isOver) => {
    while (!isOver()) await new Promise((resolve) => setImmediate(resolve));
  });
  seen.length = 0;
  const end = performance.now() + 500;
  while (performance.now() < end);
  expect(door.report().ownLoopStands).toBe(true);
  await waitFor(() => seen.some((longest) => longest >= 300), { interval: 5 });
  await waitFor(() => !door.report().ownLoopStands, { interval: 5 });
});

test('started twice, without an interval or without a handler: refused', async () => {
  const door = open();
  expect(door.native.start(0, () => undefined)).toBe(EINVAL);
  expect(door.native.start(20, () => undefined)).toBe(0);
  expect(door.native.start(20, () => undefined)).toBe(EALREADY);
  await untilThreads(1);
  door.native.close();
  door.native.close();
  await untilThreads(0);
  expect(door.native.deliver(0, new Uint8Array(4))).toBe(-2);
});

test('a worker that ends while its thread beats takes it along', async () => {
  const script = `
    const { parentPort } = require('node:worker_threads');
    const addon = require(${JSON.stringify(builtPath())});
    const thread = new addon.NativeBeatThread();
    parentPort.postMessage(thread.start(5, () => undefined));
    setInterval(() => undefined, 1000);
  `;
  for (let round = 0; round < 10; round++) {
    const worker = new Worker(script, { eval: true });
    expect(await new Promise((resolve) => worker.once('message', resolve))).toBe(0);
    await untilThreads(1);
    await worker.terminate();
    await untilThreads(0);
  }
});

test('a thread that runs is kept without a reference to it, one that never started is not', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  let calls = 0;
  const [running, idle] = (() => {
    const door = new BeatDoor();
    door.native.start(20, () => calls++);
    return [new WeakRef(door.native), new WeakRef(new BeatDoor().native)] as const;
  })();
  const datagram = open().datagram(0, {});
  await waitFor(
    () => {
      collect();
      return idle.deref() === undefined;
    },
    { interval: 5 },
  );
  expect(running.deref()?.deliver(0, datagram)).toBe(0);
  await waitFor(() => calls > 0, { interval: 5 });
  running.deref()?.close();
  await untilThreads(0);
});
