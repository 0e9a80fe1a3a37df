/** Paths as they are added and taken away, and what is refused. */
import { constants } from 'node:os';
import { parseIp } from '../../../src/base/ipAddress.js';
import { BeatThread, type BeatPathSettings } from '../../../src/net/beat/beatThread.js';
import { withNetworkNamespace } from '../../../src/net/socket/networkNamespace.js';
import type { Host } from '../../lab/host.js';
import { Lab } from '../../lab/lab.js';
import { waitFor } from '../../lab/waitFor.js';

const { EINVAL, EMSGSIZE, ENODEV, ENOSPC } = constants.errno;
const options = {
  ...{ interval: 5, session: '0011223344556677', loopLimits: { own: 0, peer: 0 } },
  onNews: () => undefined,
};

let lab: Lab;
let host: Host;
let thread: BeatThread;

beforeAll(async () => {
  lab = await Lab.open();
  const [own, other] = (await lab.hosts('own', 'other')) as [Host, Host];
  host = own;
  await lab.link(
    { host: own, name: 'lan', addresses: ['10.9.3.1/24'] },
    { host: other, name: 'lan', addresses: ['10.9.3.2/24'] },
  );
});
beforeEach(() => {
  const started = withNetworkNamespace(host.namespacePath, () => BeatThread.start(options));
  if (started.kind === 'refused') throw new Error(String(started.errno));
  thread = started.thread;
});
afterEach(() => thread.close());
afterAll(() => lab.close());

function add(settings: Partial<BeatPathSettings>): ReturnType<BeatThread['addPath']> {
  return withNetworkNamespace(host.namespacePath, () =>
    thread.addPath({
      ...{ name: 'lan', interfaceName: 'lan', port: 3781, pace: 'fast' },
      ...{ own: parseIp('10.9.3.1')!, peer: parseIp('10.9.3.2')! },
      ...{ limit: { milliseconds: 100, beats: 3 }, ...settings },
    }),
  );
}

test('four paths beat fast, any other once a second', async () => {
  for (const name of ['1', '2', '3', '4']) expect(add({ name })).toEqual({ kind: 'done' });
  expect(add({ name: '5' })).toMatchObject({ kind: 'refused', errno: ENOSPC });
  expect(add({ name: 'slow', pace: 'slow' })).toEqual({ kind: 'done' });
  expect(thread.report().paths.get(0)?.sent).toBe(0);
  expect(thread.say(new Uint8Array(3))).toEqual({ kind: 'done' });
  const report = await waitFor(() => {
    const now = thread.report();
    return (now.paths.get(4)?.sent ?? 0) >= 3 ? now : undefined;
  });
  // Two seconds lie between the first and the third; ticks that were late count once.
  for (const index of [0, 1, 2, 3]) {
    expect(report.paths.get(index)).toMatchObject({ sendErrors: 0 });
    expect(report.paths.get(index)?.sent).toBeGreaterThan(30);
  }
  expect(report.paths.get(4)).toMatchObject({ sent: 3, sendErrors: 0 });
  expect(thread.removePath('2')).toEqual({ kind: 'done' });
  expect(add({ name: '5' })).toEqual({ kind: 'done' });
});

test('what cannot be is refused, and says why', () => {
  expect(add({})).toEqual({ kind: 'done' });
  expect(add({})).toEqual({ kind: 'exists' });
  expect(add({ name: 'a', interfaceName: 'nothere' })).toMatchObject({ errno: ENODEV });
  expect(add({ name: 'b', peer: parseIp('fd99::2')! })).toMatchObject({ errno: EINVAL });
  for (const act of ['removePath', 'forgetPath'] as const) {
    expect(thread[act]('nothere')).toEqual({ kind: 'absent' });
  }
  expect(thread.limitPath('nothere', { milliseconds: 1, beats: 1 })).toEqual({ kind: 'absent' });
  expect(thread.say(new Uint8Array(513))).toMatchObject({ errno: EMSGSIZE });
  expect(thread.believe('0011')).toMatchObject({ errno: EINVAL });
  expect(BeatThread.start({ ...options, interval: 4 })).toEqual({ kind: 'refused', errno: EINVAL });
  expect(BeatThread.start({ ...options, session: 'x' })).toEqual({
    kind: 'refused',
    errno: EINVAL,
  });
});

test('Node.js exports what seals need', () => {
  expect(BeatThread.canSeal()).toBe(true);
  expect(thread.useKey(new Uint8Array(32).fill(1))).toEqual({ kind: 'done' });
  expect(thread.useKey(undefined)).toEqual({ kind: 'done' });
});

test('an interface that is gone is down, and says so', async () => {
  await host.ip('link add gone type veth peer name end', 'link set gone up', 'link set end up');
  expect(add({ name: 'gone', interfaceName: 'gone' })).toEqual({ kind: 'done' });
  thread.say(new Uint8Array(0));
  await waitFor(() => (thread.report().paths.get(0)?.sent ?? 0) > 2);
  await host.ip('link delete gone');
  await waitFor(() => thread.report().paths.get(0)?.state === 'down');
  expect(thread.report().paths.get(0)?.sendErrors).toBeGreaterThan(0);
});
