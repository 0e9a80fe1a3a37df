/** Two nodes that beat on two paths, one of IPv4 and one of IPv6, and what can befall these. */
import type { BeatNews } from '../../../src/net/beat/beatNews.js';
import type { BeatPathState, BeatReport } from '../../../src/net/beat/beatReport.js';
import { BeatThread, type SilenceLimit } from '../../../src/net/beat/beatThread.js';
import { withNetworkNamespace } from '../../../src/net/socket/networkNamespace.js';
import type { Bridge } from '../../lab/bridge.js';
import type { Host } from '../../lab/host.js';
import { Lab } from '../../lab/lab.js';
import type { ManagedProcess } from '../../lab/managedProcess.js';
import { typescriptCommand } from '../../lab/runTypescript.js';
import { waitFor } from '../../lab/waitFor.js';
import { BeatFlood } from '../../support/net/beatFlood.js';
import {
  addPath,
  masterBit,
  type BeatProgramPath,
  type BeatProgramSettings,
} from '../../support/net/beatProgram.js';

const sessions = { a: '0011223344556677', b: '8899aabbccddeeff' };
const key = '5a'.repeat(32);
/** Far above what a busy machine takes from an ordinary thread. */
const usualLimit: SilenceLimit = { milliseconds: 1_500, beats: 3 };
const addresses = {
  lan: { a: '10.9.1.1', b: '10.9.1.2', prefix: 24 },
  sync: { a: 'fd99::1', b: 'fd99::2', prefix: 64 },
};
type PathName = keyof typeof addresses;

let lab: Lab;
let a: Host;
let b: Host;
let bridges: Record<PathName, Bridge>;
let thread: BeatThread | undefined;
let peer: ManagedProcess | undefined;
let told: BeatNews[] = [];

beforeAll(async () => {
  lab = await Lab.open();
  [a, b] = (await lab.hosts('a', 'b')) as [Host, Host];
  bridges = { lan: await lab.bridge('lansw'), sync: await lab.bridge('syncsw') };
  for (const name of ['lan', 'sync'] as const) {
    const { prefix, ...own } = addresses[name];
    await bridges[name].attach(a, name, [`${own.a}/${prefix}`]);
    await bridges[name].attach(b, name, [`${own.b}/${prefix}`]);
  }
});
afterEach(async () => {
  thread?.close();
  await peer?.kill();
  for (const bridge of Object.values(bridges)) {
    for (const host of [a, b]) {
      const name = bridge === bridges.lan ? 'lan' : 'sync';
      await bridge.lose(host, name, 0);
      await bridge.restore(host, name);
    }
  }
});
afterAll(() => lab.close());

interface NodeOptions {
  readonly key?: string;
  readonly limit?: SilenceLimit;
  readonly interval?: number;
  readonly standsAfter?: number;
  readonly loopLimits?: { readonly own: number; readonly peer: number };
}

function paths(own: 'a' | 'b', other: 'a' | 'b', limit = usualLimit): BeatProgramPath[] {
  return (['lan', 'sync'] as const).map((name) => {
    const of = addresses[name];
    return { name, interfaceName: name, own: of[own], peer: of[other], limit };
  });
}

/** The node on `a`, in this process. */
function startOwn({ loopLimits = { own: 0, peer: 0 }, ...options }: NodeOptions): BeatThread {
  told = [];
  return withNetworkNamespace(a.namespacePath, () => {
    const started = BeatThread.start({
      ...{ interval: 20, session: sessions.a, loopLimits },
      onNews: (news) => told.push(...news),
    });
    if (started.kind === 'refused') throw new Error(String(started.errno));
    thread = started.thread;
    thread.believe(sessions.b);
    if (options.key !== undefined) thread.useKey(Buffer.from(options.key, 'hex'));
    for (const path of paths('a', 'b')) addPath(thread, path);
    thread.say(Buffer.from('of a'));
    return thread;
  });
}

/** The node on `b`, as a program; `before` stands in front of its command. */
async function startPeer(
  { limit = usualLimit, ...options }: NodeOptions,
  before: readonly string[] = [],
): Promise<void> {
  const settings: BeatProgramSettings = {
    ...{ session: sessions.b, peerSession: sessions.a, content: 'of b' },
    ...{ paths: paths('b', 'a', limit), ...options },
  };
  const program = typescriptCommand('test/support/net/beatProgram.ts');
  peer = b.start([...before, ...program, JSON.stringify(settings)]);
  await peer.waitForOutput('ready');
}

