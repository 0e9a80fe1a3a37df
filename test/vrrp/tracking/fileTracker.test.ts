import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { milliseconds, seconds } from '../../../src/base/time.js';
import { silentLogger } from '../../../src/base/logger.js';
import { FileTracker, firstInteger, nodeFiles } from '../../../src/vrrp/tracking/fileTracker.js';
import { ManualTime } from '../../support/base/manualTime.js';
import { waitFor } from '../../lab/waitFor.js';

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

test('a file is watched through its directory, across replacement and re-creation', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'keepstate-watch-'));
  const seen: string[] = [];
  let hasEnded = false;
  const stop = nodeFiles.watchDirectory(
    directory,
    (name) => void seen.push(name),
    () => (hasEnded = true),
  );
  writeFileSync(join(directory, 'f.new'), '1');
  execFileSync('mv', [join(directory, 'f.new'), join(directory, 'f')]);
  await waitFor(() => seen.includes('f'));
  stop();
  expect(hasEnded).toBe(false);
  let isMissing = false;
  nodeFiles.watchDirectory(
    join(directory, 'none'),
    () => undefined,
    () => (isMissing = true),
  );
  expect(isMissing).toBe(true);
  expect(nodeFiles.read(join(directory, 'none'))).toBeUndefined();
  expect(existsSync(join(directory, 'f'))).toBe(true);
  rmSync(directory, { recursive: true });
});
