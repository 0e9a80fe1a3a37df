/**
 * Which leftovers may go: the messages, both ends of the comparison, and what each of its memories
 * holds.
 */
import { microseconds, milliseconds, seconds } from '../../../src/base/time.js';
import { FormerMaster, isAdopted } from '../../../src/sync/comparison/adoption.js';
import { ComparedTables } from '../../../src/sync/comparison/comparedTables.js';
import { Comparison } from '../../../src/sync/comparison/comparison.js';
import { EndedKeys } from '../../../src/sync/comparison/endedKeys.js';
import { keyHash, keyRest, type KeySeeds } from '../../../src/sync/tables/flowKeyHash.js';
import { partCount, partOf, KeyDigests } from '../../../src/sync/wire/keyDigests.js';
import { Leftovers } from '../../../src/sync/comparison/leftovers.js';
import { Mastership, type EndingCache } from '../../../src/sync/comparison/mastership.js';
import {
  decodeKeyMessage,
  encodeKeyMessage,
  isKeyMessage,
  keyVerdict,
  mostKeys,
  type KeyMessage,
} from '../../../src/sync/wire/keyMessage.js';
import { decodePeerMessage } from '../../../src/sync/wire/peerMessage.js';
import { numberedFlow } from '../../support/sync/purgeLife.js';

const seeds: KeySeeds = [11, 22];
const random = { below: () => 5 };

describe('the messages', () => {
  const vectors: readonly (readonly [KeyMessage, string])[] = [
    [
      { kind: 'part', token: 1, part: 2, count: 3, high: 0x04050607, low: 0xfffffffe },
      '4b535031 01 00000001 02 00000003 04050607 fffffffe',
    ],
    [
      { kind: 'partAnswer', token: 1, part: 2, isSame: true, keys: Uint32Array.of(0x02000009, 7) },
      '4b535031 02 00000001 02 01 02000009 00000007',
    ],
    [
      { kind: 'keys', token: 0xffffffff, number: 8, keys: Uint32Array.of(1, 3) },
      '4b535031 03 ffffffff 00000008 00000001 00000003',
    ],
    [
      { kind: 'keysAnswer', token: 1, number: 8, verdicts: Uint8Array.of(0, 1, 2) },
      '4b535031 04 00000001 00000008 00 01 02',
    ],
  ];

  test.each(vectors)('%j has these bytes, and these bytes are that message', (message, hex) => {
    const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex');
    expect(Buffer.from(encodeKeyMessage(message)).toString('hex')).toBe(bytes.toString('hex'));
    expect(decodeKeyMessage(bytes)).toEqual(message);
    // A keepstate 0.1.0 looks for JSON there.
    expect(decodePeerMessage(bytes)).toBeUndefined();
  });

  test.each(vectors)('%j cut short is no message, or one with fewer keys', (message, hex) => {
    const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex');
    for (let length = 0; length < bytes.length; length++) {
      const cut = decodeKeyMessage(bytes.subarray(0, length));
      if (cut !== undefined) expect(['partAnswer', 'keys', 'keysAnswer']).toContain(message.kind);
    }
  });

  test('one with more keys than a datagram holds, an unknown verdict or an unknown kind is none', () => {
    const keys = new Uint32Array(2 * (mostKeys + 1));
    const tooLong = encodeKeyMessage({ kind: 'keys', token: 1, number: 1, keys });
    expect(decodeKeyMessage(tooLong)).toBeUndefined();
    const verdicts = Uint8Array.of(3);
    const strange = encodeKeyMessage({ kind: 'keysAnswer', token: 1, number: 1, verdicts });
    expect(decodeKeyMessage(strange)).toBeUndefined();
    expect(decodeKeyMessage(Buffer.from('KSP1\x09aaaa'))).toBeUndefined();
    expect(isKeyMessage(Buffer.from('KSP1{"kind":"noDigest"}'))).toBe(false);
  });

  test('the longest fits into what a peer reads', () => {
    const keys = new Uint32Array(2 * mostKeys);
    const longest = encodeKeyMessage({ kind: 'keys', token: 1, number: 1, keys });
    expect(longest.length).toBeLessThanOrEqual(1_024);
  });
});

