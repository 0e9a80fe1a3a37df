/** When two caches count as equal, as different, and when the peer is asked for everything. */
import { seconds, toSeconds } from '../../../src/base/time.js';
import { ParityCheck, type CacheDigest } from '../../../src/sync/peerChannel/parity.js';

const mine: CacheDigest = { count: 5, high: 1, low: 2 };
const check = (): {
  parity: ParityCheck;
  tell: (at: number, change?: Partial<CacheDigest>) => void;
} => {
  const parity = new ParityCheck();
  let sequence = 100;
  return {
    parity,
    tell: (at, change = {}) => {
      parity.digest({ kind: 'digest', sequence, ...mine, ...change });
      parity.compare((sequence - 1) >>> 0, () => mine, seconds(at));
      sequence++;
    },
  };
};
const asked = (parity: ParityCheck, from: number, to: number): number[] => {
  const times: number[] = [];
  for (let at = from; at <= to; at++) if (parity.wantsResync(seconds(at))) times.push(at);
  return times;
};

test('nothing is known before the first comparison, and once three are overdue', () => {
  const { parity, tell } = check();
  const view = (at: number): unknown => parity.view(seconds(at), true, undefined);
  expect(view(1)).toEqual({
    parity: 'unknown',
    parityBecause: 'the two caches were not compared yet',
  });
  tell(1);
  expect(view(5)).toMatchObject({ parity: 'equal' });
  expect(view(6)).toMatchObject({
    parity: 'unknown',
    parityBecause: 'the last comparison was 5 s ago',
  });
});

test('where the cache of one of both may lack flows of its kernel nothing is equal', () => {
  const { parity, tell } = check();
  tell(1);
  expect(parity.view(seconds(1), true, 'lost')).toMatchObject({
    parity: 'unknown',
    parityBecause: 'lost',
  });
  expect(parity.view(seconds(1), true, undefined)).toMatchObject({ parity: 'equal' });
  parity.peerDoubts('the peer: lost');
  expect(parity.view(seconds(1), true, undefined)).toEqual({
    parity: 'unknown',
    parityBecause: 'the peer: lost',
  });
  tell(2);
  expect(parity.view(seconds(2), true, undefined)).toMatchObject({ parity: 'equal' });
});

test('an emptied cache makes it unknown at once, and the first difference behind that counts', () => {
  const { parity, tell } = check();
  tell(1);
  parity.emptied();
  expect(parity.parity(seconds(1))).toBe('unknown');
  tell(2, { count: 0 });
  expect(parity.parity(seconds(2))).toBe('different');
  parity.emptied();
  tell(3);
  expect(parity.parity(seconds(3))).toBe('equal');
});

test.each(['count', 'high', 'low'] as const)(
  'three digests that differ in %s count, fewer do not',
  (field) => {
    const { parity, tell } = check();
    tell(1);
    for (const at of [2, 3]) tell(at, { [field]: 7 });
    expect(parity.parity(seconds(3))).toBe('equal');
    tell(4, { [field]: 7 });
    expect(parity.parity(seconds(4))).toBe('different');
    tell(5);
    expect(parity.parity(seconds(5))).toBe('equal');
  },
);

test('one equal digest between them begins the count anew', () => {
  const { parity, tell } = check();
  for (const at of [1, 2, 3, 4, 5, 6]) tell(at, at % 3 === 0 ? {} : { low: 7 });
  expect(parity.parity(seconds(6))).toBe('equal');
});

test('it is compared only when exactly what came before it was applied', () => {
  const { parity } = check();
  let questions = 0;
  const own = (): CacheDigest => {
    questions++;
    return mine;
  };
  parity.digest({ kind: 'digest', sequence: 0, ...mine });
  for (const last of [undefined, 5, 0]) parity.compare(last, own, seconds(1));
  expect(questions).toBe(0);
  parity.compare(0xffff_ffff, own, seconds(1));
  expect([questions, parity.parity(seconds(1))]).toEqual([1, 'equal']);
});

test('a lasting difference is healed by asking, with growing pauses where that does not help', () => {
  const { parity, tell } = check();
  const times: number[] = [];
  for (let at = 1; at <= 200; at++) {
    tell(at, { count: 6 });
    times.push(...asked(parity, at, at));
  }
  expect(times).toEqual([3, 13, 33, 73, 153]);
  tell(201);
  for (const at of [202, 203, 204]) tell(at, { count: 6 });
  expect(asked(parity, 204, 204)).toEqual([204]);
});

test('a peer without a cache to compare: what was lost is asked for once', () => {
  const { parity } = check();
  parity.noDigest('it keeps none', 0);
  expect(asked(parity, 1, 5)).toEqual([]);
  parity.noDigest('it keeps none', 3);
  expect(asked(parity, 6, 30)).toEqual([6]);
  expect(parity.view(seconds(30), true, undefined)).toEqual({
    parity: 'unknown',
    parityBecause: 'it keeps none',
  });
});

test('since when each comparison found them equal: not before a gap, and not while they differ', () => {
  const { parity, tell } = check();
  const times = (at: number) => {
    const view = parity.view(seconds(at), true, undefined);
    return [view.parityEqualSince, view.parityComparedAt].map((one) =>
      one === undefined ? undefined : toSeconds(one),
    );
  };
  expect(times(0)).toEqual([undefined, undefined]);
  tell(1);
  tell(2);
  expect(times(2)).toEqual([1, 2]);
  // Nothing is known between them: nobody can say that they were equal.
  expect(times(7)).toEqual([undefined, 2]);
  tell(9);
  expect(times(9)).toEqual([9, 9]);
  parity.reset();
  expect(times(9)).toEqual([undefined, undefined]);
});
