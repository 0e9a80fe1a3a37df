/** When the content of kernel and internal cache is compared, going by their counts. */
import { seconds } from '../../../src/base/time.js';
import { KernelBalance } from '../../../src/sync/local/kernelBalance.js';

/** Compared at second 1: the kernel has 10,000 flows, the cache 9,000, the rest is ignored. */
function balance(): KernelBalance {
  const one = new KernelBalance();
  compare(one, 1, 10_000, 9_000);
  return one;
}

function compare(one: KernelBalance, at: number, kernel: number, cache: number): void {
  const ignored = kernel - cache;
  one.compared({ startedAt: seconds(at), endedAt: seconds(at), ignored, kernel, cache });
}

test('a difference that stays is that of the filter, whatever the counts become', () => {
  const one = balance();
  for (const flows of [50_000, 3_000, 20_000, 1_000]) one.read(flows, flows - 1_000);
  expect([one.isApart, one.doubt, one.due(seconds(100))]).toEqual([false, undefined, undefined]);
});

test.each([
  ['100 flows', 100, false],
  ['101 flows of 10,000', 101, true],
])('three readings in a row that part by more than %s count', (_, more, counts) => {
  const one = balance();
  const read = (): void => {
    one.read(10_000, 9_000 - more);
  };
  read();
  read();
  expect(one.isApart).toBe(false);
  one.read(10_000, 9_000);
  read();
  read();
  expect(one.isApart).toBe(false);
  read();
  expect(one.isApart).toBe(counts);
});

test('of a large table it must be more than one in a hundred', () => {
  const one = balance();
  compare(one, 2, 100_000, 100_000);
  for (let i = 0; i < 3; i++) one.read(100_000, 99_000);
  expect(one.isApart).toBe(false);
  for (let i = 0; i < 3; i++) one.read(100_000, 98_999);
  expect(one.isApart).toBe(true);
});

test('it compares by itself once a minute at most, and knows nothing meanwhile', () => {
  const one = balance();
  for (let i = 0; i < 3; i++) one.read(10_000, 0);
  expect(one.due(seconds(60))).toBeUndefined();
  expect(one.doubt).toBe('the kernel holds other flows than the internal cache');
  expect(one.due(seconds(61))).toMatchObject({ isEmptied: false });
  compare(one, 61, 10_000, 10_000);
  expect([one.doubt, one.due(seconds(200))]).toEqual([undefined, undefined]);
});

test('a change of role asks for a comparison that begins behind it', () => {
  const one = balance();
  one.roleChanged(seconds(30));
  expect(one.due(seconds(40))).toBeUndefined();
  expect(one.due(seconds(61))).toEqual({ because: 'the role changed', isEmptied: false });
  const earlier = { startedAt: seconds(29), endedAt: seconds(31), ignored: 0, cache: 1 };
  one.compared({ ...earlier, kernel: 1 });
  expect(one.due(seconds(91))).toBeDefined();
  compare(one, 91, 1, 1);
  expect(one.due(seconds(300))).toBeUndefined();
});

test('an emptied cache is filled at once, and not by what had begun before', () => {
  const one = balance();
  one.emptied(seconds(5));
  expect([one.isEmptied, one.due(seconds(5))?.isEmptied]).toEqual([true, true]);
  expect(one.doubt).toContain('emptied');
  const earlier = { startedAt: seconds(4), endedAt: seconds(6), ignored: 0, kernel: 9, cache: 0 };
  one.compared(earlier);
  expect(one.isEmptied).toBe(true);
  compare(one, 6, 9, 9);
  expect([one.isEmptied, one.doubt, one.due(seconds(7))]).toEqual([false, undefined, undefined]);
});

test('a kernel that does not tell its count is compared where something else asks for it', () => {
  const one = new KernelBalance();
  one.compared({
    startedAt: seconds(1),
    endedAt: seconds(1),
    ignored: 3,
    kernel: undefined,
    cache: 5,
  });
  expect([one.kernel, one.ignored, one.isApart]).toEqual([undefined, 3, false]);
  one.emptied(seconds(2));
  expect(one.due(seconds(2))).toBeDefined();
});