function state(name: PathName): BeatPathState | undefined {
  const index = name === 'lan' ? 0 : 1;
  return thread?.report().paths.get(index)?.state;
}

const reach = (name: PathName, wanted: BeatPathState): Promise<unknown> =>
  waitFor(() => state(name) === wanted, { description: `${name} ${wanted}`, interval: 5 });

async function bothLiving(): Promise<void> {
  await reach('lan', 'living');
  await reach('sync', 'living');
}

const kinds = (): string[] => told.map(({ kind }) => kind);

test.each([
  ['without a key', {}],
  ['with a key', { key }],
])('both paths live, whatever the ruleset drops, %s', async (_name, options) => {
  const ruleset =
    'table inet closed { chain in { type filter hook input priority 0; policy drop; }; ' +
    'chain out { type filter hook output priority 0; policy drop; }; }';
  await a.nft(ruleset);
  await b.nft(ruleset);
  try {
    const own = startOwn(options);
    await startPeer(options);
    await bothLiving();
    await waitFor(() => kinds().includes('beat'));
    const beat = told.find((news) => news.kind === 'beat');
    expect(beat?.kind === 'beat' && Buffer.from(beat.beat.content).toString()).toBe('of b');
    expect(beat).toMatchObject({ beat: { session: sessions.b, interval: 20 } });
    await waitFor(() => (own.report().paths.get(0)?.accepted ?? 0) > 20);
    const seen = own.report().paths.get(0);
    expect(seen).toMatchObject({ sendErrors: 0, blindTicks: 0 });
    expect(Object.values(seen?.refused ?? {}).reduce((x, y) => x + y, 0)).toBe(0);
  } finally {
    for (const host of [a, b]) await host.nft('delete table inet closed');
  }
});

test('on the wire: correct headers, sent to the MAC that the peer sends from', async () => {
  const own = startOwn({ key });
  await startPeer({ key });
  await bothLiving();
  const before = own.report().ticks;
  await waitFor(() => own.report().ticks > before + 3);
  for (const name of ['lan', 'sync'] as const) {
    const capture = await b.capture(name, { direction: 'in', filter: 'udp port 3781' });
    const [frame] = await capture.waitForFrames(1);
    const bytes = frame?.bytes ?? Buffer.alloc(0);
    expect(bytes.subarray(0, 6).toString('hex')).toBe((await b.macOf(name)).replaceAll(':', ''));
    expect(correctChecksums(bytes.subarray(14))).toEqual([0, 0]);
  }
});

test('a path without frames is silent alone; with both all are, after all were late', async () => {
  startOwn({ key });
  await startPeer({ key });
  await bothLiving();
  await bridges.lan.lose(a, 'lan', 100);
  await reach('lan', 'silent');
  expect(kinds()).not.toContain('allSilent');
  expect(state('sync')).toBe('living');
  await bridges.lan.lose(a, 'lan', 0);
  await reach('lan', 'living');
  told = [];
  await peer?.kill();
  await waitFor(() => kinds().includes('allSilent'), { interval: 5 });
  expect(kinds().indexOf('allLate')).toBeLessThan(kinds().indexOf('allSilent'));
  const silent = told.find(({ kind }) => kind === 'allSilent');
  expect(silent?.kind === 'allSilent' && silent.milliseconds).toBeGreaterThanOrEqual(
    usualLimit.milliseconds,
  );
  // The node's own frames went through its loop-back before it said so.
  const probes = thread?.report().probes;
  expect(probes).toMatchObject({ failed: 0 });
  expect(probes?.sent).toBeGreaterThan(0);
});

test('without a loop-back that carries frames nothing is silent', async () => {
  startOwn({ key });
  await startPeer({ key });
  await bothLiving();
  // What the loop-back takes in is dropped: as on a machine whose network stack stands still.
  await a.nft(
    'table netdev deaf { chain c { type filter hook ingress device "lo" priority 0; drop; }; }',
  );
  await peer?.kill();
  await waitFor(() => kinds().includes('allLate'));
  await waitFor(() => (thread?.report().probes.sent ?? 0) > 20);
  expect(state('lan')).toBe('living');
  await a.nft('delete table netdev deaf');
  await reach('lan', 'silent');
  await reach('sync', 'silent');
});

