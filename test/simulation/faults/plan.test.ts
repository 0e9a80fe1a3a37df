import { faultKinds, planOf } from './plan.js';

test('a seed is a plan, always the same', () => {
  expect(planOf(17)).toEqual(planOf(17));
  expect(planOf(17)).not.toEqual(planOf(18));
});

test('each kind of fault comes, and none begins when the cluster is to come to rest', () => {
  const plans = Array.from({ length: 2_000 }, (_, seed) => planOf(seed));
  const seen = new Set(plans.flatMap(({ faults }) => faults.map(({ kind }) => kind)));
  expect([...seen].sort()).toEqual([...faultKinds].sort());
  const late = plans.filter(({ faults, quietFrom }) => faults.some(({ at }) => at >= quietFrom));
  expect(late).toEqual([]);
  const times = plans.map(({ faults }) => faults.map(({ at }) => at));
  expect(times.every((list) => list.every((at, i) => i === 0 || at >= (list[i - 1] ?? 0)))).toBe(
    true,
  );
});
