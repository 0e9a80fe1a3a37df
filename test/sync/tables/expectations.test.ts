/** Expectations are bounded near what a kernel holds, and are committed in slices, with their failures counted. */
import { microseconds, seconds, type Clock } from '../../../src/base/time.js';
import type { Expectation } from '../../../src/conntrack/codec/expectation.js';
import { NameTable } from '../../../src/conntrack/record/nameTable.js';
import {
  commitExpectations,
  type ExpectationCommitOptions,
} from '../../../src/sync/role/expectationCommit.js';
import { ExpectationCache } from '../../../src/sync/tables/expectations.js';
import { ExternalCache } from '../../../src/sync/remote/externalCache.js';
import { FingerprintedTable } from '../../../src/sync/tables/fingerprintedTable.js';
import { messageKind } from '../../../src/sync/wire/header.js';
import { ManualTurns } from '../../support/base/manualTurns.js';

const names = new NameTable();

function expectation(number: number): Expectation {
  const tuple = { source: '0a000001', destination: '0a000002', protocol: 6, ports: number };
  return { isIpv6: false, master: tuple, tuple, mask: tuple, timeoutSeconds: 100 };
}

function cacheOf(count: number): ExpectationCache {
  const cache = new ExpectationCache(count);
  for (let i = 1; i <= count; i++) cache.put(expectation(i), 0);
  return cache;
}

/** Each look at the clock finds a slice over. */
function committing(
  cache: ExpectationCache,
  changes: Partial<ExpectationCommitOptions> & {
    put?: (content: Expectation, timeoutSeconds: number) => number;
  },
): { turns: ManualTurns; failures: number[]; done: ReturnType<typeof commitExpectations> } {
  let now = 0;
  const clock: Clock = {
    now: () => microseconds((now += seconds(1))),
    wallClock: () => microseconds(0),
  };
  const turns = new ManualTurns();
  const failures: number[] = [];
  const { put = () => 0, ...others } = changes;
  const done = commitExpectations(cache, {
    ...{ clock, turns, fixedTimeoutSeconds: undefined, isOver: () => false },
    onPort: () => () => undefined,
    onFailure: (errno) => failures.push(errno),
    open: () => ({ portId: 7, put, close: () => undefined }),
    ...others,
  });
  return { turns, failures, done };
}

test('a peer cannot fill the memory with them: beyond what a kernel holds they are refused and counted', () => {
  const table = new FingerprintedTable({ names, limit: 10, hashSeed: 1 });
  const external = new ExternalCache(table, 262_144, false);
  for (let i = 1; i <= 4_100; i++) {
    external.applyExpectation(messageKind.expectationNew, expectation(i), i, 0);
  }
  expect(external.expectations.count).toBe(4_096);
  expect(external.expectationCounters).toMatchObject({ created: 4_096, createFailed: 4, full: 4 });
  // One that is known is changed all the same.
  external.applyExpectation(messageKind.expectationUpdate, expectation(1), 5_000, 0);
  expect(external.expectationCounters.updated).toBe(1);
});

test('HashLimit bounds them where it is smaller', () => {
  expect(new ExpectationCache(10).limit).toBe(10);
});

test('their commit leaves the thread to others, and counts what the kernel refuses', async () => {
  const { turns, failures, done } = committing(cacheOf(100), {
    put: ({ tuple }) => (tuple.ports! % 10 === 0 ? 12 : 0),
  });
  expect(await turns.runAll()).toBe(100);
  expect(await done).toEqual({ committed: 90, failed: 10 });
  expect(failures).toEqual(Array.from({ length: 10 }, () => 12));
});

test('what ends during their commit is left out', async () => {
  const cache = cacheOf(100);
  const { turns, done } = committing(cache, {});
  cache.clear();
  await turns.runAll();
  expect(await done).toEqual({ committed: 0, failed: 0 });
});

test.each([
  ['what is left of it', 30, 50, 79],
  ['what it was told, where the peer told it again meanwhile', 200, 50, 100],
  ['what it was told again, where that is over', 0, 150, 100],
])('a committed expectation gets %s', async (_, updated, second, expected) => {
  const cache = new ExpectationCache(1);
  cache.put(expectation(1), updated);
  const timeouts: number[] = [];
  const clock: Clock = { now: () => seconds(second + 1), wallClock: () => microseconds(0) };
  const put = (_content: Expectation, timeout: number): number => (timeouts.push(timeout), 0);
  const { turns, done } = committing(cache, { clock, put });
  await turns.runAll();
  await done;
  expect(timeouts).toEqual([expected]);
});

test('their commit ends with the role that wanted it', async () => {
  let written = 0;
  const { turns, done } = committing(cacheOf(100), {
    isOver: () => written === 5,
    put: () => (written++, 0),
  });
  await turns.runAll();
  expect(await done).toEqual({ committed: 5, failed: 0 });
});
