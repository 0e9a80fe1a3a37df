import { unansweredText } from '../../src/cli/liveView.js';
import { refusal } from '../../src/control/protocol.js';

const plain = { colour: false, columns: 80 };
const now = Date.parse('2026-03-01T12:00:00.000Z');
const refused = refusal('no-daemon', 'no daemon answers at /s', 'start it');

test('line one says that nobody answers, and what was said before is marked as old', () => {
  expect(unansweredText(refused, now - 5_000, 'fw1 is MASTER', now, plain)).toBe(
    `NO ANSWER, nobody knows who is MASTER: no daemon answers at /s
  remedy: start it

5.0 s ago, at 2026-03-01 11:59:55 UTC, it said:
fw1 is MASTER`,
  );
});

test('a daemon that never answered has said nothing', () => {
  expect(unansweredText(refused, undefined, '', now, plain)).not.toContain('it said');
});