test("a cut cable is this node's own fault: down, never silent; then the path begins anew", async () => {
  startOwn({});
  await startPeer({});
  await bothLiving();
  await bridges.lan.cut(a, 'lan');
  await reach('lan', 'down');
  expect(thread?.report().paths.get(0)?.silences).toBe(0);
  await bridges.lan.restore(a, 'lan');
  await reach('lan', 'living');
  await a.ip('link set lan down');
  await reach('lan', 'down');
  await peer?.kill();
  await reach('sync', 'silent');
  await a.ip('link set lan up');
  await reach('lan', 'unknown');
  expect(thread?.report().isAllSilent).toBe(true);
});

test('a flooded path is blind, never silent; 100,000 datagrams of junk do no harm', async () => {
  startOwn({ key });
  await startPeer({ key });
  await bothLiving();
  const flood = BeatFlood.open(b, 'lan', { from: addresses.lan.b, to: addresses.lan.a });
  try {
    await waitFor(
      () => {
        flood.send(10_000);
        return state('lan') === 'blind' && flood.sent >= 100_000;
      },
      { interval: 1 },
    );
  } finally {
    flood.close();
  }
  expect(state('sync')).toBe('living');
  await reach('lan', 'living');
  const report = thread?.report();
  expect(report?.paths.get(0)).toMatchObject({ silences: 0 });
  expect(report?.paths.get(0)?.blindTicks).toBeGreaterThan(0);
  const looked = report?.paths.get(0)?.refused.seal ?? 0;
  // At most 50 in each tick.
  expect(looked).toBeGreaterThanOrEqual(50);
  expect(looked).toBeLessThanOrEqual(50 * (report?.ticks ?? 0));
  expect(report?.paths.get(0)?.refused.session).toBe(0);
});

test('beats under another key count for nothing, and are counted', async () => {
  const own = startOwn({ key });
  await startPeer({ key: 'a5'.repeat(32) });
  await waitFor(() => (own.report().paths.get(1)?.refused.seal ?? 0) > 10);
  expect([state('lan'), state('sync')]).toEqual(['unknown', 'unknown']);
  own.useKey(Buffer.from('a5'.repeat(32), 'hex'));
  await bothLiving();
});

test('a blocked main loop: its thread beats, and both sides know how long it stood still', async () => {
  startOwn({ key, loopLimits: { own: 0, peer: 300 } });
  await startPeer({ key, loopLimits: { own: 300, peer: 0 } });
  await bothLiving();
  peer?.write('block 1500\n');
  await waitFor(() => kinds().includes('peerLoopTurns'), { interval: 5 });
  expect(told.find(({ kind }) => kind === 'peerLoopStands')).toMatchObject({
    milliseconds: expect.any(Number) as number,
  });
  await peer?.waitForOutput('ownLoopStood');
  expect([state('lan'), state('sync')]).toEqual(['living', 'living']);
  expect(thread?.report().paths.get(0)?.silences).toBe(0);
});

/** What the peer said last, in the news of this process. */
function lastSaid(): string {
  const beat = told.filter((news) => news.kind === 'beat').at(-1);
  return beat?.kind === 'beat' ? Buffer.from(beat.beat.content).toString() : '';
}

const asMaster = Buffer.from([masterBit, 0]);

test('a node whose loop stands still says so, and its process ends where the peer replaces it', async () => {
  const own = startOwn({ key });
  await startPeer({ key, standsAfter: 500 });
  await bothLiving();
  await waitFor(() => lastSaid() === 'of b');
  peer?.write('block 1500\n');
  await waitFor(() => lastSaid() === 'standing', { interval: 5 });
  await waitFor(() => lastSaid() === 'of b');
  // It turns: what the peer says does not end it.
  own.say(asMaster);
  await waitFor(() => peer?.stdout.match(/"kind":"beat"/g)?.length === 2);
  own.say(Buffer.from('of a'));
  await waitFor(() => peer?.stdout.match(/"kind":"beat"/g)?.length === 3);
  expect(peer?.isRunning).toBe(true);
  peer?.write('block 60000\n');
  await waitFor(() => lastSaid() === 'standing', { interval: 5 });
  expect(peer?.isRunning).toBe(true);
  own.say(asMaster);
  expect(await peer?.exited()).toEqual({ code: null, signal: 'SIGKILL' });
});

