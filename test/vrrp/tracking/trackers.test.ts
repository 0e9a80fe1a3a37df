import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { milliseconds, seconds } from '../../../src/base/time.js';
import { silentLogger } from '../../../src/base/logger.js';
import type { TrackProcessSettings, TrackReference } from '../../../src/vrrp/settings.js';
import { FileTracker, firstInteger, nodeFiles } from '../../../src/vrrp/tracking/fileTracker.js';
import { judgeTracking, type Observations } from '../../../src/vrrp/tracking/observations.js';
import {
  ProcessTracker,
  processMatches,
  quorumVerdict,
} from '../../../src/vrrp/tracking/processTracker.js';
import { afterResult, initialRiseFall } from '../../../src/vrrp/tracking/riseFall.js';
import { ScriptTracker } from '../../../src/vrrp/tracking/scriptTracker.js';
import { FakeProcesses } from '../../support/vrrp/fakeProcesses.js';
import { ManualTime } from '../../support/base/manualTime.js';
import { vrrpSettings } from '../../support/vrrp/routerHarness.js';
import { instanceSettings } from '../../support/vrrp/settings.js';

const nothing: Observations = {
  interfaces: new Map(),
  scripts: new Map(),
  files: new Map(),
  processes: new Map(),
};
const noTracking = { interfaces: [], scripts: [], files: [], processes: [] };
const reference = (weight: number, isReversed = false): TrackReference => ({
  name: 't',
  weight,
  isReversed,
});

describe('priority arithmetic', () => {
  const judge = (one: TrackReference, verdict: 'good' | 'bad'): unknown => {
    const instance = instanceSettings({ tracking: { ...noTracking, scripts: [one] } });
    const seen = { ...nothing, scripts: new Map([['t', verdict] as const]) };
    const { faults, contributions } = judgeTracking(
      vrrpSettings([instance]),
      instance,
      undefined,
      seen,
    );
    return faults.length > 0 ? 'fault' : contributions.map(({ value }) => value);
  };

  test.each([
    [20, false, 'good', [20]],
    [20, false, 'bad', [0]],
    [-20, false, 'good', [0]],
    [-20, false, 'bad', [-20]],
    [20, true, 'good', [0]],
    [20, true, 'bad', [20]],
    [-20, true, 'good', [-20]],
    [0, false, 'good', []],
    [0, false, 'bad', 'fault'],
    [0, true, 'good', 'fault'],
    [0, true, 'bad', []],
  ] as const)('weight %d, reverse %s, %s gives %j', (weight, isReversed, verdict, expected) => {
    expect(judge(reference(weight, isReversed), verdict)).toEqual(expected);
  });

  test.each([
    [1, 7, [7], false],
    [10, 30, [253], false],
    [-2, 127, undefined, true],
    [0, 1, undefined, true],
    [0, 0, [], false],
  ])('a file with weight %d saying %d', (weight, value, contributions, isFault) => {
    const instance = instanceSettings({ tracking: { ...noTracking, files: [reference(weight)] } });
    const file = { name: 't', path: '/f', weight: 1, isReversed: false };
    const settings = vrrpSettings([instance], { files: [file] });
    const seen = { ...nothing, files: new Map([['t', value]]) };
    const outcome = judgeTracking(settings, instance, undefined, seen);
    expect(outcome.faults.length > 0).toBe(isFault);
    if (contributions !== undefined) {
      expect(outcome.contributions.map((one) => one.value)).toEqual(contributions);
    }
  });

  test('in a group the weights of a member do not count unless sync_group_tracking_weight is on', () => {
    const instance = instanceSettings({ tracking: { ...noTracking, scripts: [reference(20)] } });
    const group = {
      name: 'G',
      members: ['A'],
      tracking: noTracking,
      trackingWeight: false,
      notify: { priorityChanges: false },
    };
    const seen = { ...nothing, scripts: new Map([['t', 'good'] as const]) };
    const settings = vrrpSettings([instance], { groups: [group] });
    const sum = (one: typeof group): unknown =>
      judgeTracking(settings, instance, one, seen).contributions;
    expect(sum(group)).toEqual([]);
    expect(sum({ ...group, trackingWeight: true })).toEqual([{ tracker: 'script t', value: 20 }]);
    const shared = { ...noTracking, scripts: [reference(30)] } as unknown as typeof noTracking;
    expect(sum({ ...group, trackingWeight: true, tracking: shared })).toEqual([
      { tracker: 'script t', value: 30 },
    ]);
  });
});