/** Both ends, joined without a network. */
function compare(options: {
  readonly asker: readonly number[];
  readonly leftovers?: readonly number[];
  readonly told: readonly number[];
  readonly held: readonly number[];
  readonly ended?: readonly number[];
  readonly onlyEnded?: boolean;
}): { removable: readonly number[]; neither: number; messages: readonly string[] } {
  const ended = new EndedKeys(seeds);
  for (const number of options.ended ?? []) ended.add(numberedFlow(number));
  const tables = new ComparedTables(9, ended);
  for (const number of options.held) tables.addHeld(...keyOf(number));
  for (const number of options.told) tables.addTold(...keyOf(number));
  const digests = new KeyDigests();
  const parts: number[][] = Array.from({ length: partCount }, () => []);
  for (const number of options.asker) digests.add(...keyOf(number));
  const leftovers = options.leftovers ?? options.asker;
  for (const number of leftovers) parts[partOf(keyOf(number)[0])]!.push(...keyOf(number));
  const messages: string[] = [];
  const queue: KeyMessage[] = [];
  const comparison = new Comparison(
    {
      ...{ token: 9, digests, onlyEnded: options.onlyEnded ?? false },
      leftovers: (part) => Uint32Array.from(parts[part]!),
    },
    (message) => queue.push(message),
    microseconds(0),
  );
  for (let i = 0; i < 1_000 && !comparison.isDone; i++) {
    for (const question of queue.splice(0)) {
      messages.push(question.kind);
      if (question.kind !== 'part' && question.kind !== 'keys') continue;
      comparison.received(tables.answer(question), microseconds(i));
    }
    comparison.tick(microseconds(i));
  }
  expect(comparison.isDone).toBe(true);
  const removable = leftovers.filter((number) => comparison.removable.has(...keyOf(number)));
  return { removable, neither: comparison.neither, messages };
}

function keyOf(number: number): readonly [number, number] {
  const flow = numberedFlow(number);
  return [keyHash(flow, seeds), keyRest(flow, seeds)];
}

const some = (from: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => from + i);