test('a process that was stopped for as long says so and goes on: its main thread decides', async () => {
  const own = startOwn({ key });
  await startPeer({ key, standsAfter: 500, loopLimits: { own: 500, peer: 0 } });
  await bothLiving();
  await waitFor(() => peer?.stdout.includes('"kind":"beat"'));
  peer?.freeze();
  await waitFor(() => peer?.isFrozen, { interval: 5 });
  own.say(asMaster);
  const frozen = performance.now();
  await waitFor(() => performance.now() - frozen > 1_000);
  peer?.thaw();
  await waitFor(() => peer?.stdout.match(/"kind":"beat"/g)?.length === 2);
  await peer?.waitForOutput('"ownLoopStood"');
  const stood = peer?.jsonLines().find((line) => JSON.stringify(line).includes('ownLoopStood'));
  expect((stood as { milliseconds: number }).milliseconds).toBeGreaterThanOrEqual(1_000);
  // It has said something else in between, which this process may have been too busy to read.
  await waitFor(() => kinds().filter((kind) => kind === 'beat').length > 1);
  await waitFor(() => lastSaid() === 'of b');
  expect(peer?.isRunning).toBe(true);
});

test('a stopped process does not take its own absence for silence of the peer', async () => {
  const limit = { milliseconds: 1_500, beats: 3 };
  startOwn({});
  await startPeer({ limit });
  await bothLiving();
  await waitFor(() => peer?.stdout.match(/"living"/g)?.length === 2);
  thread?.close();
  peer?.freeze();
  await waitFor(() => peer?.isFrozen, { interval: 5 });
  const frozen = performance.now();
  await waitFor(() => performance.now() - frozen > 2_000);
  const absent = performance.now() - frozen;
  peer?.thaw();
  await peer?.waitForOutput('allSilent');
  const isSilence = (line: unknown): line is { milliseconds: number } =>
    (line as { kind: string }).kind === 'allSilent';
  // All that it waits for, and its absence on top.
  const milliseconds = peer?.jsonLines().find(isSilence)?.milliseconds;
  expect(milliseconds).toBeGreaterThanOrEqual(absent + limit.milliseconds - 2 * 20);
});

type Scheduling = BeatReport['scheduling'];

/** Asks the peer until its answer is as wanted. */
async function peerScheduling(isWanted: (scheduling: Scheduling) => boolean): Promise<Scheduling> {
  return waitFor(() => {
    peer?.write('report\n');
    const lines = (peer?.jsonLines() ?? []) as { kind: string; scheduling?: Scheduling }[];
    const last = lines.filter(({ kind }) => kind === 'report').at(-1)?.scheduling;
    return last !== undefined && isWanted(last) ? last : undefined;
  });
}

test('one real-time step below the main thread, and an ordinary thread above 2 % of a core', async () => {
  await startPeer({ key, interval: 5 }, ['chrt', '--rr', '7']);
  const quiet = await peerScheduling(({ policy }) => policy !== 'other');
  expect(quiet).toEqual({ policy: 'rr', priority: 6, refusal: 0, overruns: 0 });
  const ends = { from: addresses.lan.a, to: addresses.lan.b, contentBytes: 512 };
  const flood = BeatFlood.open(a, 'lan', ends);
  const end = new AbortController();
  const flooding = (async () => {
    while (!end.signal.aborted) {
      flood.send(500);
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  try {
    const busy = await peerScheduling(({ policy }) => policy === 'other');
    expect(busy).toMatchObject({ priority: 0, refusal: 0 });
    expect(busy.overruns).toBeGreaterThan(0);
  } finally {
    end.abort();
    await flooding;
    flood.close();
  }
  await peerScheduling(({ policy, priority }) => policy === 'rr' && priority === 6);
});

/** Folded sums over the IP header and over UDP with its pseudo-header: 0 where they are right. */
function correctChecksums(ip: Buffer): number[] {
  const isIpv4 = ip.readUInt8(0) >> 4 === 4;
  const header = isIpv4 ? 20 : 40;
  const udp = ip.subarray(header, header + ip.readUInt16BE(header + 4));
  const pseudo = Buffer.concat([ip.subarray(isIpv4 ? 12 : 8, header), Buffer.from([0, 17]), udp]);
  return [
    isIpv4 ? folded(ip.subarray(0, 20)) : 0,
    folded(Buffer.concat([pseudo, Buffer.alloc(udp.length % 2), lengthOf(udp)])),
  ];
}

function lengthOf(udp: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(udp.length);
  return length;
}

function folded(bytes: Buffer): number {
  let sum = 0;
  for (let i = 0; i + 1 < bytes.length; i += 2) sum += bytes.readUInt16BE(i);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
