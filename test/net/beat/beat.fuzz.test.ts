/** Arbitrary and mutated datagrams on a path: a refusal or a beat, and nothing else. */
import fc from 'fast-check';
import { DecodeError } from '../../../src/base/errors.js';
import { decodeHeardBeat } from '../../../src/net/beat/heardBeat.js';
import { BeatDoor } from '../../support/net/beatDoor.js';

const seconds = process.env['KEEPSTATE_FULL'] === '1' ? 20 : 2;
const limits = {
  numRuns: Number.MAX_SAFE_INTEGER,
  interruptAfterTimeLimit: seconds * 1_000,
  markInterruptAsFailure: false,
};
const least = 100_000;
const key = Buffer.alloc(32, 3);

interface Mutation {
  readonly changes: readonly (readonly [number, number])[];
  readonly length: number | undefined;
}

/** Some bytes overwritten, and the end cut or grown. */
const mutation: fc.Arbitrary<Mutation> = fc.record({
  changes: fc.array(fc.tuple(fc.nat(700), fc.nat(255)), { maxLength: 4 }),
  length: fc.option(fc.nat(700), { nil: undefined }),
});

function mutated(bytes: Uint8Array, { changes, length }: Mutation): Uint8Array {
  const changed = new Uint8Array(length ?? bytes.length);
  changed.set(bytes.subarray(0, changed.length));
  for (const [at, value] of changes) if (at < changed.length) changed[at] = value;
  return changed;
}

describe.each(['with a key', 'without a key'])('%s', (kind) => {
  const hasKey = kind === 'with a key';
  let door: BeatDoor;
  beforeEach(() => {
    door = new BeatDoor();
    if (hasKey) door.native.setKey(Buffer.from(key));
  });
  afterEach(() => door.native.close());

  test('mutated beats are refused, or count; every one is accounted for', () => {
    let sequence = 0;
    let delivered = 0;
    fc.assert(
      fc.property(fc.nat(1), fc.nat(512), mutation, (index, size, change) => {
        const sealed = hasKey ? { key } : {};
        const content = new Uint8Array(size).fill(size);
        const beat = door.datagram(index, { ...sealed, sequence: ++sequence, content });
        delivered++;
        const answer = door.native.deliver(index, mutated(beat, change));
        expect(answer >= 0 && answer <= 6).toBe(true);
        if (answer === 0) expect(decodeHeardBeat(door.newest()).sequence).toBeDefined();
      }),
      limits,
    );
    const counted = [...door.report().paths.values()].reduce(
      (sum, { accepted, refused }) =>
        sum + accepted + Object.values(refused).reduce((a, b) => a + b, 0),
      0,
    );
    expect(counted).toBe(delivered);
  }, 120_000);

  test('100,000 datagrams of junk count for nothing', () => {
    // xorshift: junk that is the same in each run.
    let state = 2_463_534_242;
    const next = (): number => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return state >>> 0;
    };
    const memory = Buffer.alloc(1_024);
    let refused = 0;
    for (let i = 0; i < least; i++) {
      for (let words = 0; words < 8; words++) memory.writeUInt32BE(next(), next() % 1_020);
      if (door.native.deliver(i % 2, memory.subarray(0, next() % 700)) > 0) refused++;
    }
    expect(refused).toBe(least);
    expect(door.newest()).toHaveLength(0);
    expect(door.stranger()).toHaveLength(0);
  }, 120_000);
});

test('bytes that are no beat are a DecodeError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      try {
        decodeHeardBeat(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(DecodeError);
      }
    }),
    limits,
  );
}, 120_000);
