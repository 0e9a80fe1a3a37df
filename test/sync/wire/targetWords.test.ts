/** Words about targets, as the peer channel carries them. */
import { microseconds, milliseconds, seconds } from '../../../src/base/time.js';
import { decodePeerMessage, encodePeerMessage } from '../../../src/sync/wire/peerMessage.js';
import {
  fromWireWords,
  spreadWords,
  type TargetFigures,
  type TargetWord,
} from '../../../src/sync/wire/targetWords.js';

const figures: TargetFigures = {
  address: 'icmp 198.51.100.1',
  state: 'bad',
  age: milliseconds(900),
  roundTrip: { last: microseconds(310), median: microseconds(320), worst: microseconds(90_000) },
  answered: 57,
  lost: 3,
};
const word: TargetWord = {
  name: 'WAN',
  state: 'bad',
  age: seconds(2),
  question: 77,
  answer: { question: 12, says: 'answered' },
  addresses: [figures],
};

/** Over the wire, each message within what a receiver takes. */
function carried(words: readonly TargetWord[]): readonly TargetWord[] {
  return spreadWords(words).flatMap((some) => {
    const datagram = encodePeerMessage({ kind: 'targets', words: some });
    expect(datagram.length).toBeLessThanOrEqual(1_024);
    const message = decodePeerMessage(datagram);
    if (message?.kind !== 'targets') throw new Error('no targets');
    return fromWireWords(message.words);
  });
}

test('a word arrives as it was said', () => {
  const unasked: TargetWord = {
    ...{ name: 'LAN', state: 'unknown', age: seconds(0), question: 0 },
    addresses: [
      { address: 'arp 10.0.0.1', state: 'unknown', age: seconds(0), answered: 0, lost: 0 },
    ],
  };
  const words = [word, unasked];
  expect(carried(words)).toEqual(words);
  expect(carried([])).toEqual([]);
});

test('many words take several messages, and none is lost', () => {
  const many = Array.from({ length: 64 }, (_unused, i) => ({ ...word, name: `T${i}` }));
  expect(carried(many)).toEqual(many);
});

test('eight addresses with long names fit, if need be without their figures', () => {
  const long = { ...figures, address: `tcp ${'2001:db8:'.repeat(5)} 65535` };
  const [got] = carried([{ ...word, name: 'n'.repeat(48), addresses: Array(8).fill(long) }]);
  expect(got).toMatchObject({ question: 77, answer: { says: 'answered' }, addresses: [] });
});

test.each([
  ['no object', 7],
  ['no state', { ...spreadWords([word])[0]?.[0], state: 'well' }],
  ['a negative age', { ...spreadWords([word])[0]?.[0], ageMs: -1 }],
  ['a question that is too large', { ...spreadWords([word])[0]?.[0], question: 2 ** 32 }],
  ['a strange answer', { ...spreadWords([word])[0]?.[0], answer: { question: 1, says: 'yes' } }],
  ['figures that are none', { ...spreadWords([word])[0]?.[0], addresses: [{ address: 'x' }] }],
  ['nine addresses', { ...spreadWords([word])[0]?.[0], addresses: Array(9).fill({}) }],
])('%s is no word, and its neighbours are read', (_name, bad) => {
  expect(fromWireWords([bad, spreadWords([word])[0]?.[0]])).toEqual([word]);
});

test('names cannot steer a terminal, and are cut', () => {
  const [got] = carried([{ ...word, name: `\u001b[2J${'x'.repeat(200)}` }]);
  expect(got?.name).not.toContain('\u001b');
  expect(got?.name.length).toBeLessThanOrEqual(48);
});

test('what is no list is no message', () => {
  const datagram = Buffer.from('KSP1{"kind":"targets","words":7}');
  expect(decodePeerMessage(datagram)).toBeUndefined();
});
