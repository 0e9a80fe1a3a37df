/**
 * A sealed pair under 5,000 events a second, while its workers and its nodes die, alone and
 * together, and the keys are changed: afterwards both hold the same, and no datagram was plain.
 */
import { eventQueue, compile, load } from '../../../bench/measure.js';
import type { CapturedFrame } from '../../lab/capture.js';
import { Lab } from '../../lab/lab.js';
import { waitFor } from '../../lab/waitFor.js';
import { sealLines, SealedPair } from '../../support/daemon/sealedPair.js';

jest.setTimeout(300_000);

const killable = 'test/support/daemon/killableWorker.cjs';
const flowsPerSecond = 2_500;
/** Flows that outlive the load. */
const kept = 1_000;

let lab: Lab;
let sealed: SealedPair;
let program: string;

beforeAll(async () => {
  lab = await Lab.open();
  program = await compile(lab, 'load');
  sealed = await SealedPair.start(lab, {}, killable);
});

afterAll(async () => {
  await lab.close();
});

/** Events for so long, beside flows that stay; then both hold these and nothing else. */
async function underLoad(
  seconds: number,
  faults: () => Promise<void>,
  isSettled: (flows: number) => boolean = (flows) => flows === kept,
): Promise<void> {
  const { nodes, pair } = sealed;
  const capture = await pair.firewalls[1].capture('sync', {
    filter: 'udp and (dst port 3780 or dst port 3781)',
  });
  await load(pair.firewalls[0], program, { flows: kept, rate: 0, first: 500_000 });
  const loading = load(pair.firewalls[0], program, {
    ...{ flows: flowsPerSecond * seconds, rate: 2 * flowsPerSecond, hold: 500 },
  });
  await faults();
  const { errors } = await loading;
  expect(errors).toBe(0);
  for (const [i, node] of nodes.entries()) {
    await node.waitForStatus(
      ({ role, sync }) =>
        role === (i === 0 ? 'MASTER' : 'BACKUP') &&
        sync?.state === 'synchronised' &&
        sync.parity === 'equal' &&
        isSettled((i === 0 ? sync.internal : sync.external).entries) &&
        sync.peer.kind === 'keepstate',
      'both to hold the same',
    );
  }
  const frames = await capture.stop();
  expect(frames.length).toBeGreaterThan(100);
  expect(frames.filter(isPlain)).toEqual([]);
  for (const firewall of pair.firewalls) await firewall.exec(['conntrack', '-F']);
  await nodes[1].waitForStatus(({ sync }) => sync?.external.entries === 0, 'the flows to end');
}

/** The magic of a sealed record is missing. */
function isPlain({ bytes }: CapturedFrame): boolean {
  return bytes[14 + 20 + 8] !== 0xe5;
}

/** The worker thread ends as in a crash; the supervisor starts another one. */
async function killWorker(index: 0 | 1): Promise<void> {
  const { process } = sealed.nodes[index];
  const died = (): number => process.output.split('the sync engine died').length;
  const before = died();
  process.signal('SIGWINCH');
  await waitFor(() => died() > before, { description: 'the worker to die' });
}

test.each([
  ['of the MASTER', [0]],
  ['of the BACKUP', [1]],
  ['of both at once', [0, 1]],
] as const)('a worker dies: %s', async (_name, indexes) => {
  await underLoad(8, async () => {
    await Promise.all(indexes.map((index) => killWorker(index)));
  });
});

test('the BACKUP is killed and starts again', async () => {
  await underLoad(12, async () => {
    await sealed.nodes[1].process.kill();
    await sealed.nodes[1].start(killable);
  });
});

test('both are killed at once: no flow of the kernel is missing on either', async () => {
  await underLoad(
    12,
    async () => {
      await Promise.all(sealed.nodes.map((node) => node.process.kill()));
      await Promise.all(sealed.nodes.map((node) => node.start(killable)));
      await sealed.nodes[0].waitForRole('MASTER');
    },
    // Who returns may bring back flows whose end nobody has heard (docs/architecture.md).
    (flows) => flows >= kept,
  );
});

test('a rotation loses no event and asks for nothing again', async () => {
  const { nodes, pair } = sealed;
  const drops = eventQueue(pair.firewalls[0])?.drops;
  const before = (await nodes[1].status()).sync;
  await underLoad(10, async () => {
    expect(await sealed.reload(0, sealLines(2))).toContain('not heard under key 2');
    await sealed.reload(1, sealLines(2));
  });
  const after = await nodes[1].waitForStatus(
    ({ sync }) => sync?.seal?.heardAgoMs[2] !== undefined,
    'the peer to be heard under key 2',
  );
  expect(eventQueue(pair.firewalls[0])?.drops).toBe(drops);
  expect(after.sync?.resyncs).toBe(before?.resyncs);
  expect(after.sync?.peer.lost).toBe(before?.peer.lost);
});
