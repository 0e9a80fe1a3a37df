/**
 * Why nobody may say «equal», and what a hand-over waits for: a kernel, a cache and a peer that are
 * only numbers.
 */
import { seconds, type Microseconds } from '../../../src/base/time.js';
import type { ResyncResult } from '../../../src/conntrack/kernel/flowMirror.js';
import type { PeerHoldings } from '../../../src/sync/messages.js';
import { handOverRefusal } from '../../../src/sync/role/handOverCheck.js';
import { BypassedCheck } from '../../../src/sync/local/bypassedCheck.js';
import { CachedCheck } from '../../../src/sync/local/cachedCheck.js';
import type { KernelCheck } from '../../../src/sync/local/kernelCheck.js';
import { ManualTime } from '../../support/base/manualTime.js';

interface World {
  readonly time: ManualTime;
  readonly check: KernelCheck;
  kernel: number;
  cache: number;
  hasLost: boolean;
  hasMissed: boolean;
  ignoresOwn: boolean;
  fails: boolean;
  isAllSent: boolean;
  acknowledged: number;
  readonly bulks: string[];
  readonly passes: string[];
}

function world(): World {
  const time = new ManualTime();
  const one = {
    time,
    kernel: 300,
    cache: 300,
    hasLost: false,
    hasMissed: false,
    ignoresOwn: false,
    fails: false,
    isAllSent: true,
    acknowledged: 0,
    bulks: [] as string[],
    passes: [] as string[],
  };
  const pass = async (name: string): Promise<ResyncResult> => {
    const startedAt = time.now();
    one.passes.push(name);
    await Promise.resolve();
    if (one.fails) throw new Error('no memory');
    const created = one.kernel - one.cache;
    one.cache = one.kernel;
    const result = { entries: one.kernel, ignored: 0, created, updated: 0, removed: 0 };
    const whole = { ...result, duration: seconds(0) };
    check.compared(whole, startedAt);
    return whole;
  };
  const parts = {
    internal: {
      get ignoresOwn() {
        return one.ignoresOwn;
      },
      table: {
        get alive() {
          return one.cache;
        },
      },
    },
    feed: () => ({
      watch: { hasLost: one.hasLost },
      hasMissed: one.hasMissed,
      mirror: { isResyncing: false },
      compare: () => pass('compare'),
      resync: () => pass('refill'),
    }),
    transmitter: () => ({
      isAllSent: one.isAllSent,
      nextSequence: 7,
      isAcknowledgedBefore: (mark: number) => one.acknowledged >= mark,
    }),
    startBulk: (because: string) => {
      one.bulks.push(because);
    },
    count: { read: () => one.kernel, close: () => undefined },
    injected: () => 0,
    clock: time,
    logger: { log: () => undefined },
  };
  const check = new CachedCheck(parts);
  return Object.assign(one, { check });
}

async function ticks(one: World, count: number, every: Microseconds = seconds(1)): Promise<void> {
  for (let i = 0; i < count; i++) {
    await one.time.advance(every);
    one.check.tick(one.time.now());
    await one.time.advance(seconds(0));
  }
}

test('lost events, unheard beginnings and what is not at the peer yet keep everybody from saying equal', async () => {
  const one = world();
  await ticks(one, 1);
  expect(one.check.doubt).toBeUndefined();
  one.hasLost = true;
  expect(one.check.doubt).toContain('events of the kernel were lost');
  one.hasLost = false;
  one.hasMissed = true;
  expect(one.check.doubt).toContain('began during a commit');
  one.ignoresOwn = true;
  expect(one.check.doubt).toBeUndefined();
  Object.assign(one, { ignoresOwn: false, hasMissed: false });
  one.kernel = 400;
  await one.check.compareNow();
  one.isAllSent = false;
  await ticks(one, 1);
  expect(one.check.doubt).toContain('not at the peer yet');
  one.isAllSent = true;
  await ticks(one, 1);
  expect(one.check.doubt).toContain('not at the peer yet');
  one.acknowledged = 7;
  await ticks(one, 1);
  expect(one.check.doubt).toBeUndefined();
});

test('an emptied cache is filled again at the next tick, and told as a bulk; a failure is tried again', async () => {
  const one = world();
  await ticks(one, 1);
  one.cache = 0;
  one.check.emptied();
  expect(one.check.view).toMatchObject({ isEmptied: true, flows: 300 });
  one.fails = true;
  await ticks(one, 1);
  expect([one.passes, one.bulks, one.cache]).toEqual([['refill'], [], 0]);
  one.fails = false;
  await ticks(one, 2);
  expect([one.passes, one.bulks.length, one.cache]).toEqual([['refill', 'refill'], 1, 300]);
  one.acknowledged = 7;
  await ticks(one, 1);
  expect(one.check.doubt).toBeUndefined();
});

