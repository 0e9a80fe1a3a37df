import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readPlaces, writePlaces } from '../../src/alert/sinkPlaces.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ks-places-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

test('are read as they were written, by root alone', () => {
  const path = join(folder, 'places.json');
  const places = new Map([['mail', { done: 7, lost: 1, failures: 2 }]]);
  expect(writePlaces(path, places)).toBeUndefined();
  expect(readPlaces(path)).toEqual({ places, isMissing: false });
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test.each([
  ['', 'not JSON'],
  ['{"sinks":', 'not JSON'],
  ['[]', 'not what it should be'],
  ['{"sinks":7}', 'not what it should be'],
])('%j counts as missing, and why', (text, damage) => {
  const path = join(folder, 'places.json');
  writeFileSync(path, text);
  expect(readPlaces(path)).toEqual({ places: new Map(), isMissing: true, damage });
});

test('a place that is none is left out, a part of it that is none is 0', () => {
  const path = join(folder, 'places.json');
  writeFileSync(
    path,
    '{"sinks":{"a":{"done":-1},"b":7,"c":{"done":3,"lost":"x"},"__proto__":{"done":1}}}',
  );
  const { places } = readPlaces(path);
  expect([...places]).toEqual([
    ['c', { done: 3, lost: 0, failures: 0 }],
    ['__proto__', { done: 1, lost: 0, failures: 0 }],
  ]);
});

test('none yet, and a folder that is not there', () => {
  expect(readPlaces(join(folder, 'none.json'))).toEqual({ places: new Map(), isMissing: true });
  expect(writePlaces(join(folder, 'no/where.json'), new Map())).toBe('no such file');
  expect(readPlaces(folder)).toMatchObject({ damage: 'not a regular file' });
});
