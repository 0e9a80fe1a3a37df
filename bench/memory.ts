/**
 * Resident memory for flows, of the node that filters (internal cache) and of its peer (external cache),
 * keepstate beside conntrackd 1.4.7. What a daemon takes before the first flow is stated apart.
 */
import type { Host } from '../test/lab/host.js';
import { Lab } from '../test/lab/lab.js';
import { sleep, waitFor } from '../test/lab/waitFor.js';
import type { Benchmark, Candidate, Figures } from './framework.js';
import { compile, load, raiseConntrackMax, residentBytes } from './measure.js';
import { requireBuild, startPair, syncHosts, type Pair, type PairKind } from './syncPair.js';

const kinds: readonly PairKind[] = ['keepstate', 'conntrackd'];
const steps = [200_000, 1_000_000] as const;
/** Flows that come and go first, so that code, buffers and the garbage of the start are not counted as flows. */
const warmUp = 20_000;

export async function open(): Promise<{ benchmarks: Benchmark[]; close: () => Promise<void> }> {
  requireBuild();
  const lab = await Lab.open();
  const hosts = await syncHosts(lab);
  const program = await compile(lab, 'load');
  const restore = await raiseConntrackMax(2_100_000);
  return {
    benchmarks: [benchmark(hosts, program)],
    close: async () => {
      await restore();
      await lab.close();
    },
  };
}

function benchmark(hosts: readonly [Host, Host], program: string): Benchmark {
  const candidate = (name: PairKind): Candidate => ({
    name,
    run: async () => {
      const pair = await startPair(name, hosts, {
        buffer: 256 << 20,
        maxGrowth: 512 << 20,
        hashLimit: 2_097_152,
      });
      try {
        return await measure(hosts[0], program, pair);
      } finally {
        await pair.stop();
      }
    },
  });
  const against = 'conntrackd';
  return {
    name: 'memory',
    description: `bytes of resident memory per flow at ${steps.join(' and ')} flows`,
    candidates: kinds.map(candidate),
    comparisons: steps.flatMap((flows) =>
      ['internal', 'external'].map((cache) => ({
        figure: `${cache}BytesPerFlowAt${flows}`,
        candidate: 'keepstate',
        against,
        atMost: 0.3,
      })),
    ),
  };
}

async function measure(host: Host, program: string, pair: Pair): Promise<Figures> {
  const nodes = [
    ['internal', pair.sender],
    ['external', pair.receiver],
  ] as const;
  const figures: Record<string, number> = {};
  const bases = new Map<string, number>();
  await load(host, program, { flows: warmUp, rate: 20_000, hold: 1_000 });
  await waitFor(async () => (await pair.receiver.externalEntries()) === 0);
  await sleep(2_000);
  for (const [cache, node] of nodes) {
    const bytes = residentBytes(node.process.pid);
    bases.set(cache, bytes);
    figures[`${cache}MebibytesWithoutFlows`] = bytes / 2 ** 20;
  }
  let first = 0;
  for (const flows of steps) {
    process.stderr.write(`  ${flows} flows\n`);
    // At a rate that every daemon follows: a lost event would be a flow that takes no memory.
    await load(host, program, { flows: flows - first, rate: 60_000, first });
    first = flows;
    await waitFor(async () => (await pair.receiver.externalEntries()) >= flows, {
      timeout: 120_000,
      interval: 500,
      description: `${flows} flows at the peer`,
    });
    await sleep(2_000);
    for (const [cache, node] of nodes) {
      const grown = residentBytes(node.process.pid) - bases.get(cache)!;
      figures[`${cache}BytesPerFlowAt${flows}`] = grown / flows;
    }
  }
  return figures;
}
