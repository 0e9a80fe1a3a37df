import { execFileSync } from 'node:child_process';
import {
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  appendToFile,
  openRegular,
  overwriteFile,
  readRegularFile,
  replaceFile,
} from '../../src/base/regularFile.js';

let directory: string;
const at = (name: string): string => join(directory, name);

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'keepstate-files-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

/** Everything that is no regular file: `put` makes it under the path. */
const special: readonly (readonly [string, (path: string) => void])[] = [
  ['a pipe', (path) => execFileSync('mkfifo', [path])],
  ['a device without end', (path) => symlinkSync('/dev/zero', path)],
  ['a folder', (path) => mkdirSync(path)],
];

describe('reading', () => {
  const limit = { bytes: 10 };

  test('gives the text, or says that there is none', () => {
    writeFileSync(at('a'), 'text');
    expect(readRegularFile(at('a'), limit)).toEqual({ kind: 'text', text: 'text', isCut: false });
    expect(readRegularFile(at('b'), limit)).toEqual({ kind: 'missing' });
  });

  test.each(special)('%s is refused without waiting', (_what, put) => {
    put(at('x'));
    expect(readRegularFile(at('x'), limit)).toEqual({
      kind: 'unreadable',
      reason: 'not a regular file',
    });
  });

  test('what is longer than the limit is refused, or only its start or end is read', () => {
    writeFileSync(at('a'), '0123456789');
    expect(readRegularFile(at('a'), limit)).toMatchObject({ text: '0123456789', isCut: false });
    writeFileSync(at('a'), '0123456789abc');
    const read = (ofLonger: 'refuse' | 'start' | 'end') =>
      readRegularFile(at('a'), { ...limit, ofLonger });
    expect(read('refuse')).toEqual({ kind: 'unreadable', reason: 'longer than 10 bytes' });
    expect(read('start')).toEqual({ kind: 'text', text: '0123456789', isCut: true });
    expect(read('end')).toEqual({ kind: 'text', text: '3456789abc', isCut: true });
  });

  test('a huge file costs no more than the limit', () => {
    writeFileSync(at('a'), '');
    truncateSync(at('a'), 2 ** 40);
    const before = process.memoryUsage().rss;
    expect(readRegularFile(at('a'), limit)).toMatchObject({ kind: 'unreadable' });
    expect(readRegularFile(at('a'), { ...limit, ofLonger: 'end' })).toMatchObject({ isCut: true });
    expect(process.memoryUsage().rss - before).toBeLessThan(2 ** 28);
  });

  test('files of /proc are longer than they say', () => {
    expect(readRegularFile('/proc/self/status', { bytes: 65_536 })).toMatchObject({ isCut: false });
    expect(readRegularFile('/proc/self/status', limit)).toMatchObject({ kind: 'unreadable' });
  });
});

describe('writing', () => {
  test.each(special)('over %s: nothing is appended and nothing waits', (_what, put) => {
    put(at('x'));
    const devices = statSync(at('x')).isCharacterDevice();
    const reason = devices ? 'not a regular file' : /not a regular file|EISDIR|ENXIO/;
    expect(() => appendToFile(at('x'), 'text')).toThrow(reason);
    expect(() => overwriteFile(at('x'), 'text')).toThrow(reason);
  });

  test('replacing removes a pipe or a link and never opens or follows it', () => {
    writeFileSync(at('victim'), 'precious');
    symlinkSync(at('victim'), at('link'));
    execFileSync('mkfifo', [at('pipe')]);
    for (const name of ['link', 'pipe']) {
      replaceFile(at(name), 'text');
      expect(lstatSync(at(name)).isFile()).toBe(true);
      expect(lstatSync(at(name)).mode & 0o777).toBe(0o600);
      expect(readFileSync(at(name), 'utf8')).toBe('text');
    }
    expect(readFileSync(at('victim'), 'utf8')).toBe('precious');
  });

  test('the fresh name may be taken by a link, a pipe or a rest of a crash', () => {
    writeFileSync(at('victim'), 'precious');
    for (const put of [
      () => symlinkSync(at('victim'), at('a.new')),
      () => execFileSync('mkfifo', [at('a.new')]),
      () => writeFileSync(at('a.new'), 'half'),
    ]) {
      put();
      replaceFile(at('a'), 'text', { durable: true });
      expect(readFileSync(at('a'), 'utf8')).toBe('text');
      expect(existsSync(at('a.new'))).toBe(false);
    }
    expect(readFileSync(at('victim'), 'utf8')).toBe('precious');
  });

  test('a replacement that fails leaves nothing behind', () => {
    mkdirSync(at('a'));
    expect(() => replaceFile(at('a'), 'text')).toThrow('EISDIR');
    expect(existsSync(at('a.new'))).toBe(false);
  });

  test("another user's link is not followed, root's is", () => {
    writeFileSync(at('victim'), 'precious');
    symlinkSync(at('victim'), at('link'));
    overwriteFile(at('link'), 'mine');
    expect(readFileSync(at('victim'), 'utf8')).toBe('mine');
    // Changing the owner needs root.
    if (process.geteuid?.() !== 0) return;
    execFileSync('chown', ['-h', '65534', at('link')]);
    expect(() => overwriteFile(at('link'), 'theirs')).toThrow('ELOOP');
    expect(() => appendToFile(at('link'), 'theirs')).toThrow('ELOOP');
    expect(() => openRegular(at('link'), constants.O_WRONLY)).toThrow('ELOOP');
    expect(readFileSync(at('victim'), 'utf8')).toBe('mine');
  });
});
