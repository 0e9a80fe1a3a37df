import type { ControlRequest } from '../../src/control/protocol.js';
import { isReading, readersPath, readOnly } from '../../src/control/readOnly.js';

const reading: readonly ControlRequest[] = [
  { verb: 'ping' },
  { verb: 'status' },
  { verb: 'history' },
  { verb: 'events' },
  { verb: 'stats' },
];
const changing: readonly ControlRequest[] = [
  { verb: 'sync', action: 'flush' },
  { verb: 'failover', force: true },
  { verb: 'failoverRelease' },
  { verb: 'maintenance', on: true, force: true },
  { verb: 'acknowledge', all: true },
  { verb: 'reload' },
];

test('who only reads is answered, and changes nothing', async () => {
  const asked: string[] = [];
  const handler = readOnly({
    subscribe: () => () => undefined,
    answer: ({ verb }) => {
      asked.push(verb);
      return Promise.resolve({ ok: true, result: verb });
    },
  });
  for (const request of reading) {
    expect(isReading(request)).toBe(true);
    expect(await handler.answer(request)).toMatchObject({ ok: true });
  }
  for (const request of changing) {
    expect(isReading(request)).toBe(false);
    expect(await handler.answer(request)).toMatchObject({ ok: false, code: 'read-only' });
  }
  expect(asked).toEqual(reading.map(({ verb }) => verb));
});

test('the socket stands beside the one that it belongs to', () => {
  expect(readersPath('/run/keepstate/control.sock')).toBe('/run/keepstate/read.sock');
  expect(readersPath('/run/keepstate/b.sock')).toBe('/run/keepstate/b.read.sock');
});