test('counts that part are compared, but not while flows are committed in advance', async () => {
  const one = world();
  await one.check.compareNow();
  one.kernel = 1_000;
  one.ignoresOwn = true;
  await ticks(one, 70);
  expect([one.passes, one.check.doubt]).toEqual([['compare'], undefined]);
  one.ignoresOwn = false;
  await ticks(one, 3);
  expect([one.passes, one.cache]).toEqual([['compare', 'compare'], 1_000]);
});

test('without a cache the counts are shown, nothing is compared and nothing is in doubt', async () => {
  const time = new ManualTime();
  let kernel = 300;
  const never = (): never => {
    throw new Error('nothing is asked of the feed or the peer');
  };
  const check = new BypassedCheck({
    internal: { ignoresOwn: false, table: { alive: 0 } },
    ...{ feed: never, transmitter: never, startBulk: never, injected: () => 0, clock: time },
    count: { read: () => kernel, close: () => undefined },
    logger: { log: () => undefined },
  });
  const found = { entries: 300, ignored: 7, created: 300, updated: 0, removed: 0 };
  check.compared({ ...found, duration: seconds(0) }, time.now());
  expect(check.view).toEqual({ flows: 300, ignored: 7, isApart: false, isEmptied: false });
  kernel = 900;
  for (let i = 0; i < 70; i++) {
    await time.advance(seconds(1));
    check.tick(time.now());
  }
  check.emptied();
  await check.compareNow();
  // Nothing is kept that could be apart from the kernel.
  expect(check.doubt).toBeUndefined();
  expect(check.view).toEqual({ flows: 900, ignored: 7, isApart: false, isEmptied: false });
});

describe('a planned hand-over', () => {
  interface Peer {
    external: number | undefined;
    answer: boolean | undefined;
    /** It was greeted as one that compares, and says after so long what it holds. */
    saysAfter?: Microseconds;
  }

  function holdingsOf(external: number | undefined): PeerHoldings {
    const holdings = { ignored: 0, internal: 0, parity: 'unknown' } as const;
    return external === undefined ? holdings : { ...holdings, external };
  }

  async function outcome(one: World, peer?: Peer): Promise<string | undefined> {
    const engine = {
      ports: { clock: one.time, timers: one.time },
      check: one.check,
      internal: { fullTable: {}, table: { alive: one.cache } },
      replicator: {
        transmitter: {
          isAllSent: true,
          nextSequence: 7,
          isAcknowledgedBefore: () => one.acknowledged >= 7,
        },
      },
    };
    const saysFrom = one.time.now() + (peer?.saysAfter ?? 0);
    const says = (): boolean => one.time.now() >= saysFrom;
    const holdings = {
      ofPeer: () => (peer !== undefined && says() ? holdingsOf(peer.external) : undefined),
      confirms: () => (says() ? peer?.answer : undefined),
    };
    const channel = {
      holdings,
      ability: () => (peer?.saysAfter === undefined ? 'cannot' : 'compares'),
      askAcknowledgement: () => undefined,
      askComparison: () => undefined,
    };
    let result: string | undefined = 'still waits';
    void handOverRefusal(engine, channel, seconds(5)).then((refusal) => (result = refusal));
    await one.time.advance(seconds(20));
    return result;
  }

  test('fills the cache first, and goes on where the peer holds the same or cannot say', async () => {
    for (const peer of [
      undefined,
      { external: undefined, answer: undefined },
      { external: 300, answer: undefined },
      { external: 300, answer: true },
    ]) {
      const one = world();
      one.acknowledged = 7;
      one.cache = 0;
      one.check.emptied();
      expect(await outcome(one, peer)).toBeUndefined();
      expect([one.cache, one.bulks.length]).toEqual([300, 1]);
    }
  });

  test('waits for what a peer that has just started holds, and is refused where that is less', async () => {
    const waits = async (answer: boolean, external: number): Promise<string | undefined> => {
      const one = world();
      one.acknowledged = 7;
      return outcome(one, { external, answer, saysAfter: seconds(1) });
    };
    expect(await waits(false, 0)).toContain('the peer holds 0 flows');
    expect(await waits(true, 300)).toBeUndefined();
  });

  test('is refused where a peer that could say it is silent, or does not compare', async () => {
    const waits = async (saysAfter: number, external: number): Promise<string | undefined> => {
      const one = world();
      one.acknowledged = 7;
      const peer = { external, answer: undefined, saysAfter: seconds(saysAfter) };
      return outcome(one, peer);
    };
    expect(await waits(60, 300)).toBe('the peer does not say which flows it holds');
    expect(await waits(3, 0)).toContain('has not compared its 0 flows');
  });

  test('is refused where the kernel cannot be compared, the peer does not acknowledge, or holds others', async () => {
    const broken = world();
    broken.fails = true;
    expect(await outcome(broken)).toContain('could not be compared with the kernel: no memory');
    expect(await outcome(world())).toBe('the peer has not acknowledged everything in time');
    const other = world();
    other.acknowledged = 7;
    expect(await outcome(other, { external: 5, answer: false })).toContain(
      'the peer holds 5 flows',
    );
  });
});