describe('a comparison', () => {
  test('of equal tables takes digests alone, and lets go what the MASTER holds or ended', () => {
    const asker = some(1, 3_000);
    const held = some(1, 1_000);
    const ended = some(1_001, 500);
    const result = compare({ asker, told: asker, held, ended });
    expect(result.removable).toEqual([...held, ...ended]);
    expect(result.neither).toBe(1_500);
    expect(result.messages.every((kind) => kind === 'part')).toBe(true);
    expect(result.messages).toHaveLength(partCount);
  });

  test('goes to keys where the MASTER was not told the same, and comes to the same end', () => {
    const asker = some(1, 3_000);
    const result = compare({ asker, told: [], held: some(1, 1_000), ended: some(1_001, 500) });
    expect(result.removable).toEqual(some(1, 1_500));
    expect(result.neither).toBe(1_500);
    expect(result.messages).toContain('keys');
  });

  test('asks for keys where more is missing than a message holds', () => {
    const inOnePart = some(1, 60_000).filter((number) => partOf(keyOf(number)[0]) === 3);
    expect(inOnePart.length).toBeGreaterThan(mostKeys + 1);
    const result = compare({ asker: inOnePart, told: inOnePart, held: [] });
    expect(result).toMatchObject({ removable: [], neither: inOnePart.length });
  });

  test('decides nothing of flows that are no leftovers', () => {
    const asker = some(1, 100);
    const result = compare({ asker, leftovers: some(1, 10), told: asker, held: asker });
    expect(result).toMatchObject({ removable: some(1, 10), neither: 0 });
  });

  test('without an external cache lets go only what the MASTER has ended', () => {
    const asker = some(1, 20);
    const result = compare({
      ...{ asker, told: asker, held: some(1, 10), ended: some(11, 5), onlyEnded: true },
    });
    expect(result).toMatchObject({ removable: some(11, 5), neither: 5 });
    expect(result.messages).not.toContain('part');
  });

  test('asks again what was lost, and gives up with a peer that falls silent', () => {
    const sent: KeyMessage[] = [];
    const digests = new KeyDigests();
    const comparison = new Comparison(
      { token: 1, digests, onlyEnded: true, leftovers: (part) => keysOf(part) },
      (message) => sent.push(message),
      seconds(1),
    );
    expect(sent).toHaveLength(1);
    comparison.tick(seconds(1));
    expect(sent).toHaveLength(1);
    comparison.tick(microseconds(seconds(1) + milliseconds(500)));
    expect(sent).toHaveLength(2);
    expect(comparison.hasFailed(seconds(10))).toBe(false);
    expect(comparison.hasFailed(seconds(11))).toBe(true);
    expect(comparison.removable.count).toBe(0);
  });

  test('believes no answer of another comparison, of another length or of another question', () => {
    const comparison = new Comparison(
      {
        ...{ token: 1, digests: new KeyDigests(), onlyEnded: true },
        leftovers: (part) => keysOf(part),
      },
      () => undefined,
      seconds(1),
    );
    const held = Uint8Array.of(keyVerdict.ended);
    const both = Uint8Array.of(keyVerdict.ended, keyVerdict.ended);
    const answer = { kind: 'keysAnswer', token: 1, number: 0, verdicts: held } as const;
    comparison.received({ ...answer, token: 2 }, seconds(1));
    comparison.received({ ...answer, number: 1 }, seconds(1));
    comparison.received({ ...answer, verdicts: both }, seconds(1));
    expect([comparison.removable.count, comparison.isDone]).toEqual([0, false]);
    comparison.received(answer, seconds(1));
    expect([comparison.removable.count, comparison.isDone]).toEqual([1, true]);
  });
});

/** One key, in part 0. */
function keysOf(part: number): Uint32Array {
  return part === 0 ? Uint32Array.of(5, 7) : new Uint32Array(0);
}

describe('leftovers', () => {
  const read = (): Leftovers => {
    const set = new Leftovers(seeds);
    for (const number of some(1, 3_000)) set.note(numberedFlow(number, 100), 1_000);
    return set;
  };

  test('stay leftovers while their time runs down, and none are that came later', () => {
    const set = read();
    expect(set.count).toBe(3_000);
    expect(set.isStill(numberedFlow(7, 60), 1_040)).toBe(true);
    // Two clocks in whole seconds.
    expect(set.isStill(numberedFlow(8, 62), 1_040)).toBe(true);
    expect(set.isStill(numberedFlow(3_001, 60), 1_040)).toBe(false);
  });

  test('a packet makes the time grow: from then on the flow is served here', () => {
    const set = read();
    expect(set.isStill(numberedFlow(7, 63), 1_040)).toBe(false);
    expect(set.isStill(numberedFlow(7, 1), 1_100)).toBe(false);
    expect(set.count).toBe(2_999);
  });

  test('another flow with the same tuple is none', () => {
    expect(read().isStill(numberedFlow(7, 60, 8_888), 1_040)).toBe(false);
  });

  test('that are forgotten are none, and their places can be noted again', () => {
    const set = read();
    expect(set.forget(numberedFlow(7))).toBe(true);
    expect(set.forget(numberedFlow(7))).toBe(false);
    set.note(numberedFlow(7, 100), 1_000);
    expect(set.isStill(numberedFlow(7, 90), 1_010)).toBe(true);
  });
});

