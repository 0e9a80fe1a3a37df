/**
 * VRRP beside keepalived 2.2.7: whether adverts leave in time while the flow table takes 100,000
 * events per second, and what 500 instances cost. Times are those of the kernel at the sending
 * interface.
 */
import type { Capture } from '../test/lab/capture.js';
import { Conntrackd } from '../test/lab/conntrackd.js';
import type { Host } from '../test/lab/host.js';
import { Keepalived } from '../test/lab/keepalived.js';
import { Lab } from '../test/lab/lab.js';
import { sleep, waitFor } from '../test/lab/waitFor.js';
import { keepalivedConf, type InstanceSpec, type NodeSpec } from '../test/support/vrrp/nodeSpec.js';
import type { Benchmark, Figures } from './framework.js';
import { lateness, part } from './advertLateness.js';
import { manyInstances } from './manyInstances.js';
import { compile, cpuNanoseconds, eventQueue, load } from './measure.js';
import { Keepstate, requireBuild, syncConfig, syncHosts } from './syncPair.js';

const perInterface = 250;
const quickInstances = 20;
const quickInterval = 0.1;
const loadedSeconds = 15;
const eventsPerSecond = 100_000;

export async function open(): Promise<{ benchmarks: Benchmark[]; close: () => Promise<void> }> {
  requireBuild();
  const lab = await Lab.open();
  const hosts = await syncHosts(lab);
  const many = await lab.host('many');
  for (const n of [0, 1]) {
    await (await lab.bridge(`lan${n}`)).attach(many, `eth${n}`, [`10.${n}.0.1/16`]);
  }
  const program = await compile(lab, 'load');
  return {
    benchmarks: [underLoad(hosts[0], program), manyMasters(many)],
    close: () => lab.close(),
  };
}

function underLoad(host: Host, program: string): Benchmark {
  const instances = Array.from({ length: quickInstances }, (_, i): InstanceSpec => ({
    name: `V${i + 1}`,
    interfaceName: 'sync',
    vrid: i + 1,
    priority: 200,
    version: 3,
    advertInterval: quickInterval,
    vips: [`10.9.1.${i + 1}/24`],
    garpMasterDelay: 1,
    garpMasterRepeat: 1,
  }));
  const conf = keepalivedConf({ instances }).replace(
    'global_defs {',
    'global_defs {\n  vrrp_priority -20',
  );
  const measure = async (): Promise<Figures> => {
    await waitFor(() => host.hasAddress(`10.9.1.${quickInstances}`), {
      description: 'the last VIP',
    });
    await load(host, program, { flows: 50_000, rate: 0, hold: 50_000 });
    await sleep(3_000);
    const capture = await host.capture('sync', { filter: 'proto 112', direction: 'out' });
    const flows = (loadedSeconds * eventsPerSecond) / 2;
    const dropsBefore = eventQueue(host)?.drops ?? NaN;
    const { events, milliseconds } = await load(host, program, {
      flows,
      rate: eventsPerSecond,
      hold: 2_000,
    });
    const late = lateness(await capture.stop(), quickInterval);
    return {
      eventsPerSecond: events / (milliseconds / 1_000),
      adverts: late.length,
      lateP50Milliseconds: part(late, 0.5),
      lateP99Milliseconds: part(late, 0.99),
      lateP999Milliseconds: part(late, 0.999),
      latestMilliseconds: late.at(-1) ?? NaN,
      eventsLost: (eventQueue(host)?.drops ?? NaN) - dropsBefore,
    };
  };
  const candidate = 'keepstate';
  const figure = 'lateP999Milliseconds';
  return {
    name: 'vrrp-under-load',
    description: `${quickInstances} instances at ${quickInterval} s while the table takes ${eventsPerSecond} events per second`,
    candidates: [
      {
        name: candidate,
        run: async () => {
          const directory = host.path('keepstate');
          const node = await Keepstate.start(host, inDirectory(host, directory, conf), directory);
          try {
            return await measure();
          } finally {
            await node.stop();
          }
        },
      },
      {
        name: 'keepalived',
        run: async () => {
          const directory = host.path('pair');
          const sync = await Conntrackd.startWithConfig(host, syncOnly(host, directory), directory);
          const vrrp = await Keepalived.start(host, conf);
          try {
            return await measure();
          } finally {
            await vrrp.stop();
            await sync.stop();
          }
        },
      },
    ],
    comparisons: [
      { figure, candidate, atMost: 20 },
      { figure, candidate, against: 'keepalived' },
    ],
  };
}

function inDirectory(host: Host, directory: string, conf: string): string {
  const globals = `global_defs {\n  state_directory ${directory}/state\n}\n`;
  return `${globals}${conf}${syncOnly(host, directory)}`;
}

/** A peer that does not answer: the sender's work is the same. */
function syncOnly(host: Host, directory: string): string {
  const growth = 64 << 20;
  host.execSync(['mkdir', '-p', directory]);
  return syncConfig(0, directory, { buffer: growth, maxGrowth: growth, hashLimit: 524_288 });
}

function manyMasters(host: Host): Benchmark {
  const spec: NodeSpec = {
    instances: manyInstances(perInterface),
  };
  const conf = keepalivedConf(spec);
  const measure = async (pids: () => number[]): Promise<Figures> => {
    await waitFor(() => host.hasAddress(`10.1.1.${perInterface}`), {
      description: 'the last VIP',
      timeout: 60_000,
    });
    await sleep(5_000);
    const captures: Capture[] = [];
    for (const n of [0, 1]) {
      captures.push(await host.capture(`eth${n}`, { filter: 'proto 112', direction: 'out' }));
    }
    const before = cpuOf(pids());
    const start = performance.now();
    await sleep(10_000);
    const spent = cpuOf(pids()) - before;
    const milliseconds = performance.now() - start;
    const late: number[] = [];
    for (const capture of captures) late.push(...lateness(await capture.stop(), 1));
    late.sort((a, b) => a - b);
    return {
      cpuPercent: spent / 1e4 / milliseconds,
      adverts: late.length,
      lateP999Milliseconds: part(late, 0.999),
    };
  };
  const candidate = 'keepstate';
  return {
    name: 'vrrp-500-instances',
    description: `${2 * perInterface} instances at 1 s for 10 s, VRRPv2, all MASTER`,
    candidates: [
      {
        name: candidate,
        run: async () => {
          const directory = host.path('keepstate');
          host.execSync(['mkdir', '-p', directory]);
          const globals = `global_defs {\n  state_directory ${directory}/state\n}\n`;
          const node = await Keepstate.start(host, globals + conf, directory);
          try {
            return await measure(() => [node.process.pid]);
          } finally {
            await node.stop();
          }
        },
      },
      {
        name: 'keepalived',
        run: async () => {
          const daemon = await Keepalived.start(host, conf);
          try {
            return await measure(() => [daemon.process.pid, daemon.vrrpPid]);
          } finally {
            await daemon.stop();
          }
        },
      },
    ],
    comparisons: [
      { figure: 'cpuPercent', candidate, against: 'keepalived', atMost: 2 },
      { figure: 'lateP999Milliseconds', candidate, against: 'keepalived' },
    ],
  };
}

function cpuOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + cpuNanoseconds(pid), 0);
}
