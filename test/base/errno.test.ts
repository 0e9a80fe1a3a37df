import { EAGAIN, ENOTCONN, errnoName, errnoText } from '../../src/base/errno.js';

test('numbers are those of Linux, and have a name and a text', () => {
  expect([EAGAIN, ENOTCONN]).toEqual([11, 107]);
  expect([errnoName(ENOTCONN), errnoText(ENOTCONN)]).toEqual([
    'ENOTCONN',
    'socket is not connected',
  ]);
});

test('numbers that the system does not name are still told', () => {
  expect([errnoName(4_000), errnoText(4_000)]).toEqual(['errno 4000', 'errno 4000']);
});
