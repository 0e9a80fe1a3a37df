/** The peer's expectations whose master the kernel gets later. */
import { EINVAL, ENOENT } from '../../../src/base/errno.js';
import type { Expectation } from '../../../src/conntrack/codec/expectation.js';
import { OrphanExpectations } from '../../../src/sync/remote/orphanExpectations.js';

function expectation(ports: number): Expectation {
  const tuple = { source: '0a000001', destination: '0a000002', protocol: 17, ports };
  return { isIpv6: false, master: tuple, tuple, mask: tuple };
}

/** The kernel answers `errno`, which a test changes. */
class Kernel {
  errno = ENOENT;
  tries = 0;
  readonly ended: number[] = [];
  readonly orphans = new OrphanExpectations(
    () => {
      this.tries++;
      return this.errno;
    },
    (errno) => this.ended.push(errno),
  );
}

test('is tried again behind each injection, and taken when the master is there', () => {
  const kernel = new Kernel();
  kernel.orphans.put(expectation(1));
  kernel.orphans.tryAgain();
  expect([kernel.orphans.count, kernel.ended]).toEqual([1, []]);
  kernel.errno = 0;
  kernel.orphans.tryAgain();
  kernel.orphans.tryAgain();
  expect([kernel.orphans.count, kernel.ended, kernel.tries]).toEqual([0, [0], 3]);
});

test('what the kernel refuses for another reason is not tried again', () => {
  const kernel = new Kernel();
  kernel.errno = EINVAL;
  kernel.orphans.put(expectation(1));
  expect([kernel.orphans.count, kernel.ended]).toEqual([0, [EINVAL]]);
});

test('the tries of one end, and more than 64 do not wait', () => {
  const kernel = new Kernel();
  for (let i = 1; i <= 65; i++) kernel.orphans.put(expectation(i));
  expect([kernel.orphans.count, kernel.ended]).toEqual([64, [ENOENT]]);
  for (let i = 0; i < 20; i++) kernel.orphans.tryAgain();
  expect([kernel.orphans.count, kernel.ended.length, kernel.tries]).toEqual([0, 65, 65 + 64 * 8]);
});

test('the end of one that waits is its end', () => {
  const kernel = new Kernel();
  kernel.orphans.put(expectation(1));
  expect([kernel.orphans.end(expectation(1)), kernel.orphans.end(expectation(1))]).toEqual([
    true,
    false,
  ]);
  expect(kernel.orphans.count).toBe(0);
});
