import { milliseconds, seconds } from '../../src/base/time.js';
import type { RecordedLine } from '../../src/vrrp/machine/recording.js';
import { replay, toJsonLine } from '../../src/vrrp/machine/recording.js';
import { RouterHarness, vrrpSettings } from '../support/vrrp/routerHarness.js';
import { instanceSettings, ip } from '../support/vrrp/settings.js';

const settings = vrrpSettings([instanceSettings()]);
const resume = new Set(['A']);

async function startAfterCrash(options: object): Promise<readonly string[]> {
  const harness = new RouterHarness(settings, { resume, ...options });
  harness.network.give('eth0', ip('10.0.0.100'), 24);
  await harness.router.start();
  await harness.time.advance(milliseconds(1));
  const log = harness.takeLog();
  await harness.router.stop();
  return log;
}

test('a resumed MASTER advertises and keeps its VIP', async () => {
  const log = await startAfterCrash({});
  expect(log[0]).toBe('advert 100');
  expect(log).toContain('A: INIT -> MASTER');
  expect(log).not.toContain('delete 10.0.0.100');
});

test('in maintenance nothing is resumed, and the VIP that was left is removed', async () => {
  const log = await startAfterCrash({ inMaintenance: true });
  expect(log).toContain('A: INIT -> BACKUP');
  expect(log).toContain('delete 10.0.0.100');
});

describe('a crash too long ago to resume', () => {
  const awaited = new Set(['A']);

  test('priority 0 follows once the VIP is gone: a peer need not wait for the silence', async () => {
    const log = await startAfterCrash({ resume: new Set(), awaited });
    expect(log.filter((line) => /^advert|^delete/.test(line))).toEqual([
      'delete 10.0.0.100',
      'advert 0',
    ]);
    expect(log).toContain('A: INIT -> BACKUP');
  });

  test('nor is the role kept in maintenance: priority 0 after the VIP is gone', async () => {
    const log = await startAfterCrash({ resume, awaited, inMaintenance: true });
    expect(log.filter((line) => /^advert|^delete/.test(line))).toEqual([
      'delete 10.0.0.100',
      'advert 0',
    ]);
  });

  test('one that resumes says nothing of the kind', async () => {
    expect(await startAfterCrash({ resume, awaited })).not.toContain('advert 0');
  });
});

test('the recording of a router leads a replay through the same states', async () => {
  const lines: string[] = [];
  const record = (line: RecordedLine): void => void lines.push(toJsonLine(line));
  const harness = new RouterHarness(settings, { record });
  await harness.router.start();
  await harness.time.advance(seconds(5));
  await harness.router.reload(vrrpSettings([instanceSettings({ priority: 120 })]), new Map());
  await harness.time.advance(seconds(2));
  await harness.router.stop();
  const transitions = [...replay(lines)].flatMap(({ actions }) =>
    actions.flatMap((action) => (action.kind === 'transition' ? [action.to] : [])),
  );
  expect(transitions).toEqual(['BACKUP', 'MASTER', 'INIT']);
  expect([...replay(lines)].at(-1)?.state.members['A']?.effectivePriority).toBe(120);
});
