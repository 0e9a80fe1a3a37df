/**
 * Tracked targets: what 20 of them cost and do to adverts, over either ICMP socket; what a flood of
 * forged answers does; how long a role takes to move that has lost its target, and what is lost.
 */
import { lateness, part } from './advertLateness.js';
import type { Benchmark, Figures } from './framework.js';
import { cpuNanoseconds } from './measure.js';
import { Keepstate, newDirectory, requireBuild } from './syncPair.js';
import { firewallPair, pairAddresses } from '../test/lab/firewallPair.js';
import type { Host } from '../test/lab/host.js';
import { Lab } from '../test/lab/lab.js';
import { startServer, startTcp, startUdpProbe, unreadDatagrams } from '../test/lab/traffic.js';
import { sleep, waitFor } from '../test/lab/waitFor.js';
import { pairConfig } from '../test/support/daemon/pairConfig.js';
import { keepalivedConf } from '../test/support/vrrp/nodeSpec.js';
import type { StatusAnswer } from '../src/control/statusAnswer.js';

const instances = 20;
const advertSeconds = 0.1;
const targets = 20;
const probeSeconds = 0.2;
const turns = 4;
const turnSeconds = 10;
const floodRate = 50_000;
const floodSeconds = 10;
const connections = 200;
/** Of the UDP probe, in milliseconds: 2,000 datagrams a second. */
const datagramInterval = 0.5;
const [own, far] = ['10.8.0.1', '10.8.0.2'];
const withoutRawSocket = `${__dirname}/withoutRawSocket.cjs`;
const rawSocket = 'raw-socket';
const batched = 'batched socket';
const without = 'without targets';

export async function open(): Promise<{ benchmarks: Benchmark[]; close: () => Promise<void> }> {
  requireBuild();
  const lab = await Lab.open();
  const [node, peer] = (await lab.hosts('node', 'far')) as [Host, Host];
  const further = Array.from({ length: targets }, (_, i) => `${targetAddress(i)}/24`);
  await lab.link(
    { host: node, name: 'eth0', addresses: [`${own}/24`] },
    { host: peer, name: 'eth0', addresses: [`${far}/24`, ...further] },
  );
  return {
    benchmarks: [cost(node), flood(node, peer), move()],
    close: () => lab.close(),
  };
}

function targetAddress(i: number): string {
  return `10.8.0.${i + 11}`;
}

/** All VIPs MASTER on one node, adverts at a tenth of a second. */
function configOf(directory: string, count: number): string {
  const names = Array.from({ length: count }, (_, i) => `T${i + 1}`);
  const blocks = names.map(
    (name, i) => `vrrp_track_target ${name} {
  icmp ${targetAddress(i)}
  interface eth0
  interval ${probeSeconds}
  fall 3
  rise 3
}`,
  );
  const tracked = names.length === 0 ? '' : `  track_target {\n    ${names.join('\n    ')}\n  }`;
  const vrrp = keepalivedConf({
    instances: Array.from({ length: instances }, (_, i) => ({
      ...{ name: `V${i + 1}`, interfaceName: 'eth0', vrid: i + 1, priority: 200, version: 3 },
      ...{ advertInterval: advertSeconds, vips: [`10.8.1.${i + 1}/24`] },
      ...{ garpMasterDelay: 1, garpMasterRepeat: 1 },
    })),
    instanceText: tracked,
    text: blocks.join('\n'),
  }).replace(
    'global_defs {',
    `global_defs {\n  vrrp_priority -20\n  state_directory ${directory}/state`,
  );
  return vrrp;
}

/** A running daemon whose addresses are all there. */
async function started(
  host: Host,
  count: number,
  preloads: readonly string[],
  warmSeconds: number,
): Promise<Keepstate> {
  const directory = newDirectory(host, 'reach');
  const node = await Keepstate.start(host, configOf(directory, count), directory, preloads);
  await waitFor(() => host.hasAddress(`10.8.1.${instances}`), { description: 'the last VIP' });
  await waitForTargets(node, count);
  // Announcements are over, and what runs often is compiled.
  await sleep(warmSeconds * 1_000);
  return node;
}

async function waitForTargets(node: Keepstate, count: number): Promise<void> {
  const wanted = count === 0 ? 'none' : 'reached';
  await waitFor(async () => standings(await node.status()).every((one) => one === wanted), {
    description: `answers of ${count} targets`,
  });
}

