import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runKeyNew } from '../../src/cli/keyCommand.js';
import { decodeKey, hmacKeyRule } from '../../src/config/keyText.js';

let folder = '';
let printed = '';
let errors = '';
const output = {
  out: (text: string) => void (printed += text),
  error: (text: string) => void (errors += text),
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keepstate-key-'));
  printed = errors = '';
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

test('a key file of mode 0600 is made, and its fingerprint alone is printed', () => {
  const path = join(folder, 'sync.key');
  expect(runKeyNew(path, output)).toBe(0);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const key = decodeKey(readFileSync(path, 'utf8').trim(), hmacKeyRule);
  const fingerprint = typeof key === 'string' ? key : key.fingerprint;
  expect(printed).toBe(`${path}: a new key, fingerprint ${fingerprint}\n`);
});

test('a file that exists stays as it is', () => {
  const path = join(folder, 'sync.key');
  runKeyNew(path, output);
  const before = readFileSync(path, 'utf8');
  expect(runKeyNew(path, output)).toBe(1);
  expect(errors).toContain(path);
  expect(readFileSync(path, 'utf8')).toBe(before);
});

test('without a file the key is printed, each time another one', () => {
  expect(runKeyNew(undefined, output)).toBe(0);
  expect(runKeyNew(undefined, output)).toBe(0);
  const [one, two] = printed.trim().split('\n');
  expect(one).toMatch(/^hex:[0-9a-f]{64}$/);
  expect(two).not.toBe(one);
});
