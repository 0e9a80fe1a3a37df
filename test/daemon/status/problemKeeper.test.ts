/** The problem log of a running node: what is written, and what an operator is answered. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '../../../src/base/logger.js';
import { addTime, seconds } from '../../../src/base/time.js';
import { ProblemKeeper } from '../../../src/daemon/status/problemKeeper.js';
import { problem } from '../../../src/daemon/problemTable/table.js';
import { RoleMemory } from '../../../src/daemon/disk/roleMemory.js';

const epoch = seconds(1_700_000_000);
const iso = (second: number): string => new Date((1_700_000_000 + second) * 1_000).toISOString();
const masters = problem('two-masters', 'G: both', { subject: 'G' });
const standby = problem('no-standby', 'G: alone', { subject: 'G' });

describe('the keeper of problems', () => {
  let directory: string;
  let now = seconds(1);

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'keepstate-problems-'));
    now = seconds(1);
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  const clock = { now: () => now, wallClock: () => addTime(epoch, now) };
  const memory = (): RoleMemory =>
    new RoleMemory(join(directory, 'control.sock'), directory, silentLogger);

  test('keeps them in state.json beside the maintenance, which it never takes back', async () => {
    const first = memory();
    const keeper = new ProblemKeeper(clock, first);
    keeper.observe([masters]);
    // The write of the problem is on its way when maintenance is set.
    first.setMaintenance(true);
    await first.saved();
    const second = memory();
    expect(second.maintenance).toBe(true);
    expect(second.problems).toMatchObject([{ problem: { code: 'two-masters' } }]);
    expect(new ProblemKeeper(clock, second).shown().problems).toMatchObject([
      { code: 'two-masters', begun: iso(1) },
    ]);
    const text = readFileSync(join(directory, 'state.json'), 'utf8');
    expect(JSON.parse(text)).toMatchObject({ maintenance: true });
  });

  test('writes when something began, ended or was acknowledged, not for each look', () => {
    const writes: number[] = [];
    const store = {
      problems: [],
      saveProblems: (all: readonly unknown[]) => writes.push(all.length),
      notePeer: () => undefined,
    };
    const keeper = new ProblemKeeper(clock, store);
    for (let i = 0; i < 5; i++) {
      now = seconds(10 + i);
      keeper.observe([standby]);
    }
    expect(writes).toEqual([1]);
    keeper.acknowledge({ which: 'all' });
    expect(writes).toEqual([1, 1]);
  });

  test('answers what was acknowledged, and refuses a code that does not exist', () => {
    const keeper = new ProblemKeeper(clock, {
      problems: [],
      saveProblems: () => undefined,
      notePeer: () => undefined,
    });
    keeper.observe([masters]);
    expect(keeper.acknowledge({ which: 'ended' })).toMatchObject({
      result: { message: 'nothing to acknowledge', counts: { acknowledged: 0 } },
    });
    expect(keeper.acknowledge({ which: 'code', code: 'two-masters' })).toMatchObject({
      result: {
        message: '1 problem acknowledged; 1 of them still going on, and shown until the end',
      },
    });
    expect(keeper.acknowledge({ which: 'code', code: 'twomasters' })).toMatchObject({
      ok: false,
      code: 'unknown-problem',
      remedy: expect.stringContaining('two-masters') as string,
    });
  });

  test('forgets that the peer was a keepstate, when told that it is a conntrackd now', () => {
    const known: boolean[] = [];
    const store = { problems: [], saveProblems: () => undefined };
    const keeper = new ProblemKeeper(clock, { ...store, notePeer: (is) => known.push(is) });
    keeper.acknowledge({ which: 'code', code: 'parity' });
    expect(known).toEqual([]);
    // A peer that is keepalived alone never was that problem.
    expect(keeper.acknowledge({ which: 'code', code: 'peer-channel-silent' })).toMatchObject({
      result: { message: 'noted: the peer is no keepstate any more, until one is heard' },
    });
    expect(known).toEqual([false]);
  });

  test('the state directory that cannot be written is logged once', async () => {
    const lines: string[] = [];
    const logger = { log: (_level: string, message: string) => lines.push(message) };
    const store = new RoleMemory(join(directory, 'c'), '/dev/null/nowhere', logger);
    store.saveProblems([]);
    await store.saved();
    store.saveProblems([]);
    await store.saved();
    expect(lines.filter((line) => line.includes('cannot be saved'))).toHaveLength(1);
  });
});
