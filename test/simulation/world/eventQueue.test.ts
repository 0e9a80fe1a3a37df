import { EventQueue } from './eventQueue.js';

test('what is due first happens first, and what is due together in the order it was asked for', () => {
  const queue = new EventQueue();
  const happened: string[] = [];
  for (const [due, name] of [
    [30, 'c'],
    [10, 'a'],
    [20, 'b1'],
    [20, 'b2'],
  ] as const) {
    queue.at(due, () => happened.push(`${name} ${queue.now()}`));
  }
  queue.runUntil(25);
  expect(happened).toEqual(['a 10', 'b1 20', 'b2 20']);
  expect(queue.now()).toBe(25);
  queue.runUntil(100);
  expect(happened.at(-1)).toBe('c 30');
  expect([queue.now(), queue.happened]).toEqual([100, 4]);
});

test('what was cancelled never happens, what is late happens now, and an event may ask for more', () => {
  const queue = new EventQueue();
  const happened: number[] = [];
  queue.at(10, () => happened.push(1)).cancel();
  queue.at(20, () => {
    queue.at(5, () => happened.push(queue.now()));
    queue.after(7, () => happened.push(queue.now()));
  });
  queue.runUntil(50);
  expect(happened).toEqual([20, 27]);
});
