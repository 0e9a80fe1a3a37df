import { milliseconds } from '../../../src/base/time.js';
import { FloodBrake } from '../../../src/net/probe/floodBrake.js';

const at = milliseconds;

test('200 in 20 ms are read, one more is too much', () => {
  const brake = new FloodBrake();
  for (let i = 0; i < 200; i++) expect(brake.isTooMuch(1, at(i / 10))).toBe(false);
  expect(brake.isTooMuch(1, at(19.9))).toBe(true);
});

test('a batch counts with all of its datagrams', () => {
  expect(new FloodBrake().isTooMuch(201, at(0))).toBe(true);
  expect(new FloodBrake().isTooMuch(200, at(0))).toBe(false);
});

test('each 20 ms begin anew', () => {
  const brake = new FloodBrake();
  for (let i = 0; i < 100; i++) expect(brake.isTooMuch(150, at(20 * i))).toBe(false);
});
