import { readlinkSync } from 'node:fs';
import { withNetworkNamespace } from '../../../src/net/socket/networkNamespace.js';
import { Lab } from '../../lab/lab.js';

jest.setTimeout(300_000);

const own = (): string => readlinkSync('/proc/thread-self/ns/net');

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.open();
});
afterAll(async () => {
  await lab.close();
});

test('work runs inside the namespace and the thread comes back', async () => {
  const host = await lab.host('inside');
  const before = own();
  const inside = withNetworkNamespace(host.namespacePath, own);
  expect(inside).not.toBe(before);
  expect(own()).toBe(before);
});

test('the thread comes back when the work throws', async () => {
  const host = await lab.host('throws');
  const before = own();
  expect(() =>
    withNetworkNamespace(host.namespacePath, () => {
      throw new Error('inside');
    }),
  ).toThrow('inside');
  expect(own()).toBe(before);
});

test('a namespace that does not exist is a KernelError', () => {
  expect(() => withNetworkNamespace('/run/netns/nothere', own)).toThrow(/ENOENT/);
  expect(() => withNetworkNamespace('/dev/null', own)).toThrow(/EINVAL/);
});
