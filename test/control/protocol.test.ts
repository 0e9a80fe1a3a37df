import {
  encodeLine,
  encodeRequest,
  parseLine,
  parseRequest,
  refusal,
  type ControlRequest,
} from '../../src/control/protocol.js';
import { BoundaryError } from '../../src/base/errors.js';
import { LineReader } from '../../src/control/lineReader.js';

const requests: readonly ControlRequest[] = [
  { verb: 'ping' },
  { verb: 'status' },
  { verb: 'history' },
  { verb: 'history', limit: 3 },
  { verb: 'events' },
  { verb: 'sync', action: 'commit' },
  { verb: 'sync', action: 'flush', cache: 'internal' },
  { verb: 'failover', force: true },
  { verb: 'failoverRelease' },
  { verb: 'maintenance', on: true, force: false },
  { verb: 'reload' },
];

describe('control protocol', () => {
  test.each(requests)('%j survives the wire', (request) => {
    const line = encodeRequest(4, request).trimEnd();
    expect(parseRequest(line)).toEqual({ kind: 'request', id: 4, request });
  });

  test.each([
    ['', 'malformed'],
    ['nonsense', 'malformed'],
    ['[]', 'malformed'],
    ['null', 'malformed'],
    ['{"verb":"status"}', 'version'],
    ['{"keepstate":2,"id":1,"verb":"status"}', 'version'],
    ['{"keepstate":1,"id":1,"verb":"explode"}', 'unknown-request'],
    ['{"keepstate":1,"id":1,"verb":"history","limit":-1}', 'unknown-request'],
    ['{"keepstate":1,"id":1,"verb":"sync","action":"explode"}', 'unknown-request'],
    ['{"keepstate":1,"id":1,"verb":"sync","action":"flush","cache":7}', 'unknown-request'],
    ['{"keepstate":1,"id":1,"verb":"maintenance"}', 'unknown-request'],
  ])('%s is refused as %s', (line, code) => {
    expect(parseRequest(line)).toMatchObject({ kind: 'bad', refusal: { ok: false, code } });
  });

  test('answers, refusals and events are read back', () => {
    expect(parseLine(encodeLine(2, { ok: true, result: [1] }))).toMatchObject({
      id: 2,
      result: [1],
    });
    expect(parseLine(encodeLine(2, refusal('busy', 'later', 'wait')))).toMatchObject({
      ok: false,
      remedy: 'wait',
    });
    expect(parseLine(encodeLine(2, { event: 5 }))).toMatchObject({ event: 5 });
    expect(() => parseLine('{}')).toThrow(BoundaryError);
  });
});

describe('line reader', () => {
  test('joins chunks and cuts at newlines', () => {
    const reader = new LineReader(100);
    expect(reader.push(Buffer.from('on'))).toEqual([]);
    expect(reader.push(Buffer.from('e\ntwo\nth'))).toEqual(['one', 'two']);
    expect(reader.push(Buffer.from('ree\n'))).toEqual(['three']);
  });

  test('a line beyond the limit overflows, whether it ends or not', () => {
    expect(new LineReader(3).push(Buffer.from('four'))).toBe('overflow');
    expect(new LineReader(3).push(Buffer.from('four\n'))).toBe('overflow');
    const reader = new LineReader(3);
    expect(reader.push(Buffer.from('ab'))).toEqual([]);
    expect(reader.push(Buffer.from('cd\n'))).toBe('overflow');
  });
});