describe('rise and fall', () => {
  const verdicts = (results: string, rise: number, fall: number, initFail = false): string[] => {
    let state = initialRiseFall(initFail);
    return Array.from(results).map((result) => {
      state = afterResult(state, result === '+', { rise, fall });
      return state.verdict;
    });
  };

  test('the first result decides, later ones count', () => {
    expect(verdicts('+--++', 2, 2)).toEqual(['good', 'good', 'bad', 'bad', 'good']);
  });
  test('a single failure between successes is forgiven', () => {
    expect(verdicts('+-+-+', 1, 2)).toEqual(['good', 'good', 'good', 'good', 'good']);
  });
  test('a success between failures starts the rise anew', () => {
    expect(verdicts('-+-++', 2, 1)).toEqual(['bad', 'bad', 'bad', 'bad', 'good']);
  });
  test('init_fail needs the whole rise', () => {
    expect(verdicts('++', 2, 1, true)).toEqual(['bad', 'good']);
  });
});

describe('a tracked script', () => {
  const settings = {
    name: 's',
    command: { words: ['/check'] },
    interval: seconds(2),
    timeout: seconds(3),
    weight: 0,
    isReversed: false,
    rise: 1,
    fall: 1,
    initFail: false,
  };

  test('that hangs is not doubled, is ended at its timeout, and killed two seconds later', async () => {
    const time = new ManualTime();
    const spawner = new FakeProcesses();
    const verdicts: string[] = [];
    const tracker = new ScriptTracker(
      { spawner, timers: time, logger: silentLogger },
      settings,
      (verdict) => void verdicts.push(verdict),
    );
    tracker.start();
    await time.advance(milliseconds(2_999));
    expect(spawner.started).toHaveLength(1);
    expect(spawner.started[0]?.signals).toEqual([]);
    await time.advance(milliseconds(1));
    expect(spawner.started[0]?.signals).toEqual(['SIGTERM']);
    await time.advance(seconds(2));
    expect(spawner.started[0]?.signals).toEqual(['SIGTERM', 'SIGKILL']);
    spawner.started[0]?.end({ kind: 'signalled', signal: 'SIGKILL' });
    expect(verdicts).toEqual(['bad']);
    expect(tracker.lastEnd).toBe('timed out, ended by SIGKILL');
    await time.advance(seconds(1));
    expect(spawner.started).toHaveLength(2);
    tracker.close();
  });

  test('that catches SIGTERM counts by its exit status', async () => {
    const time = new ManualTime();
    const spawner = new FakeProcesses();
    const tracker = new ScriptTracker(
      { spawner, timers: time, logger: silentLogger },
      settings,
      () => undefined,
    );
    tracker.start();
    await time.advance(seconds(3));
    spawner.started[0]?.end({ kind: 'exited', status: 0 });
    expect(tracker.verdict).toBe('good');
    tracker.close();
  });

  test('that cannot be started counts for nothing, until it can', async () => {
    const time = new ManualTime();
    const spawner = new FakeProcesses();
    const tracker = new ScriptTracker(
      { spawner, timers: time, logger: silentLogger },
      settings,
      () => undefined,
    );
    tracker.start();
    spawner.started[0]?.end({ kind: 'notStarted', because: "script user 'x' does not exist" });
    expect(tracker.verdict).toBe('disabled');
    expect(tracker.lastEnd).toContain("user 'x'");
    await time.advance(settings.interval);
    spawner.started[1]?.end({ kind: 'exited', status: 1 });
    expect(tracker.verdict).toBe('bad');
    await time.advance(settings.interval);
    spawner.started[2]?.end({ kind: 'notStarted', because: 'no such file' });
    expect(tracker.verdict).toBe('bad');
    tracker.close();
  });

  test('that is disabled is neither a fault nor awaited, whatever its weight', () => {
    for (const weight of [0, 20, -20]) {
      const tracking = { ...noTracking, scripts: [reference(weight)] };
      const instance = instanceSettings({ tracking });
      const seen = { ...nothing, scripts: new Map([['t', 'disabled'] as const]) };
      expect(judgeTracking(vrrpSettings([instance]), instance, undefined, seen)).toMatchObject({
        faults: [],
        awaiting: [],
        contributions: [],
      });
    }
  });
});

