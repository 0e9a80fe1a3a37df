import { milliseconds, seconds } from '../../../src/base/time.js';
import type { TrackProcessSettings } from '../../../src/vrrp/settings.js';
import {
  ProcessTracker,
  processMatches,
  quorumVerdict,
  procTable,
} from '../../../src/vrrp/tracking/processTracker.js';
import { ManualTime } from '../../support/base/manualTime.js';

describe('a tracked process', () => {
  const settings: TrackProcessSettings = {
    name: 'p',
    words: ['/usr/sbin/named', '-u', 'bind'],
    fullCommand: false,
    weight: 0,
    isReversed: false,
    quorum: 1,
    forkDelay: seconds(0),
    terminateDelay: seconds(3),
  };
  const running = (name: string, ...argv: string[]) => ({ name, argv: () => argv });

  test.each([
    [undefined, ['named'], true],
    ['exact', ['named', '-u', 'bind'], true],
    ['exact', ['named', '-u', 'bind', '-4'], false],
    ['initial', ['named', '-u', 'bind', '-4'], true],
    ['initial', ['named', '-4', '-u', 'bind'], false],
    ['partial', ['named', '-4', '-u', 'bind'], true],
  ] as const)('with param_match %s against %j is %s', (parameterMatch, argv, expected) => {
    const one = parameterMatch === undefined ? settings : { ...settings, parameterMatch };
    expect(processMatches(one, running('named', ...argv))).toBe(expected);
  });

  test('is told by the first 15 characters of its name', () => {
    const one = { ...settings, words: ['a-very-long-process-name'] };
    expect(processMatches(one, running('a-very-long-pro'))).toBe(true);
  });

  test('needs its quorum, and not more than quorum_max', () => {
    const one = { ...settings, quorum: 2, quorumMax: 3 };
    expect([1, 2, 3, 4].map((count) => quorumVerdict(one, count))).toEqual([
      'bad',
      'good',
      'good',
      'bad',
    ]);
  });

  test('that ends is bad only after terminate_delay', async () => {
    const time = new ManualTime();
    let list = [running('named')];
    const verdicts: string[] = [];
    const table = { list: () => list };
    const tracker = new ProcessTracker({ table, timers: time }, [settings], (name, verdict) =>
      verdicts.push(`${name} ${verdict}`),
    );
    tracker.start();
    expect(verdicts).toEqual(['p good']);
    list = [];
    await time.advance(milliseconds(3_500));
    expect(verdicts).toEqual(['p good']);
    await time.advance(seconds(1));
    expect(verdicts).toEqual(['p good', 'p bad']);
    tracker.close();
  });
});

test('running processes are seen in the table of processes', () => {
  const own = [...procTable.list()].find((one) => one.argv()[0] === process.argv0);
  expect(own).toBeDefined();
});
