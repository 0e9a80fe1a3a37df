import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Alarm, ProblemAlarm } from '../../../src/alert/alarm.js';
import {
  AlarmJournal,
  fileLength,
  files,
  overwrittenBy,
} from '../../../src/daemon/alerts/alarmJournal.js';
import { systemDisk, type Disk } from '../../../src/daemon/disk/disk.js';
import { problemAlarm, roleAlarm } from '../../support/alert/alarms.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ks-alarms-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const nothing = (): readonly ProblemAlarm[] => [];
const fileOf = (n: number): string => join(folder, `alarms.${n}.jsonl`);

function numbers(alarms: readonly Alarm[]): number[] {
  return alarms.map(({ sequence }) => sequence);
}

function write(from: number, to: number, disk: Disk = systemDisk): AlarmJournal {
  const journal = new AlarmJournal(folder, disk);
  journal.read();
  for (let i = from; i <= to; i++) journal.append(roleAlarm(i), nothing);
  return journal;
}

test('what one life wrote the next one reads, and goes on behind it', () => {
  write(1, 3);
  write(4, 5);
  const kept = new AlarmJournal(folder, systemDisk).read();
  expect(kept).toMatchObject({ last: 5, going: [], damage: [] });
  expect(kept.alarms).toEqual([1, 2, 3, 4, 5].map((i) => roleAlarm(i)));
});

test('it is bounded: the ring comes round, and what it overwrites is said', () => {
  const most = fileLength * files;
  write(1, most + 3);
  const { alarms, last, damage } = new AlarmJournal(folder, systemDisk).read();
  expect(damage).toEqual([]);
  expect(last).toBe(most + 3);
  expect(alarms[0]?.sequence).toBe(fileLength + 1);
  expect(alarms).toHaveLength(most + 3 - fileLength);
  expect(existsSync(fileOf(files))).toBe(false);
  expect([1, most, most + 1, most + fileLength, most + fileLength + 1].map(overwrittenBy)).toEqual([
    ...[0, 0, fileLength, fileLength, 2 * fileLength],
  ]);
});

test('problems that go on are known after the ring came round', () => {
  const journal = new AlarmJournal(folder, systemDisk);
  const old = problemAlarm(1);
  journal.append(old, () => [old]);
  for (let i = 2; i <= fileLength; i++) journal.append(roleAlarm(i), () => [old]);
  // The first of the second file ends it, the second one begins another.
  const other = problemAlarm(fileLength + 2);
  journal.append(roleAlarm(fileLength + 1), () => [old]);
  journal.append(other, () => [old, other]);
  expect(new AlarmJournal(folder, systemDisk).read().going).toEqual([old, other]);
  const end = problemAlarm(fileLength + 3, { state: 'ended', beginning: old.id });
  journal.append(end, () => [other]);
  rmSync(fileOf(0));
  expect(new AlarmJournal(folder, systemDisk).read().going).toEqual([other]);
});

test('lines that are none are counted, the others are told', () => {
  write(1, 3);
  appendFileSync(fileOf(0), 'garbage\n{"version":1}\n\0\0\0\0');
  write(4, 4);
  const kept = new AlarmJournal(folder, systemDisk).read();
  expect(numbers(kept.alarms)).toEqual([1, 2, 3, 4]);
  expect(kept.damage).toEqual([`${fileOf(0)}: 3 of its lines are no alarms`]);
});

test('a line that a crash cut short costs itself alone', () => {
  write(1, 3);
  truncateSync(fileOf(0), readFileSync(fileOf(0)).length - 5);
  const journal = new AlarmJournal(folder, systemDisk);
  const { last } = journal.read();
  expect(last).toBe(2);
  journal.append(roleAlarm(3), nothing);
  const kept = new AlarmJournal(folder, systemDisk).read();
  expect(numbers(kept.alarms)).toEqual([1, 2, 3]);
  expect(kept.damage).toHaveLength(1);
});

test('a file of another kind under its name is named, and replaced when it is its turn', () => {
  mkdirSync(fileOf(1));
  write(1, 1);
  expect(new AlarmJournal(folder, systemDisk).read().damage).toEqual([
    `${fileOf(1)}: not a regular file`,
  ]);
  writeFileSync(fileOf(2), '');
  expect(numbers(new AlarmJournal(folder, systemDisk).read().alarms)).toEqual([1]);
});

test('a full disk: all of it waits in memory, and is written when there is room', () => {
  let isFull = false;
  const refuse = (): void => {
    if (isFull) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
  };
  const disk: Disk = {
    ...systemDisk,
    append: (path, text) => {
      // What a full disk does: a part of it is written.
      if (isFull) systemDisk.append(path, text.slice(0, 10));
      refuse();
      systemDisk.append(path, text);
    },
    replace: (path, text, options) => {
      refuse();
      systemDisk.replace(path, text, options);
    },
  };
  const journal = write(1, fileLength - 2, disk);
  expect(journal.unsaved).toBeUndefined();
  isFull = true;
  for (let i = fileLength - 1; i <= fileLength + 3; i++) journal.append(roleAlarm(i), nothing);
  expect(journal.unsaved).toEqual({ count: 5, reason: 'no space left on device' });
  isFull = false;
  journal.retry(nothing);
  expect(journal.unsaved).toBeUndefined();
  const kept = new AlarmJournal(folder, systemDisk).read();
  expect(kept.last).toBe(fileLength + 3);
  expect(kept.alarms).toHaveLength(fileLength + 3);
});
