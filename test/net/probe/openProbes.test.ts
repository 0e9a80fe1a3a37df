import { OpenProbes } from '../../../src/net/probe/openProbes.js';

const source = Uint8Array.of(1);
const payload = (text: string): Uint8Array => Buffer.from(text);

function opened(): { probes: OpenProbes; answered: number[]; open: (key: number) => void } {
  const probes = new OpenProbes();
  const answered: number[] = [];
  const open = (key: number): void => {
    probes.open(key, {
      isProven: (from, bytes) => from[0] === 1 && Buffer.from(bytes).toString() === `p${key}`,
      answered: () => answered.push(key),
    });
  };
  return { probes, answered, open };
}

test('the right answer counts once, its repetition is a duplicate', () => {
  const { probes, answered, open } = opened();
  open(7);
  probes.received(7, source, payload('p7'));
  probes.received(7, source, payload('p7'));
  expect(answered).toEqual([7]);
  expect(probes.counters).toEqual({ junk: 0, duplicates: 1, late: 0, floods: 0 });
});

test.each([
  ['another key', 8, 1, 'p7'],
  ['another source', 7, 2, 'p7'],
  ['another payload', 7, 1, 'p8'],
])('%s is junk, and the probe stays open', (_name, key, from, text) => {
  const { probes, answered, open } = opened();
  open(7);
  probes.received(key, Uint8Array.of(from), payload(text));
  expect(answered).toEqual([]);
  probes.received(7, source, payload('p7'));
  expect(answered).toEqual([7]);
  expect(probes.counters).toMatchObject({ junk: 1, duplicates: 0 });
});

test('an answer to a probe that was given up is late', () => {
  const { probes, answered, open } = opened();
  open(7);
  probes.forget(7);
  probes.received(7, source, payload('p7'));
  probes.received(7, source, payload('other'));
  expect(answered).toEqual([]);
  expect(probes.counters).toMatchObject({ late: 1, junk: 1 });
});

test('the number comes again: the new probe is meant', () => {
  const { probes, answered, open } = opened();
  open(7);
  probes.forget(7);
  open(7);
  probes.received(7, source, payload('p7'));
  expect(answered).toEqual([7]);
});

test('what is remembered is bounded', () => {
  const { probes, open } = opened();
  for (let key = 0; key < 10_000; key++) {
    open(key);
    probes.forget(key);
  }
  probes.received(9_999, source, payload('p9999'));
  probes.received(9_000, source, payload('p9000'));
  expect(probes.counters).toMatchObject({ late: 1, junk: 1 });
});
