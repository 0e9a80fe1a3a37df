import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '../../../src/base/logger.js';
import type { HistoryEntry, HistoryEvent } from '../../../src/control/statusAnswer.js';
import { History } from '../../../src/daemon/disk/history.js';
import { RecordedLog } from '../../support/base/recordedLog.js';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'keepstate-daemon-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

function entry(n: number): HistoryEntry {
  return {
    at: '2026-01-01T00:00:00.000Z',
    name: 'VI',
    kind: 'instance',
    from: 'BACKUP',
    to: n % 2 === 0 ? 'BACKUP' : 'MASTER',
    because: String(n),
  };
}

describe('history', () => {
  const path = (): string => join(directory, 'state', 'history.jsonl');
  const causes = (history: History): string[] => history.entries().map((one) => one.because);

  test('keeps the newest, in memory and over a restart', () => {
    const history = new History(path(), 3, silentLogger);
    for (let n = 0; n < 20; n++) history.add(entry(n));
    expect(causes(history)).toEqual(['17', '18', '19']);
    expect(causes(new History(path(), 3, silentLogger))).toEqual(['17', '18', '19']);
    expect(history.entries(1).map((one) => one.because)).toEqual(['19']);
    expect(history.entries(0)).toEqual([]);
  });

  test('its file stays bounded', () => {
    const history = new History(path(), 3, silentLogger);
    for (let n = 0; n < 100; n++) history.add(entry(n));
    expect(readFileSync(path(), 'utf8').split('\n').length).toBeLessThanOrEqual(7);
  });

  test('an entry is completed later, on disk too, and told again', () => {
    const history = new History(path(), 9, silentLogger);
    const told: HistoryEvent[] = [];
    history.subscribe((one) => {
      told.push(one);
      return true;
    });
    history.add(entry(1));
    history.add(entry(2));
    history.amend((one) => one.to === 'MASTER', { flowsCommitted: 7 });
    history.amend((one) => one.to === 'FAULT', { flowsCommitted: 8 });
    expect(history.entries()[0]?.flowsCommitted).toBe(7);
    expect(new History(path(), 9, silentLogger).entries()[0]?.flowsCommitted).toBe(7);
    expect(told.map((one) => [one.phase, one.flowsCommitted])).toEqual([
      ['changed', undefined],
      ['changed', undefined],
      ['completed', 7],
    ]);
  });

  test('lines that a crash cut short are skipped', () => {
    new History(path(), 9, silentLogger).add(entry(1));
    writeFileSync(path(), `${readFileSync(path(), 'utf8')}{"at":"2026`);
    expect(causes(new History(path(), 9, silentLogger))).toEqual(['1']);
  });

  test('what is no transition is skipped and counted: it would break who reads it', () => {
    const good = JSON.stringify(entry(1));
    const bad = [
      '{"at":null,"name":"VI","to":"MASTER"}',
      'null',
      '7',
      good.replace('"because":"1"', '"because":{}'),
      good.replace('2026-01-01', 'some day'),
      good.replace('}', ',"takeoverMs":"x"}'),
    ];
    mkdirSync(join(directory, 'state'));
    writeFileSync(path(), [...bad, good, ''].join('\n'));
    const log = new RecordedLog();
    expect(causes(new History(path(), 9, log))).toEqual(['1']);
    expect(log.fields).toEqual([{ path: path(), lines: bad.length }]);
  });

  test('of a file that is too long the newest lines are kept, and the next entry makes it short', () => {
    const line = `${JSON.stringify(entry(1))}\n`;
    mkdirSync(join(directory, 'state'));
    writeFileSync(path(), line.repeat(2 ** 21 / line.length));
    const history = new History(path(), 3, silentLogger);
    expect(causes(history)).toEqual(['1', '1', '1']);
    history.add(entry(2));
    expect(readFileSync(path(), 'utf8').split('\n').length).toBe(4);
  });

  test.each([
    ['a pipe', () => execFileSync('mkfifo', [path()])],
    ['a device', () => symlinkSync('/dev/zero', path())],
    ['a folder', () => mkdirSync(path())],
  ])('%s in its place is neither read nor written, and said', (_what, put) => {
    mkdirSync(join(directory, 'state'));
    put();
    const log = new RecordedLog();
    const history = new History(path(), 3, log);
    history.add(entry(1));
    expect(causes(history)).toEqual(['1']);
    expect(log.lines).toEqual([
      'warning: the history of earlier runs cannot be read',
      'warning: the history cannot be written',
    ]);
  });

  test('a listener that has gone is forgotten; a disk that refuses is told once', () => {
    writeFileSync(join(directory, 'file'), '');
    const logger = new RecordedLog();
    const history = new History(join(directory, 'file', 'history'), 9, logger);
    let calls = 0;
    history.subscribe(() => {
      calls++;
      return false;
    });
    history.add(entry(1));
    history.add(entry(2));
    expect(calls).toBe(1);
    expect(logger.lines).toEqual(['warning: the history cannot be written']);
    expect(causes(history)).toEqual(['1', '2']);
  });
});