describe('a tracked file', () => {
  const settings = { name: 'f', path: '/run/f', weight: 1, isReversed: false };

  function watched(init?: { value: number; overwrite: boolean }): {
    time: ManualTime;
    contents: Map<string, string>;
    values: number[];
    change: (name: string) => void;
    loseDirectory: () => void;
    arms: () => number;
  } {
    const time = new ManualTime();
    const contents = new Map<string, string>();
    const values: number[] = [];
    let change: (name: string) => void = () => undefined;
    let end: () => void = () => undefined;
    let arms = 0;
    const files = {
      read: (path: string) => contents.get(path),
      write: (path: string, text: string) => {
        contents.set(path, text);
        return undefined;
      },
      watchDirectory: (_path: string, onChange: (name: string) => void, onEnd: () => void) => {
        arms += 1;
        change = onChange;
        end = onEnd;
        return () => undefined;
      },
    };
    const tracker = new FileTracker(
      { files, timers: time, logger: silentLogger },
      init === undefined ? settings : { ...settings, init },
      (value) => void values.push(value),
    );
    tracker.start();
    const loseDirectory = (): void => end();
    return { time, contents, values, change: (n) => change(n), loseDirectory, arms: () => arms };
  }

  test.each([
    ['12\n', 12],
    [' -7 x', -7],
    ['x', 0],
    ['', 0],
    [undefined, 0],
  ])('%j counts as %d', (text, value) => {
    expect(firstInteger(text)).toBe(value);
  });

  test('is read when its writer is done, not in between', async () => {
    const { time, contents, values, change } = watched();
    contents.set('/run/f', '');
    change('f');
    await time.advance(milliseconds(30));
    contents.set('/run/f', '5\n');
    change('f');
    change('other');
    await time.advance(seconds(1));
    expect(values).toEqual([0, 5]);
  });

  test('that stays empty counts as 0 after a grace time', async () => {
    const { time, contents, values, change } = watched({ value: 9, overwrite: true });
    expect(values).toEqual([9]);
    contents.set('/run/f', '');
    change('f');
    await time.advance(milliseconds(100));
    expect(values).toEqual([9]);
    await time.advance(milliseconds(100));
    expect(values).toEqual([9, 0]);
  });

  test('is found again after its directory went away and came back', async () => {
    const { time, contents, values, loseDirectory, arms } = watched({ value: 3, overwrite: false });
    contents.delete('/run/f');
    loseDirectory();
    await time.advance(milliseconds(500));
    expect(values).toEqual([3, 0]);
    await time.advance(seconds(1));
    expect(arms()).toBe(2);
  });
});

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

test('a tracked file that is a pipe, a device or without end counts as absent or is read in part', () => {
  const directory = mkdtempSync(join(tmpdir(), 'keepstate-track-'));
  const path = (name: string): string => join(directory, name);
  try {
    execFileSync('mkfifo', [path('pipe')]);
    expect(nodeFiles.read(path('pipe'))).toBeUndefined();
    expect(nodeFiles.read('/dev/zero')).toBeUndefined();
    expect(nodeFiles.write(path('pipe'), '1\n')).toBe('not a regular file');
    writeFileSync(path('long'), `7 ${'x'.repeat(100_000)}`);
    expect(firstInteger(nodeFiles.read(path('long')))).toBe(7);
    expect(nodeFiles.write(path('fresh'), '3\n')).toBeUndefined();
    expect(nodeFiles.read(path('fresh'))).toBe('3\n');
  } finally {
    rmSync(directory, { recursive: true });
  }
});
