import { seconds } from '../../../src/base/time.js';
import { SealKeys } from '../../../src/sync/seal/sealKeys.js';
import { readSealHeader, sealOverhead } from '../../../src/sync/wire/sealWire.js';
import { SeededRandom } from '../../support/base/seededRandom.js';
import { greetEachOther, otherKey, SealNode, sharedKey } from '../../support/sync/sealPeers.js';

const random = new SeededRandom(1);
const node = (options: Partial<ConstructorParameters<typeof SealNode>[0]> = {}): SealNode =>
  new SealNode({ random, ...options });

/** Its hello; fails where it is not time for one. */
function question(one: SealNode): Uint8Array {
  const hello = one.greeting();
  if (hello === undefined) throw new Error('it asks nothing');
  return hello;
}

function replyOf(one: SealNode, bytes: Uint8Array, source: string): Uint8Array {
  const reply = one.hear(bytes, source);
  if (reply === undefined) throw new Error('it does not answer');
  return reply;
}

function pair(options: Partial<ConstructorParameters<typeof SealNode>[0]> = {}): SealNode[] {
  const [a, b] = [node(options), node(options)];
  greetEachOther(a, b);
  return [a, b];
}

test.each([true, false])(
  'after the greeting both understand each other (encrypted: %s)',
  (encrypts) => {
    const [a, b] = pair({ encrypts }) as [SealNode, SealNode];
    b.hear(a.say('one'), 'a');
    a.hear(b.say('two'), 'b');
    expect([b.received, a.received]).toEqual([['one'], ['two']]);
    expect(a.say('one')).toHaveLength('one'.length + sealOverhead);
  },
);

test('what is sealed cannot be read, unless only authenticated', () => {
  const [a] = pair() as [SealNode, SealNode];
  const [clear] = pair({ encrypts: false }) as [SealNode, SealNode];
  const text = 'src=192.0.2.77';
  expect(Buffer.from(a.say(text)).toString('latin1')).not.toContain(text);
  expect(Buffer.from(clear.say(text)).toString('latin1')).toContain(text);
});

test('nothing is believed before the greeting, and then it is asked for', () => {
  const [a, b] = [node(), node()];
  b.hear(a.say('early'), 'a');
  expect([b.received, b.refused]).toEqual([[], ['unknownSession']]);
  expect(b.greeting()).toBeDefined();
});

test('enforce refuses what is plain', () => {
  const [, b] = pair() as [SealNode, SealNode];
  b.hear(new TextEncoder().encode('plain'), 'a');
  expect(b.refused).toEqual(['plain']);
});

test('every turned bit, every cut and every appended byte is refused', () => {
  const [a, b] = pair() as [SealNode, SealNode];
  const record = a.say('a message of some length');
  for (let bit = 0; bit < 8 * record.length; bit++) {
    b.hear(
      record.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte)),
      'a',
    );
  }
  for (let length = 0; length < record.length; length++) b.hear(record.subarray(0, length), 'a');
  b.hear(Uint8Array.from([...record, 0]), 'a');
  expect(b.received).toEqual([]);
  expect(new Set(b.refused)).toEqual(
    new Set(['plain', 'malformed', 'unknownKey', 'unknownSession', 'wrong']),
  );
  b.hear(record, 'a');
  expect(b.received).toEqual(['a message of some length']);
});

test('a datagram is received once, in whatever order', () => {
  const [a, b] = pair() as [SealNode, SealNode];
  const records = ['1', '2', '3'].map((text) => a.say(text).slice());
  for (const record of [...records].reverse()) b.hear(record, 'a');
  for (const record of records) b.hear(record, 'a');
  expect(b.received).toEqual(['3', '2', '1']);
  expect(b.refused).toEqual(['replayed', 'replayed', 'replayed']);
});

test('its own datagrams sent back are refused', () => {
  const [a] = pair() as [SealNode, SealNode];
  a.hear(a.say('echo'), 'b');
  expect(a.received).toEqual([]);
});

test('its own greetings sent back begin no session', () => {
  const [a] = pair() as [SealNode, SealNode];
  a.now = seconds(5);
  a.hear(node().say('who asks for a greeting'), 'b');
  let reflected: Uint8Array | undefined = question(a);
  for (let i = 0; i < 4 && reflected !== undefined; i++) reflected = a.hear(reflected, 'b');
  a.hear(a.say('echo'), 'b');
  expect(a.received).toEqual([]);
  expect(a.refused).toContain('reflected');
});

test('another key: nothing is believed, and the greeting is refused', () => {
  const stranger = { id: 1, bytes: otherKey.bytes };
  const [a, b] = [node(), node({ keys: [stranger] })];
  greetEachOther(a, b);
  a.hear(b.say('x'), 'b');
  expect(a.received).toEqual([]);
  expect(a.refused).toContain('wrong');
});

test('a restart of the peer: the old session holds until the new one has spoken', () => {
  const [a, b] = pair() as [SealNode, SealNode];
  a.hear(b.say('old 1'), 'b');
  const late = b.say('old 2').slice();
  const again = node();
  a.now = again.now = seconds(2);
  greetEachOther(a, again);
  a.hear(late, 'b');
  expect(a.received).toEqual(['old 1', 'old 2']);
  const lost = b.say('old 3').slice();
  a.hear(again.say('new 1'), 'b');
  a.hear(lost, 'b');
  expect(a.received).toEqual(['old 1', 'old 2', 'new 1']);
  expect(a.refused.at(-1)).toBe('unknownSession');
});

