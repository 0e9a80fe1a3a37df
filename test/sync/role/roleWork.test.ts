/** What a role change asks of the engine, where commands come faster than the work ends. */
import type { Engine } from '../../../src/sync/engine/engine.js';
import type { CommitSummary, SyncReport } from '../../../src/sync/messages.js';
import { Mastership } from '../../../src/sync/role/mastership.js';
import { RoleWork } from '../../../src/sync/role/roleWork.js';
import { PurgeWork, type PurgeWorkOptions } from '../../../src/sync/role/purgeWork.js';
import { microseconds, seconds } from '../../../src/base/time.js';

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** An engine whose commits end when a test says so. */
class Node {
  readonly reports: SyncReport[] = [];
  readonly purge: PurgeWork;
  readonly work: RoleWork;
  /** Ends what runs. */
  endCommit: ((entries: number | Error) => void) | undefined;
  commits = 0;
  purges = 0;
  #following: string | undefined;

  constructor() {
    const one = this as Node;
    const clock = { now: () => microseconds(0), wallClock: () => microseconds(0) };
    const logger = { log: () => undefined };
    this.purge = new PurgeWork({
      ...{ clock, logger, purged: () => undefined },
    } as unknown as PurgeWorkOptions);
    this.purge.run = () => {
      one.purges++;
      return Promise.resolve(0);
    };
    let running: Promise<unknown> = Promise.resolve();
    const engine = {
      ports: { clock, logger, report: (report: SyncReport) => one.reports.push(report) },
      settings: { purgeTimeout: seconds(60) },
      externalMode: { committable: {} },
      internal: { fullTable: {}, setStance: () => undefined },
      external: {},
      feed: { hasMissed: false, resync: () => Promise.resolve() },
      askForAll: () => undefined,
      observe: () => undefined,
      purge: this.purge,
      mastership: new Mastership({ below: () => 0 }, { onEnded: () => undefined }),
      leftovers: {
        begin: () => Promise.resolve(),
        renew: () => Promise.resolve(),
        drop: () => undefined,
      },
      commits: {
        get following() {
          return one.#following;
        },
        follow: (as: string) => (one.#following = as),
        stopFollowing: () => (one.#following = undefined),
        cancel: () => running,
        commit: (): Promise<Partial<CommitSummary>> => {
          one.commits++;
          const done = new Promise<Partial<CommitSummary>>((resolve, reject) => {
            one.endCommit = (result) => {
              if (result instanceof Error) reject(result);
              else resolve({ entries: result, failed: 0, cancelled: false });
            };
          });
          running = done.catch(() => undefined);
          return done;
        },
      },
    };
    this.work = new RoleWork(engine as unknown as Engine, undefined, 0);
  }

  committed(): unknown[] {
    return this.reports.filter(({ kind }) => kind === 'committed');
  }
}

describe('another MASTER that is heard while a commit is being cancelled', () => {
  test.each<readonly [string, (work: RoleWork) => Promise<void>]>([
    ['BACKUP', (work) => work.becomeBackup({ kind: 'becomeBackup', epoch: 2, peerHeard: false })],
    ['FAULT', (work) => work.becomeFault(2)],
  ])('counts for the purge of a %s', async (_role, leave) => {
    const node = new Node();
    void node.work.becomeMaster(1, false);
    await settled();
    const left = leave(node.work);
    node.work.otherMasterHeard(2);
    node.endCommit?.(0);
    await left;
    node.purge.tick(seconds(61), true);
    expect(node.purges).toBe(1);
  });
});

describe('a commit in advance that failed', () => {
  test('prepares nothing: the role commits anew', async () => {
    const node = new Node();
    void node.work.preCommit(1);
    await settled();
    node.endCommit?.(new Error('no socket'));
    await settled();
    expect(node.committed()).toMatchObject([{ entries: 0, cancelled: true }]);
    void node.work.becomeMaster(1, true);
    await settled();
    expect(node.commits).toBe(2);
    node.endCommit?.(7);
    await settled();
    expect(node.committed().slice(1)).toMatchObject([{ epoch: 1, entries: 7, cancelled: false }]);
  });

  test('while the role waited for it is made again, and told once', async () => {
    const node = new Node();
    void node.work.preCommit(1);
    await settled();
    void node.work.becomeMaster(1, true);
    await settled();
    expect(node.commits).toBe(1);
    node.endCommit?.(new Error('no socket'));
    await settled();
    expect(node.commits).toBe(2);
    node.endCommit?.(7);
    await settled();
    expect(node.committed()).toMatchObject([{ epoch: 1, entries: 7, cancelled: false }]);
  });

  test('is not made again for a role that is over', async () => {
    const node = new Node();
    void node.work.preCommit(1);
    await settled();
    void node.work.becomeMaster(1, true);
    void node.work.becomeFault(2);
    node.endCommit?.(new Error('no socket'));
    await settled();
    expect(node.commits).toBe(1);
  });
});

test('a commit in advance that was done is told as the result of the role', async () => {
  const node = new Node();
  void node.work.preCommit(1);
  await settled();
  node.endCommit?.(7);
  await settled();
  await node.work.becomeMaster(1, true);
  expect(node.commits).toBe(1);
  expect(node.committed()).toMatchObject([{ entries: 7 }, { entries: 7 }]);
});