function standings({ targets: found }: StatusAnswer): string[] {
  const list = found?.list ?? [];
  return list.length === 0 ? ['none'] : list.map(({ standing }) => standing);
}

const makes: readonly (readonly [name: string, count: number, preloads: readonly string[]])[] = [
  [without, 0, []],
  [rawSocket, targets, []],
  [batched, targets, [withoutRawSocket]],
];

/**
 * With and without in turns in one process, by reload: two processes of one state differ by more
 * than 20 targets cost.
 */
function cost(host: Host): Benchmark {
  return {
    name: 'reach-cost',
    description: `${targets} targets at ${probeSeconds} s beside ${instances} instances at ${advertSeconds} s; ${turns} turns of ${turnSeconds} s with and without in one process`,
    candidates: makes.slice(1).map(([name, count, preloads]) => ({
      name,
      run: async (): Promise<Figures> => {
        const node = await started(host, count, preloads, 20);
        try {
          const bare = noTurn();
          const full = noTurn();
          for (let i = 0; i < turns; i++) {
            await addTurn(node, 0, bare);
            await addTurn(node, count, full);
          }
          const lateWithout = latest(bare);
          const lateWith = latest(full);
          return {
            cpuPercentWithout: cpuPercent(bare),
            cpuPercentWith: cpuPercent(full),
            targetsCpuPercent: cpuPercent(full) - cpuPercent(bare),
            lateP999MillisecondsWithout: lateWithout,
            lateP999MillisecondsWith: lateWith,
            lateP999Times: lateWith / lateWithout,
          };
        } finally {
          await node.stop();
        }
      },
    })),
    comparisons: [rawSocket, batched].map((candidate) => ({
      ...{ figure: 'targetsCpuPercent', candidate, atMost: 0.5 },
    })),
  };
}

interface Turn {
  cpuNanoseconds: number;
  milliseconds: number;
  readonly late: number[];
}

const noTurn = (): Turn => ({ cpuNanoseconds: 0, milliseconds: 0, late: [] });
const cpuPercent = ({ cpuNanoseconds: spent, milliseconds }: Turn): number =>
  spent / 1e4 / milliseconds;
const latest = ({ late }: Turn): number =>
  part(
    late.sort((a, b) => a - b),
    0.999,
  );

async function addTurn(node: Keepstate, count: number, turn: Turn): Promise<void> {
  node.configure((directory) => configOf(directory, count));
  await node.ask({ verb: 'reload' });
  await waitForTargets(node, count);
  await sleep(3_000);
  const capture = await node.host.capture('eth0', { filter: 'proto 112', direction: 'out' });
  const [before, start] = [cpuNanoseconds(node.process.pid), performance.now()];
  await sleep(turnSeconds * 1_000);
  turn.cpuNanoseconds += cpuNanoseconds(node.process.pid) - before;
  turn.milliseconds += performance.now() - start;
  turn.late.push(...lateness(await capture.stop(), advertSeconds));
}

function latenessFigures(late: readonly number[]): Figures {
  return {
    adverts: late.length,
    lateP50Milliseconds: part(late, 0.5),
    lateP999Milliseconds: part(late, 0.999),
    latestMilliseconds: late.at(-1) ?? NaN,
  };
}

/** The first target answers nothing meanwhile: what is answered there was believed wrongly. */
function flood(host: Host, peer: Host): Benchmark {
  return {
    name: 'reach-flood',
    description: `${floodRate} forged echo replies per second for ${floodSeconds} s, from the address of a target`,
    candidates: makes.map(([name, count, preloads]) => ({
      name,
      run: async (): Promise<Figures> => {
        const node = await started(host, count, preloads, 5);
        try {
          return await underFlood(node, peer);
        } finally {
          await peer.nft('table ip silent {}\ndelete table ip silent\n');
          await node.stop();
        }
      },
    })),
    comparisons: [rawSocket, batched].flatMap((candidate) => [
      { figure: 'believed', candidate, atMost: 0 },
      { figure: 'moved', candidate, atMost: 0 },
      { figure: 'lateP999Milliseconds', candidate, against: without },
      { figure: 'lateP999Milliseconds', candidate, atMost: 20 },
    ]),
  };
}

