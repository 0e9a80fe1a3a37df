import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import {
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LockFile, type LockPorts } from '../../../src/daemon/disk/lockFile.js';
import { RecordedLog } from '../../support/base/recordedLog.js';

let directory: string;
let log: RecordedLog;
const path = (): string => join(directory, 'lock');

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'keepstate-lock-'));
  log = new RecordedLog();
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

function take(answers: Partial<LockPorts> = {}): LockFile {
  const never = (): boolean => false;
  return LockFile.take(path(), { isAlive: never, isForeignHeld: never, logger: log, ...answers });
}

/** util-linux's flock(1) holds the file until its input ends. */
async function lockElsewhere(): Promise<ChildProcess> {
  const holder = spawn('flock', ['--exclusive', path(), 'sh', '-c', 'echo locked; cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await new Promise((resolve) => holder.stdout.once('data', resolve));
  return holder;
}

describe('lock file', () => {
  test('is held by one, and free again after release', () => {
    const lock = take();
    expect(readFileSync(path(), 'utf8')).toBe(`${process.pid} \n`);
    expect(lstatSync(path()).mode & 0o777).toBe(0o600);
    expect(() => take()).toThrow(`held by a running keepstate (process ${process.pid})`);
    lock.release();
    expect(existsSync(path())).toBe(false);
    take().release();
  });

  test('is held as long as another process has it locked, whatever stands in it', async () => {
    for (const text of ['', '1 \n', '4194305\n']) {
      writeFileSync(path(), text);
      const holder = await lockElsewhere();
      expect(() => take()).toThrow('held by a running keepstate');
      expect(readFileSync(path(), 'utf8')).toBe(text);
      const ended = new Promise((resolve) => holder.once('exit', resolve));
      holder.stdin?.end();
      await ended;
      take().release();
    }
  });

  test('a process id is not believed where its writer would hold the lock', () => {
    writeFileSync(path(), `${process.ppid} \n`);
    const isAlive = (): boolean => {
      throw new Error('must not be asked');
    };
    take({ isAlive }).release();
  });

  test('one of a living keepstate of 25dc65a, which locks nothing, is respected', () => {
    writeFileSync(path(), '1\n');
    expect(() => take({ isAlive: () => true })).toThrow('keepstate (process 1)');
    take().release();
  });

  test("conntrackd's empty one holds as long as a conntrackd runs", () => {
    writeFileSync(path(), '');
    expect(() => take({ isForeignHeld: () => true })).toThrow('conntrackd');
    take().release();
  });

  test.each([
    ['a file with something else in it', () => writeFileSync(path(), 'router_id precious\n')],
    ['a folder', () => mkdirSync(path())],
    ['a pipe', () => execFileSync('mkfifo', [path()])],
    ['a device', () => symlinkSync('/dev/zero', path())],
    ['a link', () => symlinkSync('/nowhere', path())],
  ])('%s is no lock file, and left alone', (_what, put) => {
    put();
    expect(() => take()).toThrow('is no lock file');
    expect(lstatSync(path())).toBeDefined();
  });

  test('what somebody else has taken meanwhile is not removed', () => {
    const lock = take();
    unlinkSync(path());
    writeFileSync(path(), '1\n');
    lock.release();
    expect(existsSync(path())).toBe(true);
  });

  /** The owner of what stands there can only be changed by root. */
  const asRoot = process.geteuid?.() === 0 ? test : test.failing;

  asRoot('what another user has put there is removed, and never opened', async () => {
    for (const put of [
      () => writeFileSync(path(), `${process.ppid}\n`),
      () => execFileSync('mkfifo', [path()]),
      () => symlinkSync('/etc/hostname', path()),
    ]) {
      put();
      execFileSync('chown', ['-h', '65534', path()]);
      take({ isAlive: () => true, isForeignHeld: () => true }).release();
    }
    writeFileSync(path(), '');
    chownSync(path(), 65534, 65534);
    const holder = await lockElsewhere();
    take().release();
    holder.stdin?.end();
    expect(new Set(log.lines)).toEqual(
      new Set(['warning: what another user had put in the place of LockFile was removed']),
    );
    expect(log.fields.at(-1)).toEqual({ path: path(), user: 65534 });
  });

  asRoot('where it cannot be removed the start goes on without it, and says so', () => {
    // A folder of another user: it is not removed as a file is.
    mkdirSync(path());
    chownSync(path(), 65534, 65534);
    take().release();
    expect(log.lines).toEqual([
      'warning: LockFile belongs to another user and is not used: remove it by hand',
    ]);
    expect(existsSync(path())).toBe(true);
  });
});
