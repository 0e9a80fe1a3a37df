/** The log file on a disk that does what the test says. */
import { milliseconds, seconds } from '../../../src/base/time.js';
import { FileOutput } from '../../../src/sync/statistics/fileOutput.js';
import type { LogFiles } from '../../../src/sync/statistics/logFiles.js';
import { ManualTime, settle } from '../../support/base/manualTime.js';
import { RecordedLog } from '../../support/base/recordedLog.js';

/** Files are numbers; `named` stands under the path. */
class FakeDisk implements LogFiles {
  readonly files: string[] = [''];
  named: number | undefined = 0;
  open_ = 0;
  refusal: string | undefined;
  /** Bytes that a write takes at most. */
  room = Infinity;
  /** Resolves the writes that hang. */
  release: (() => void) | undefined;
  hangs = false;

  open(): Promise<number> {
    if (this.refusal !== undefined) return Promise.reject(systemError(this.refusal));
    this.named ??= this.files.push('') - 1;
    this.open_++;
    return Promise.resolve(this.named);
  }

  async write(file: number, bytes: Uint8Array, from: number, length: number): Promise<number> {
    if (this.hangs) await new Promise<void>((resolve) => (this.release = resolve));
    if (this.refusal !== undefined) throw systemError(this.refusal);
    const taken = Math.min(length, this.room);
    if (taken === 0) throw systemError('ENOSPC');
    this.room -= taken;
    const text = Buffer.from(bytes.subarray(from, from + taken)).toString();
    this.files[file] = (this.files[file] ?? '') + text;
    return taken;
  }

  identity(file: number): Promise<string> {
    return Promise.resolve(String(file));
  }

  identityOf(): Promise<string | undefined> {
    return Promise.resolve(this.named === undefined ? undefined : String(this.named));
  }

  close(): void {
    this.open_--;
  }
}

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: refused`), { code });
}

function output(disk: FakeDisk, limit?: number) {
  const time = new ManualTime();
  const log = new RecordedLog();
  const ports = { clock: time, timers: time, logger: log, files: disk };
  const file = new FileOutput('/var/log/stats.log', ports, limit);
  const write = async (text: string): Promise<void> => {
    file.write(Buffer.from(text), text.split('\n').length - 1);
    await settle();
  };
  return { time, log, file, write };
}

test('lines are written in order, and all that comes during a write goes out with the next', async () => {
  const disk = new FakeDisk();
  const { write, file } = output(disk);
  disk.hangs = true;
  await write('a\n');
  await write('b\n');
  await write('c\n');
  disk.hangs = false;
  disk.release?.();
  await settle();
  expect(disk.files).toEqual(['a\nb\nc\n']);
  expect(file.status).toMatchObject({ written: 3, lost: 0, waiting: 0 });
});

test('a disk that hangs costs memory up to the limit, then lines, and no call waits for it', async () => {
  const disk = new FakeDisk();
  const { write, file, time } = output(disk, 131_072);
  disk.hangs = true;
  const block = `${'x'.repeat(60_000)}\n`;
  for (let i = 0; i < 5; i++) await write(block);
  expect(file.status).toMatchObject({ written: 0, lost: 3, waiting: 2, lostAt: time.now() });
  disk.hangs = false;
  disk.release?.();
  await settle();
  expect(disk.files[0]).toBe(block + block);
  await write('d\n');
  expect(file.status).toMatchObject({ written: 3, lost: 3, waiting: 0 });
});

test('a full disk is tried again each second; the line that it cut goes on where it was cut', async () => {
  const disk = new FakeDisk();
  const { write, file, time, log } = output(disk);
  await settle();
  disk.room = 3;
  const since = time.now();
  await write('first\nsecond\n');
  expect(file.status).toMatchObject({ waiting: 2, failingSince: since });
  expect(file.status.reason).toContain('ENOSPC');
  await time.advance(seconds(3));
  disk.room = Infinity;
  await time.advance(seconds(1));
  expect(disk.files).toEqual(['first\nsecond\n']);
  expect(file.status.failingSince).toBeUndefined();
  expect(log.lines).toEqual([
    'error: the log of ended connections cannot be written',
    'notice: the log of ended connections is written again',
  ]);
  expect(disk.open_).toBe(1);
});

test('in a file that took the place of a full one the cut line stands as a whole', async () => {
  const disk = new FakeDisk();
  const { write, time } = output(disk);
  await settle();
  disk.room = 3;
  await write('first\n');
  disk.named = undefined;
  disk.room = Infinity;
  await time.advance(seconds(1));
  expect(disk.files).toEqual(['fir', 'first\n']);
});

test('a renamed file is left within a second, or at once where that is asked for', async () => {
  const disk = new FakeDisk();
  const { write, time, file } = output(disk);
  await write('a\n');
  disk.named = undefined;
  await write('b\n');
  await time.advance(seconds(1));
  await write('c\n');
  disk.named = undefined;
  file.reopen();
  await settle();
  await write('d\n');
  expect(disk.files).toEqual(['a\nb\n', 'c\n', 'd\n']);
  expect(disk.open_).toBe(1);
});

test('a pipe whose reader is slow is tried again soon, and that is no line of the log', async () => {
  const disk = new FakeDisk();
  const { write, time, file, log } = output(disk);
  await settle();
  disk.refusal = 'EAGAIN';
  await write('a\n');
  expect(file.status.reason).toContain('pipe');
  disk.refusal = undefined;
  await time.advance(milliseconds(20));
  expect(disk.files).toEqual(['a\n']);
  expect(file.status.failingSince).toBeUndefined();
  expect(log.lines).toEqual([]);
});

test('a file that cannot be opened is tried again', async () => {
  const disk = new FakeDisk();
  disk.refusal = 'EACCES';
  const { write, time, file } = output(disk);
  await write('a\n');
  expect(file.status.reason).toBe('no permission to use it');
  disk.refusal = undefined;
  await time.advance(seconds(1));
  expect(disk.files).toEqual(['a\n']);
});

test('the end waits a second for what is not written, and no longer', async () => {
  const disk = new FakeDisk();
  const quick = output(disk);
  quick.file.write(Buffer.from('a\n'), 1);
  await quick.file.close();
  expect(disk.files).toEqual(['a\n']);
  expect(disk.open_).toBe(0);
  disk.refusal = 'ENOSPC';
  const stuck = output(disk);
  await stuck.write('b\n');
  const closed = stuck.file.close();
  await stuck.time.advance(seconds(1));
  await closed;
  expect(stuck.file.status).toMatchObject({ written: 0, lost: 1, waiting: 0 });
});