test('a recorded greeting and session of before the restart begin nothing', () => {
  const [a, b] = [node(), node()];
  const toB = question(a);
  const answer = replyOf(b, toB, 'a');
  const finish = replyOf(a, answer, 'b');
  b.hear(finish, 'a');
  const recorded = b.say('recorded').slice();
  a.hear(recorded, 'b');
  const again = node();
  a.now = again.now = seconds(2);
  greetEachOther(a, again);
  a.hear(again.say('now'), 'b');
  a.hear(answer, 'b');
  a.hear(recorded, 'b');
  expect(a.received).toEqual(['recorded', 'now']);
  expect(a.refused).toEqual(['staleAnswer', 'unknownSession']);
});

test('a flood of hellos is worked on 20 times a second, and a true peer is believed meanwhile', () => {
  const [a, b] = pair() as [SealNode, SealNode];
  a.hear(b.say('before'), 'b');
  const flood = question(node());
  let answers = 0;
  for (let i = 0; i < 10_000; i++) if (a.hear(flood, 'b') !== undefined) answers++;
  // The true one's was one of twenty.
  expect(answers).toBe(19);
  a.hear(b.say('during'), 'b');
  expect(a.received).toEqual(['before', 'during']);
  // The node starts again in the flood: it is asked, and its answer is always looked at.
  a.now = seconds(5);
  for (let i = 0; i < 100; i++) a.hear(flood, 'b');
  const again = node();
  a.hear(again.say('lost'), 'b');
  const answer = replyOf(again, question(a), 'a');
  again.hear(replyOf(a, answer, 'b'), 'a');
  a.hear(again.say('believed'), 'b');
  expect(a.received.at(-1)).toBe('believed');
});

test('a flood from many addresses takes no place of a peer', () => {
  const [a, b] = pair() as [SealNode, SealNode];
  a.hear(b.say('before'), 'b');
  const flood = question(node());
  for (let i = 0; i < 1_000; i++) a.hear(flood, `10.0.0.${i}`);
  a.hear(b.say('after'), 'b');
  expect(a.received).toEqual(['before', 'after']);
});

test('a rotation costs nothing: both keys are accepted, each with counters of its own', () => {
  const keys = [sharedKey, otherKey];
  const [a, b] = pair({ keys }) as [SealNode, SealNode];
  b.hear(a.say('under 1'), 'a');
  a.keys = new SealKeys(keys, 2);
  b.hear(a.say('under 2'), 'a');
  a.keys = new SealKeys(keys, 1);
  b.hear(a.say('under 1 again'), 'a');
  expect(b.received).toEqual(['under 1', 'under 2', 'under 1 again']);
  expect(b.heardKeys).toEqual([1, 2, 1]);
  b.keys = new SealKeys([otherKey], 2);
  b.hear(a.say('removed'), 'a');
  expect(b.refused).toEqual(['unknownKey']);
});

test('permissive: plain until the peer has shown the key, and never again afterwards', () => {
  const [a, b] = [node({ permissive: true }), node({ permissive: true })];
  expect(a.machine.seals).toBe(false);
  b.hear(a.say('plain'), 'a');
  expect(b.received).toEqual(['plain']);
  greetEachOther(a, b);
  b.hear(a.say('sealed'), 'a');
  expect(readSealHeader(a.say('x'))).toBeDefined();
  b.hear(new TextEncoder().encode('forged'), 'a');
  expect(b.received).toEqual(['plain', 'sealed']);
  expect(b.refused).toEqual(['plain']);
  // Kept over a restart: a man in the middle who drops hellos does not bring plain datagrams back.
  const again = node({ permissive: true, hasCompleted: b.isCompleted });
  again.hear(new TextEncoder().encode('forged'), 'a');
  expect(again.refused).toEqual(['plain']);
  expect(again.machine.seals).toBe(true);
});

test('permissive beside a node without keys stays plain', () => {
  const a = node({ permissive: true });
  for (let second = 0; second < 100; second++) {
    a.now = seconds(second);
    a.greeting();
    a.hear(new TextEncoder().encode(`plain ${second}`), 'b');
  }
  expect(a.received).toHaveLength(100);
  expect(a.machine.seals).toBe(false);
});

test('a session ends with its counters: the next one is asked for, and its first word again', () => {
  const [a, b] = pair({ counterLimit: 10 }) as [SealNode, SealNode];
  const said = Array.from({ length: 25 }, (_one, i) => `${i}`);
  for (const text of said) {
    const record = a.say(text).slice();
    a.now = b.now = seconds(Number(text));
    greetEachOther(a, b);
    b.hear(record, 'a');
  }
  // Under a session that was not believed yet.
  expect(b.received).toEqual(said.filter((text) => text !== '10' && text !== '20'));
});

test('a receiver that starts again accepts nothing that its last life could have accepted', () => {
  const [a, b] = pair() as [SealNode, SealNode];
  const recorded = a.say('recorded').slice();
  b.hear(recorded, 'a');
  const again = node();
  a.now = again.now = seconds(2);
  greetEachOther(a, again);
  again.hear(recorded, 'a');
  again.hear(a.say('new'), 'a');
  expect(again.received).toEqual(['new']);
  expect(again.refused).toEqual(['replayed']);
});
