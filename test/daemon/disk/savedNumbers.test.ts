import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '../../../src/base/logger.js';
import { RoleMemory } from '../../../src/daemon/disk/roleMemory.js';
import {
  mergeNumbers,
  newestOf,
  noNumbers,
  parseNumbers,
  saveNumbers,
} from '../../../src/daemon/disk/savedNumbers.js';

const large = 0xffff_ffff_ffff_fff0n;
const numbers = { sent: large, heard: { '10.0.0.2 A': 5n, 'fe80::2 B C': 7n } };

test('numbers survive the file', () => {
  const text = JSON.stringify(saveNumbers(numbers));
  expect(parseNumbers(JSON.parse(text))).toEqual(numbers);
  expect(parseNumbers(JSON.parse(JSON.stringify(saveNumbers(noNumbers))))).toEqual(noNumbers);
});

test.each([undefined, null, 5, 'x', [], { sent: 5 }, { sent: 'xyz' }, { heard: null }])(
  'what is malformed counts as never saved: %j',
  (value) => {
    expect(parseNumbers(value)).toEqual(noNumbers);
  },
);

test('of a table the malformed entry alone is lost', () => {
  expect(parseNumbers({ heard: { a: '1', b: 2, c: '-3' } })).toEqual({ heard: { a: 1n } });
});

test('of two files the newer number counts, in serial arithmetic', () => {
  const merged = mergeNumbers(numbers, { sent: 3n, heard: { '10.0.0.2 A': 4n, x: 1n } });
  expect(merged).toEqual({ sent: 3n, heard: { '10.0.0.2 A': 5n, 'fe80::2 B C': 7n, x: 1n } });
  expect(newestOf(merged)).toBe(7n);
  expect(newestOf(noNumbers)).toBeUndefined();
});

describe('a role memory', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'keepstate-numbers-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const open = (boot = 'run'): RoleMemory =>
    new RoleMemory(join(folder, boot, 'control.sock'), folder, silentLogger);
  const picture = { units: [], instances: [] };

  test('has the last numbers after a crash, and after a boot those of a minute ago', async () => {
    const memory = open();
    expect(memory.signedNumbers).toEqual(noNumbers);
    memory.save(picture, { sent: 100n << 32n, heard: {} });
    memory.save(picture, { sent: 159n << 32n, heard: { x: 9n } });
    await memory.saved();
    expect(open().signedNumbers).toEqual({ sent: 159n << 32n, heard: { x: 9n } });
    expect((open('otherBoot').signedNumbers.sent ?? 0n) >= 100n << 32n).toBe(true);
    memory.save(picture, { sent: 161n << 32n, heard: { x: 9n } });
    await memory.saved();
    expect(open('otherBoot').signedNumbers.sent).toBe(161n << 32n);
    memory.forget({ sent: 170n << 32n, heard: {} });
    await memory.saved();
    expect(open('otherBoot').signedNumbers.sent).toBe(170n << 32n);
  });

  test('of a node without auth_hmac has none in its files', () => {
    const memory = open();
    memory.save(picture, noNumbers);
    memory.setMaintenance(true);
    expect(readFileSync(join(folder, 'state.json'), 'utf8')).not.toContain('numbers');
  });
});
