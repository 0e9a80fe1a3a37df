import { World } from '../world/world.js';
import { Segment, unimpaired } from './segment.js';

function arrivals(prepare: (segment: Segment) => void, count = 200): number[] {
  const world = new World(7, { isTold: false });
  const segment = new Segment(world, 'lan');
  prepare(segment);
  const arrived: number[] = [];
  for (let i = 0; i < count; i++) {
    world.queue.at(i * 100, () => segment.carry('a', 'b', () => arrived.push(i)));
  }
  world.queue.runUntil(10_000_000);
  return arrived;
}

const inOrder = (numbers: readonly number[]): boolean =>
  numbers.every((number, i) => i === 0 || number >= (numbers[i - 1] ?? 0));

test('all arrive in order, also where a delay is much longer than the pause between them', () => {
  expect(arrivals(() => undefined)).toHaveLength(200);
  const late = arrivals((segment) =>
    segment.impair('a', 'b', { ...unimpaired, longestDelay: 50_000 }),
  );
  expect([late.length, inOrder(late)]).toEqual([200, true]);
});

test('loss, duplicates and reordering are what was asked for', () => {
  const some = arrivals((segment) => segment.impair('a', 'b', { ...unimpaired, loss: 40 }));
  expect(some.length).toBeGreaterThan(80);
  expect(some.length).toBeLessThan(160);
  const twice = arrivals((segment) => segment.impair('a', 'b', { ...unimpaired, duplicates: 50 }));
  expect(twice.length).toBeGreaterThan(250);
  const mixed = arrivals((segment) => segment.impair('a', 'b', { ...unimpaired, reordered: 20 }));
  expect([mixed.length, inOrder(mixed)]).toEqual([200, false]);
});

test('a cut has a direction, and is mended', () => {
  expect(arrivals((segment) => segment.cut('a', 'b'))).toEqual([]);
  expect(arrivals((segment) => segment.cut('b', 'a'))).toHaveLength(200);
  const mended = arrivals((segment) => {
    segment.cut('a', 'b');
    segment.mend();
  });
  expect(mended).toHaveLength(200);
});
