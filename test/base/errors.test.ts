import {
  BoundaryError,
  BugError,
  DecodeError,
  KeepstateError,
  KernelError,
  errorStack,
  errorText,
} from '../../src/base/errors.js';

describe('errors', () => {
  test('carry a code for programs, fields for logs and the cause', () => {
    const cause = new Error('below');
    const error = new BugError('broken', { slot: 3 }, cause);
    expect(error).toMatchObject({ name: 'BugError', code: 'bug', fields: { slot: 3 }, cause });
    expect(error).toBeInstanceOf(KeepstateError);
    expect(new DecodeError('length', 'too short')).toMatchObject({ code: 'length', fields: {} });
    expect(new BoundaryError('version', 'too old').name).toBe('BoundaryError');
  });

  test('a kernel error names the operation and the errno', () => {
    expect(new KernelError('bind', 98, 'address in use', { port: 1 })).toMatchObject({
      message: 'bind: address in use',
      operation: 'bind',
      errno: 98,
      fields: { port: 1, errno: 98 },
    });
  });

  test('whatever was thrown has a text, and a stack where it is an error', () => {
    const error = new Error('no room');
    expect(errorText(error)).toBe('no room');
    expect(errorStack(error)).toBe(error.stack);
    delete error.stack;
    expect(errorStack(error)).toBe('no room');
    expect([errorText('text'), errorStack(7)]).toEqual(['text', '7']);
  });
});
