import fc from 'fast-check';
import { DatagramBuilder } from '../../../src/sync/wire/datagramBuilder.js';

const room = 400;

/** Messages of these lengths, numbered by their bytes; a length of 0 is a flush. */
function build(
  lengths: readonly number[],
  ofRoom = room,
): { runs: number[][]; datagrams: Buffer[] } {
  const runs: number[][] = [];
  const datagrams: Buffer[] = [];
  const builder = new DatagramBuilder(ofRoom, (bytes, size) => {
    const run: number[] = [];
    for (let at = 0; at < bytes.length; at += size) {
      const datagram = Buffer.from(bytes.subarray(at, at + size));
      run.push(datagram.length);
      datagrams.push(datagram);
    }
    runs.push(run);
  });
  lengths.forEach((length, i) => {
    if (length === 0) builder.flush();
    else {
      for (let at = 0; at < length; at++) builder.view.setUint8(builder.used + at, i & 0xff);
      builder.append(length);
    }
  });
  builder.flush();
  return { runs, datagrams };
}

/** One datagram after the other, as conntrackd lays them out. */
function plain(lengths: readonly number[]): Buffer[] {
  const datagrams: Buffer[] = [];
  let filling = Buffer.alloc(0);
  const send = (): void => {
    if (filling.length > 0) datagrams.push(filling);
    filling = Buffer.alloc(0);
  };
  lengths.forEach((length, i) => {
    if (length === 0 || filling.length + length >= room) send();
    filling = Buffer.concat([filling, Buffer.alloc(length, i & 0xff)]);
  });
  send();
  return datagrams;
}

describe('the datagrams', () => {
  test('hold the same messages, in the same order, as without runs', () => {
    const length = fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom(40, 84, 96) },
      { weight: 2, arbitrary: fc.integer({ min: 8, max: 500 }) },
      { weight: 1, arbitrary: fc.constant(0) },
    );
    fc.assert(
      fc.property(fc.array(length, { maxLength: 400 }), (lengths) => {
        expect(build(lengths).datagrams).toEqual(plain(lengths));
      }),
    );
  });

  test('go out together while they have one size; a shorter one ends the run, a longer one begins another', () => {
    const full = [130, 130, 130];
    expect(build([...full, ...full, ...full, 60]).runs).toEqual([[390, 390, 390, 60]]);
    expect(build([...full, ...full, 396, ...full]).runs).toEqual([
      [390, 390],
      [396, 390],
    ]);
    expect(build([...full, 60, 396, ...full]).runs).toEqual([
      [390, 60],
      [396, 390],
    ]);
  });

  test('of one run are never more than the kernel takes in one call', () => {
    const small = build(new Array<number>(500).fill(60), 128).runs;
    expect(Math.max(...small.map((run) => run.length))).toBe(64);
    const large = build(new Array<number>(500).fill(1_000), 8_972).runs;
    for (const run of large) expect(run.reduce((sum, size) => sum + size)).toBeLessThan(65_000);
    expect(large.flat().reduce((sum, size) => sum + size)).toBe(500_000);
  });
});
