import { SeededRandom } from '../../support/base/seededRandom.js';
import { VirtualTime } from '../../support/base/virtualTime.js';
import { liveOnce } from '../../support/vrrp/lan.js';

test('virtual time keeps appointments in order of time, then of asking', () => {
  const time = new VirtualTime();
  const kept: string[] = [];
  const random = new SeededRandom(1);
  const dues = Array.from({ length: 500 }, () => random.below(50));
  dues.forEach((due, i) => time.at(due, () => kept.push(`${time.now()} ${i}`)));
  time.runUntil(100);
  const expected = dues.map((due, i) => ({ due, i })).sort((a, b) => a.due - b.due || a.i - b.i);
  expect(kept).toEqual(expected.map(({ due, i }) => `${due} ${i}`));
  expect(time.now()).toBe(100);
});

test('an appointment in the past is kept now, and one made on the way in its turn', () => {
  const time = new VirtualTime();
  const kept: number[] = [];
  time.at(10, () => {
    time.at(5, () => kept.push(time.now()));
    time.at(20, () => kept.push(time.now()));
  });
  time.at(15, () => kept.push(time.now()));
  time.runUntil(19);
  expect(kept).toEqual([10, 15]);
  time.runUntil(20);
  expect(kept).toEqual([10, 15, 20]);
});

test('seeded chance repeats itself and stays within its limits', () => {
  const draw = (seed: number): readonly number[] => {
    const random = new SeededRandom(seed);
    return Array.from({ length: 200 }, () => random.between(3, 7));
  };
  expect(draw(5)).toEqual(draw(5));
  expect(draw(5)).not.toEqual(draw(6));
  expect(new Set(draw(5))).toEqual(new Set([3, 4, 5, 6, 7]));
});

test('a life that breaks an invariant names its seed and the command that lives it again', () => {
  const breaking = (): void => {
    liveOnce(42, () => {
      throw new Error('the recorder is full');
    });
  };
  expect(breaking).toThrow('seed 42 (npm run vrrp:life -- 42): the recorder is full');
});
