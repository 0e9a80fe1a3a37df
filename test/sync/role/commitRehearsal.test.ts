/** A rehearsal of the commit touches no kernel, and happens when it is due. */
import { microseconds, type Clock } from '../../../src/base/time';
import { presenceBit, newScratch, recordWord } from '../../../src/conntrack/record/flowRecord';
import { NameTable } from '../../../src/conntrack/record/nameTable';
import { CommitWork } from '../../../src/sync/role/commitWork';
import { ExternalCache } from '../../../src/sync/remote/externalCache';
import { FingerprintedTable } from '../../../src/sync/tables/fingerprintedTable';
import { cachedInternal } from '../../support/sync/caches';
import { messageKind } from '../../../src/sync/wire/header';
import { ManualTurns } from '../../support/base/manualTurns';
import { settingsOf } from '../../support/sync/node';

const clock: Clock = { now: () => microseconds(0), wallClock: () => microseconds(0) };

function rehearsing(): { work: CommitWork; turns: ManualTurns; fill: (until: number) => void } {
  const names = new NameTable();
  const table = new FingerprintedTable({ names, limit: 100_000, hashSeed: 1 });
  const external = new ExternalCache(table, 10, false);
  const turns = new ManualTurns();
  const work = new CommitWork({
    settings: () => settingsOf([]),
    external,
    internal: cachedInternal(table, 10),
    // Any use of the kernel would ask for it.
    feed: () => {
      throw new Error('a rehearsal is none of the feed’s business');
    },
    clock,
    turns,
    logger: { log: () => undefined },
  });
  const flow = newScratch(names);
  flow.setKind(false, 6);
  flow.learn(presenceBit.timeout);
  flow.set(recordWord.timeout, 100);
  const fill = (until: number): void => {
    while (table.alive < until) {
      flow.set(recordWord.originalPorts, table.alive + 1);
      external.applyFlow(messageKind.flowNew, flow, 0, 0);
    }
  };
  return { work, turns, fill };
}

test('a small table is not rehearsed', async () => {
  const { work, turns, fill } = rehearsing();
  fill(999);
  work.rehearse();
  expect(await turns.runAll()).toBe(0);
});

test('a larger one is, once, and again when it has doubled', async () => {
  const { work, turns, fill } = rehearsing();
  fill(1_000);
  work.rehearse();
  work.rehearse();
  expect(await turns.runAll()).toBeGreaterThan(0);
  fill(1_999);
  work.rehearse();
  expect(await turns.runAll()).toBe(0);
  fill(2_000);
  work.rehearse();
  expect(await turns.runAll()).toBeGreaterThan(0);
  expect(work.isRunning).toBe(false);
  expect(work.last).toBeUndefined();
});

test('beyond 20,000 flows the code is compiled: no rehearsal any more', async () => {
  const { work, turns, fill } = rehearsing();
  fill(20_000);
  work.rehearse();
  expect(await turns.runAll()).toBeGreaterThan(0);
  fill(60_000);
  work.rehearse();
  expect(await turns.runAll()).toBe(0);
});
