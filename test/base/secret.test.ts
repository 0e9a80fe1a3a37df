import { inspect, isDeepStrictEqual } from 'node:util';
import { Secret } from '../../src/base/secret.js';

const bytes = new Uint8Array(32).fill(0xab);
const secret = new Secret(bytes);

test('a secret is shown as its fingerprint, however it is printed', () => {
  const shown = [JSON.stringify({ secret }), inspect(secret, { depth: 9, showHidden: true })];
  for (const text of shown) {
    expect(text).toContain(secret.fingerprint);
    expect(text).not.toMatch(/abab|171,\s*171/);
  }
  expect(Object.values(secret).join()).toBe(secret.fingerprint);
});

test('two are equal where their bytes are', () => {
  expect(isDeepStrictEqual(secret, new Secret(bytes))).toBe(true);
  expect(isDeepStrictEqual(secret, new Secret(bytes.subarray(1)))).toBe(false);
});

test('the bytes are a copy, of their length', () => {
  const given = bytes.slice();
  const copy = new Secret(given);
  given.fill(0);
  expect(copy.reveal()).toEqual(bytes);
  expect(copy.length).toBe(32);
});

test('the fingerprint is that of an earlier version', () => {
  expect(secret.fingerprint).toBe('95d0dc61b9626966');
});
