import { insecureBecause, type PathPart } from '../../../src/vrrp/scripts/scriptSecurity.js';

describe('script security', () => {
  const part = (overrides: Partial<PathPart>): PathPart => ({
    path: '/x',
    uid: 0,
    gid: 0,
    mode: 0o755,
    isDirectory: false,
    ...overrides,
  });

  test.each([
    [{}, undefined],
    [{ uid: 1000 }, '/x belongs to user 1000'],
    [{ mode: 0o757 }, '/x is writable by everybody'],
    [{ mode: 0o775, gid: 50 }, '/x is writable by group 50'],
    [{ mode: 0o775 }, undefined],
    [{ mode: 0o1777, isDirectory: true }, undefined],
    [{ mode: 0o777, isDirectory: true }, '/x is writable by everybody'],
  ])('%j gives %j', (overrides, expected) => {
    expect(insecureBecause([part({}), part(overrides)])).toBe(expected);
  });
});