async function underFlood(node: Keepstate, peer: Host): Promise<Figures> {
  const { host } = node;
  const answered = ({ targets: found }: StatusAnswer): number =>
    found?.list[0]?.addresses[0]?.answered ?? 0;
  const capture = await host.capture('eth0', { filter: 'proto 112', direction: 'out' });
  const program = peer.startTypescript('test/support/net/echoFlood.ts', [
    ...[targetAddress(0), own, String(floodRate), String(floodSeconds)],
  ]);
  await program.waitForOutput('"ready":true');
  await sleep(500);
  await peer.nft(
    `table ip silent { chain c { type filter hook input priority 0; ip daddr ${targetAddress(0)} icmp type echo-request drop; }; }`,
  );
  await sleep(500);
  const before = await node.status();
  const [cpu, start] = [cpuNanoseconds(node.process.pid), performance.now()];
  await program.exited();
  const spent = cpuNanoseconds(node.process.pid) - cpu;
  const after = await node.status();
  const late = lateness(await capture.stop(), advertSeconds);
  const { sent } = program.jsonLines().at(-1) as { sent: number };
  const found = after.targets;
  return {
    junkPerSecond: sent / floodSeconds,
    junkRead: found?.junk ?? 0,
    floods: found?.floods ?? 0,
    believed: Math.max(0, answered(after) - answered(before)),
    moved: standings(after).filter((one) => one !== 'reached' && one !== 'none').length,
    cpuPercent: spent / 1e4 / (performance.now() - start),
    ...latenessFigures(late),
  };
}

/** The server's answers to the MASTER alone are dropped. */
function move(): Benchmark {
  const candidate = 'keepstate';
  return {
    name: 'reach-move',
    description: `a target at ${probeSeconds} s, fall 3, that the MASTER alone loses, under ${connections} connections and ${1_000 / datagramInterval} datagrams per second`,
    candidates: [{ name: candidate, run: moveOnce }],
    comparisons: [
      { figure: 'movedMilliseconds', candidate, atMost: 1_000 },
      { figure: 'connectionsLost', candidate, atMost: 0 },
      { figure: 'datagramsLost', candidate, atMost: 0 },
    ],
  };
}

async function moveOnce(): Promise<Figures> {
  const lab = await Lab.open();
  try {
    const pair = await firewallPair(lab);
    const target = `vrrp_track_target SERVER {
  icmp ${pairAddresses.server}
  interface wan
  interval ${probeSeconds}
  fall 3
  rise 3
}`;
    const start = async (index: 0 | 1): Promise<Keepstate> => {
      const host = pair.firewalls[index];
      const directory = newDirectory(host, 'reach');
      const lines = { instanceLines: ['track_target {\n    SERVER\n  }'] };
      const text = `${pairConfig({ index, ...lines })}\n${target}`;
      return Keepstate.start(host, text.replaceAll('@DIRECTORY@', directory), directory);
    };
    const server = await startServer(pair.server);
    const [fw1, fw2] = [await start(0), await start(1)];
    await fw1.waitForRole('MASTER');
    for (const node of [fw1, fw2]) {
      await waitFor(
        async () => {
          const status = await node.status();
          return standings(status)[0] === 'reached' && status.sync?.state === 'synchronised';
        },
        { description: 'an answering target and a synchronised peer' },
      );
    }
    const tcp = await startTcp(pair.client, { server: pairAddresses.server, count: connections });
    const udp = await startUdpProbe(pair.client, pairAddresses.server, datagramInterval);
    await sleep(2_000);
    const [, second] = pairAddresses.lan;
    const filter = `proto 112 and src host ${second}`;
    const capture = await pair.firewalls[1].capture('lan', { filter, direction: 'out' });
    const [first] = pairAddresses.wan;
    await pair.server.nft(
      `table ip reach { chain c { type filter hook input priority 0; ip saddr ${first} icmp type echo-request drop; }; }`,
    );
    const lostAt = Date.now() / 1_000;
    const [advert] = await capture.waitForFrames(1);
    await fw2.waitForRole('MASTER');
    await sleep(2_000);
    const [tcpReport, udpReport] = [await tcp.finish(), await udp.finish()];
    const unread = (await unreadDatagrams(pair.client)) + (await unreadDatagrams(pair.server));
    await capture.stop();
    await server.stop();
    return {
      movedMilliseconds: ((advert?.time ?? NaN) - lostAt) * 1_000,
      connectionsLost: connections - tcpReport.survivors,
      datagramsLost: udpReport.sent - udpReport.received - unread,
      datagramsUnread: unread,
      datagrams: udpReport.sent,
      longestSilenceMilliseconds: udpReport.longestSilenceMilliseconds,
    };
  } finally {
    await lab.close();
  }
}