describe('what a MASTER has ended', () => {
  test('is remembered up to a number in each part; a part that is full knows that it is not complete', () => {
    const keys = new EndedKeys(seeds, 2);
    const numbers = some(1, 3_000).filter((number) => partOf(keyOf(number)[0]) === 9);
    const [first, second, third] = numbers as [number, number, number];
    for (const number of [first, first, second]) keys.add(numberedFlow(number));
    expect([keys.count, keys.isComplete(9)]).toEqual([2, true]);
    keys.add(numberedFlow(third));
    expect([keys.count, keys.isComplete(9), keys.isComplete(10)]).toEqual([2, false, true]);
    expect(keys.has(...keyOf(second))).toBe(true);
    expect(keys.has(...keyOf(third))).toBe(false);
  });

  test('is remembered from the role on, until the peer has nothing left over', () => {
    let listener: ((flow: ReturnType<typeof numberedFlow>) => void) | undefined;
    const cache: EndingCache = {
      setServing: () => undefined,
      onEnded: (heard) => {
        listener = heard;
      },
    };
    const mastership = new Mastership(random, cache);
    expect(listener).toBeUndefined();
    mastership.begin(seconds(1));
    listener?.(numberedFlow(1));
    expect(mastership.ended.count).toBe(1);
    // The worker is told the role again.
    mastership.begin(seconds(2));
    expect([mastership.ended.count, mastership.since]).toEqual([1, seconds(1)]);
    mastership.peerHasNone();
    listener?.(numberedFlow(2));
    expect(mastership.ended.count).toBe(0);
    mastership.peerHasSome();
    listener?.(numberedFlow(3));
    expect(mastership.ended.count).toBe(1);
    const next = new Mastership(random, cache, mastership);
    expect([next.since, next.ended.count]).toEqual([seconds(1), 1]);
    next.end();
    expect([listener, next.since, next.ended.count]).toEqual([undefined, undefined, 0]);
  });
});

describe('what a returning former MASTER has alone', () => {
  test('may be committed for a minute from when it says so, where it can have been MASTER', () => {
    const former = new FormerMaster();
    expect(former.isOpen(seconds(100), seconds(50))).toBe(false);
    former.said(seconds(49), seconds(100));
    expect(former.isOpen(seconds(100), seconds(50))).toBe(true);
    // Said again each second, with what has passed since.
    former.said(microseconds(seconds(49) + 1), seconds(130));
    expect(former.isOpen(seconds(159), seconds(50))).toBe(true);
    expect(former.isOpen(seconds(160), seconds(50))).toBe(false);
    former.forget();
    former.said(seconds(49), seconds(170));
    // It is MASTER again: what it tells now is no flow of before.
    former.said(undefined, seconds(170));
    expect(former.isOpen(seconds(171), seconds(50))).toBe(false);
    former.said(seconds(49), seconds(171));
    expect(former.isOpen(seconds(171), seconds(50))).toBe(true);
    // This node was MASTER long before: that is a split, or no truth.
    expect(former.isOpen(seconds(171), seconds(45))).toBe(false);
  });

  test('is not what is held, ended, known since the takeover, or perhaps ended', () => {
    const ended = new EndedKeys(seeds, 1);
    const [hash, rest] = keyOf(1);
    const told = { isHeld: false, hash, rest, toldAt: 10 };
    expect(isAdopted(told, ended, 10)).toBe(true);
    expect(isAdopted({ ...told, isHeld: true }, ended, 10)).toBe(false);
    expect(isAdopted(told, ended, 11)).toBe(false);
    ended.add(numberedFlow(1));
    expect(isAdopted(told, ended, 10)).toBe(false);
    const neighbours = some(2, 3_000).filter((number) => partOf(keyOf(number)[0]) === partOf(hash));
    const full = new EndedKeys(seeds, 1);
    for (const number of neighbours.slice(0, 2)) full.add(numberedFlow(number));
    expect(isAdopted(told, full, 10)).toBe(false);
  });
});
