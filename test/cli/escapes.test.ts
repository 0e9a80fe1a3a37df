/** Names and sentences that others choose reach no terminal, log or service manager as they are. */
import { historyLine } from '../../src/cli/historyText.js';
import { doneText } from '../../src/cli/operationCommands.js';
import { findingsText } from '../../src/cli/doctorCommand.js';
import { statusText } from '../../src/cli/statusText.js';
import { printableLines } from '../../src/base/printable.js';
import { formatProblem } from '../../src/config/problem.js';
import { formatLine } from '../../src/daemon/log/log.js';
import { serviceStatusLine } from '../../src/daemon/status/serviceStatusLine.js';
import { syslogDatagram } from '../../src/daemon/log/syslog.js';
import { decodePeerMessage, encodePeerMessage } from '../../src/sync/wire/peerMessage.js';
import { sampleStatus } from './statusSample.js';

const bad = 'x\x1b]0;owned\x07\x9b2J\u202e\r';
const look = { colour: false, columns: 80 };
const at = '2026-01-01T00:00:00.000Z';

/** Every string of a value becomes the bad one, but for times, which are read. */
function poisoned<T>(value: T): T {
  const poison = (one: unknown): unknown => {
    if (typeof one === 'string') return /^\d{4}-/.test(one) ? one : bad;
    if (Array.isArray(one)) return one.map(poison);
    if (typeof one !== 'object' || one === null) return one;
    return Object.fromEntries(Object.entries(one).map(([key, field]) => [key, poison(field)]));
  };
  return poison(value) as T;
}

const units = [{ name: bad, state: 'MASTER' }] as never;
const rendered: readonly (readonly [string, () => string])[] = [
  ['status', () => statusText(poisoned(sampleStatus), Date.parse(at), look)],
  [
    'history and events',
    () =>
      historyLine(
        { at, ...poisoned({ name: '', kind: 'group' as const, from: '', to: '', because: '' }) },
        look,
      ),
  ],
  ['the answer of a verb', () => doneText({ message: bad })],
  [
    'doctor',
    () => findingsText([{ severity: 'error', code: 'x', text: bad, remedy: bad }] as never, look),
  ],
  [
    'a problem of a configuration',
    () =>
      formatProblem({
        ...{
          severity: 'error',
          code: 'unknown-keyword',
          message: bad,
          expected: bad,
          nearest: bad,
        },
        at: { file: bad, line: 1, column: 1 },
      }),
  ],
  ['a line of the log', () => formatLine('T', 'error', bad, { unit: bad, word: 'x\x1b' })],
  [
    'a syslog datagram',
    () => syslogDatagram({ level: 'error', message: bad, fields: { bad } }, 'daemon', 1),
  ],
  ['the status of the service', () => serviceStatusLine({ units } as never, undefined)],
];

test.each(rendered)('%s', (_what, render) => {
  const text = render();
  expect(text).toContain('x');
  expect(printableLines(text)).toBe(text);
});

test("a peer's texts are bounded and printable where they are decoded", () => {
  const decode = (message: object): unknown =>
    decodePeerMessage(encodePeerMessage(message as never));
  const long = 'n'.repeat(300);
  expect(decode({ kind: 'hello', name: `${bad}${long}`, version: long, heard: true })).toEqual({
    kind: 'hello',
    name: `x?]0;owned??2J??${'n'.repeat(48)}`,
    version: 'n'.repeat(64),
    heard: true,
  });
  expect(
    decode({ kind: 'offerAnswer', token: 1, ready: false, because: `${bad}${long}` }),
  ).toMatchObject({
    because: `x?]0;owned??2J??${'n'.repeat(184)}`,
  });
});
