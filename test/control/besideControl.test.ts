import { besideControl } from '../../src/control/besideControl.js';

test('two daemons with their sockets in one folder share no file', () => {
  expect(besideControl('/run/keepstate/control.sock', 'role.json')).toBe(
    '/run/keepstate/role.json',
  );
  expect(besideControl('/run/keepstate/a.sock', 'role.json')).toBe('/run/keepstate/a.role.json');
});
