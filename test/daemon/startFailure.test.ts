import { openSync } from 'node:fs';
import { BugError, KeepstateError } from '../../src/base/errors.js';
import { startFailure } from '../../src/daemon/startFailure.js';

function failureOf(path: string): unknown {
  try {
    return openSync(path, 'r');
  } catch (error) {
    return error;
  }
}

test('a refusal of the system, or of ours, is told without a stack', () => {
  const missing = failureOf('/nonexistent/keepstate.lock');
  expect(startFailure(missing, true)).toEqual({
    reason: expect.stringMatching(/ENOENT: .*keepstate\.lock/) as string,
  });
  expect(startFailure(new KeepstateError('locked', 'held by process 7'), false)).toEqual({
    reason: 'held by process 7',
  });
});

test.each(['EACCES', 'EPERM'])('who is not root is told so where the system says %s', (code) => {
  const error = Object.assign(new Error(`${code}: permission denied, open '/var/lock/x'`), {
    code,
    errno: -13,
  });
  expect(startFailure(error, false)).toEqual({
    reason: error.message,
    remedy: expect.stringContaining('as root') as string,
  });
  expect(startFailure(error, true)).toEqual({ reason: error.message });
});

test('our own mistakes have their stack', () => {
  for (const error of [new BugError('broken'), new TypeError('x is undefined')]) {
    expect(startFailure(error, true)).toEqual({ reason: error.message, stack: error.stack });
  }
  const odd = Object.assign(new RangeError('bad argument'), { code: 'ERR_OUT_OF_RANGE' });
  expect(startFailure(odd, true)).toHaveProperty('stack');
  expect(startFailure('text', true)).toEqual({ reason: 'text' });
});
