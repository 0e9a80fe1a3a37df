/** Merging after a split ends, whatever becomes of the peer and of the engine. */
import { addTime, seconds, type Microseconds } from '../../../src/base/time.js';
import type { Engine } from '../../../src/sync/engine/engine.js';
import type { EngineObserver } from '../../../src/sync/engine/engineObserver.js';
import { MergeWork } from '../../../src/sync/role/mergeWork.js';
import type { MergeSummary, SyncReport } from '../../../src/sync/messages.js';

/** An engine whose peer has not told its table, and whose commits are done at once. */
class Split {
  readonly reports: SyncReport['kind'][] = [];
  readonly merged: MergeSummary[] = [];
  readonly work: MergeWork;
  heardAt: Microseconds | undefined;
  isCaughtUp = false;
  passes = 0;
  following: string | undefined;
  #now = seconds(100);
  #observer: EngineObserver = {};

  constructor() {
    const one = this as Split;
    const pass = (): Promise<object> => {
      one.passes++;
      return Promise.resolve({ created: 1, failed: 0, cancelled: false });
    };
    const engine = {
      ports: {
        clock: { now: () => one.#now },
        logger: { log: () => undefined },
        report: ({ kind }: SyncReport) => one.reports.push(kind),
      },
      externalMode: { committable: {} },
      askForAll: () => undefined,
      observe: (observer: EngineObserver) => (one.#observer = observer),
      catchUp: {
        get isCaughtUp() {
          return one.isCaughtUp;
        },
      },
      commits: {
        get following() {
          return one.following;
        },
        follow: (as: string) => (one.following = as),
        stopFollowing: () => (one.following = undefined),
        followed: () => 0,
        openWindows: () => Promise.resolve({ cancelled: false }),
        merge: pass,
      },
      feed: { resync: () => Promise.resolve() },
      replicator: {
        startBulk: () => undefined,
        receiver: {
          get lastAcceptedAt() {
            return one.heardAt;
          },
        },
      },
    };
    this.work = new MergeWork(
      engine as unknown as Engine,
      (summary) => this.merged.push(summary),
      () => undefined,
    );
  }

  /** A peer that speaks does so each second. */
  async pass(duration: number, peerSpeaks: boolean): Promise<void> {
    for (let i = 0; i < duration; i++) {
      this.#now = addTime(this.#now, seconds(1));
      if (peerSpeaks) this.heardAt = this.#now;
      this.#observer.tick?.(this.#now, this.#now);
      await settled();
    }
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function split(): Promise<Split> {
  const one = new Split();
  one.work.start(1);
  await settled();
  expect(one.reports).toEqual(['mergeReady']);
  return one;
}

test('the table of a peer that speaks is waited for', async () => {
  const one = await split();
  await one.pass(30, true);
  expect(one.merged).toEqual([]);
  one.isCaughtUp = true;
  await one.pass(1, true);
  expect(one.reports).toEqual(['mergeReady', 'merged']);
  expect(one.passes).toBe(2);
});

test('a peer that has died ends neither the merge nor the following late', async () => {
  const one = await split();
  await one.pass(9, false);
  expect(one.merged).toEqual([]);
  await one.pass(1, false);
  expect(one.merged).toMatchObject([{ created: 2, failed: 0 }]);
  expect(one.following).toBe('merge');
  await one.pass(10, false);
  expect(one.following).toBeUndefined();
  await one.pass(100, false);
  expect(one.reports).toEqual(['mergeReady', 'merged']);
});

test('a table that never comes is not waited for longer than the peer waits', async () => {
  const one = await split();
  await one.pass(59, true);
  expect(one.merged).toEqual([]);
  await one.pass(1, true);
  expect(one.merged).toHaveLength(1);
});

test('an engine that ends meanwhile says that the merge has failed; after a merge it does not', async () => {
  const one = await split();
  one.work.close();
  expect(one.reports).toEqual(['mergeReady', 'mergeFailed']);
  const other = await split();
  other.isCaughtUp = true;
  await other.pass(1, true);
  other.work.close();
  expect(other.reports).toEqual(['mergeReady', 'merged']);
});
