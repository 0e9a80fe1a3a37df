/**
 * A man in the middle who lets data through and drops greetings, at the switch between the nodes:
 * from the first day, when a `permissive` pair stays plain and says so, and after a session, when
 * restarts bring nothing plain back.
 */
import type { StatusAnswer } from '../../../src/control/statusAnswer.js';
import type { Capture } from '../../lab/capture.js';
import { pairAddresses } from '../../lab/firewallPair.js';
import type { Host } from '../../lab/host.js';
import { Lab } from '../../lab/lab.js';
import { sealLines, SealedPair } from '../../support/daemon/sealedPair.js';

jest.setTimeout(300_000);

const [sync1, sync2] = pairAddresses.sync;
const permissive = [...sealLines(), 'sync_auth permissive'];
const syncPorts = 'udp and (dst port 3780 or dst port 3781)';

let lab: Lab;
let sealed: SealedPair;
let stranger: Host;

beforeAll(async () => {
  lab = await Lab.open();
  sealed = await SealedPair.prepare(lab, permissive);
  [stranger] = (await lab.hosts('downstr')) as [Host];
  await sealed.pair.sync.attach(stranger, 'sync', ['10.3.0.66/24']);
  await stranger.exec(['sysctl', '-qw', 'net.ipv4.conf.all.arp_ignore=1']);
  await stranger.exec(['sysctl', '-qw', 'net.ipv4.conf.all.arp_announce=2']);
  await dropGreetings(true);
  await sealed.run();
});

afterAll(async () => {
  await lab.close();
});

/** By the first two bytes behind the UDP header: the magic, and kind 3 or 4. */
async function dropGreetings(on: boolean): Promise<void> {
  const rule = 'udp dport { 3780, 3781 } @th,64,8 0xe5 @th,72,8 { 3, 4 } counter drop';
  const chain = `chain c { type filter hook forward priority 0; ${rule}; };`;
  await sealed.pair.sync.host.nft(
    `table bridge middle {}\ndelete table bridge middle\n${on ? `table bridge middle { ${chain} }\n` : ''}`,
  );
}

async function droppedGreetings(): Promise<number> {
  const text = await sealed.pair.sync.host.exec(['nft', 'list', 'table', 'bridge', 'middle']);
  return Number(/counter packets (\d+)/.exec(text)?.[1]);
}

/** What leaves either node. */
function captures(): Promise<readonly Capture[]> {
  return Promise.all(
    sealed.pair.firewalls.map((host) =>
      host.capture('sync', { filter: syncPorts, direction: 'out' }),
    ),
  );
}

function plainOf(capture: Capture): number {
  return capture.frames().filter(({ bytes }) => bytes[14 + 20 + 8] !== 0xe5).length;
}

const isSealed = ({ sync }: StatusAnswer): boolean => sync?.seal?.peerSealed === true;

test('from the first day: the pair stays plain, works, and says so', async () => {
  await sealed.openFlows();
  for (const node of sealed.nodes) {
    const { sync } = await node.waitForStatus(
      ({ problems }) => problems.some(({ code }) => code === 'sync-not-sealed'),
      'status to say that nothing is sealed',
    );
    expect(sync?.seal).toMatchObject({ auth: 'permissive', peerSealed: false });
  }
  expect(await droppedGreetings()).toBeGreaterThan(0);
});

test('when he leaves both seal, and no flow is missing', async () => {
  await dropGreetings(false);
  await Promise.all(sealed.nodes.map((node) => node.waitForStatus(isSealed, 'the key')));
  await sealed.openFlows();
});

test.each([
  ['fw2', 1],
  ['fw1', 0],
] as const)('after a session %s restarts: nothing plain is sent or taken', async (_name, index) => {
  const [node, other] = [sealed.nodes[index], sealed.nodes[index === 0 ? 1 : 0]];
  await dropGreetings(true);
  const watched = await captures();
  await node.stop();
  await node.start();
  const borrowed = index === 0 ? sync2 : sync1;
  const target = index === 0 ? sync1 : sync2;
  await stranger.tryExec(['ip', 'address', 'del', `${target}/32`, 'dev', 'lo']);
  await stranger.tryExec(['ip', 'address', 'add', `${borrowed}/32`, 'dev', 'lo']);
  const liar = stranger.startTypescript('test/support/sync/attack.ts', [
    ...['flow', borrowed, target, '255', '3', '0'],
  ]);
  await liar.exited();
  const refused = await node.waitForStatus(
    ({ sync }) => (sync?.seal?.refused['plain'] ?? 0) > 0,
    'his plain datagrams to be refused',
  );
  expect(refused.sync?.seal).toMatchObject({ auth: 'permissive', peerSealed: true });
  expect(refused.sync?.external.entries).toBe(0);
  // Neither knows the other's session, and both say that the peer is not heard.
  for (const each of [node, other]) {
    await each.waitForStatus(
      ({ problems, sync }) => sync?.peer.kind === 'none' && problems.length > 0,
      'the peer to be missed',
    );
  }
  expect(await droppedGreetings()).toBeGreaterThan(0);
  await dropGreetings(false);
  await sealed.nodes[0].waitForRole('MASTER');
  await sealed.openFlows();
  for (const capture of watched) {
    await capture.waitForFrames(10);
    expect(plainOf(capture)).toBe(0);
    await capture.stop();
  }
});
