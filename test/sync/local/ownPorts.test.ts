/** Whose events are effects of this daemon's own requests, while its sockets come and go. */
import { OwnPorts } from '../../../src/sync/local/ownPorts.js';

test('an id is known while its socket is open, and for late events behind that', () => {
  const own = new OwnPorts();
  expect(own.has(7)).toBe(false);
  own.opened(7);
  expect(own.has(7)).toBe(true);
  own.closed(7);
  expect(own.has(7)).toBe(true);
  expect(own.has(8)).toBe(false);
});

test('of closed ones the newest few are kept, and open ones are never dropped', () => {
  const own = new OwnPorts();
  own.opened(1);
  for (let id = 2; id < 10_000; id++) {
    own.opened(id);
    own.closed(id);
  }
  expect(own.count).toBe(65);
  expect(own.has(1)).toBe(true);
  expect(own.has(2)).toBe(false);
  expect(own.has(9_999)).toBe(true);
});

test('an id that the next socket gets is not dropped with the first', () => {
  const own = new OwnPorts();
  own.opened(1);
  own.opened(1);
  own.closed(1);
  for (let id = 2; id < 200; id++) {
    own.opened(id);
    own.closed(id);
  }
  expect(own.has(1)).toBe(true);
});

test('an end that is told twice drops nothing else', () => {
  const own = new OwnPorts();
  own.opened(1);
  own.closed(1);
  own.closed(1);
  expect(own.count).toBe(1);
});
