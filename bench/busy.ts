/**
 * What other programs of the machine do to the daemon: 100,000 flows at once, with reliable events
 * and a netlink buffer of 1 MiB, beside busy loops of ordinary priority; with and without the
 * `Scheduler` block, beside conntrackd with its default (SCHED_RR 99). docs/decisions/scheduling.md
 * chooses the default by it.
 */
import type { Host } from '../test/lab/host.js';
import { Lab } from '../test/lab/lab.js';
import { sleep, waitFor } from '../test/lab/waitFor.js';
import { lateness, part } from './advertLateness.js';
import type { Benchmark, Candidate, Figures } from './framework.js';
import { compile, cpuNanoseconds, eventQueue, raiseConntrackMax, type Loaded } from './measure.js';
import {
  Keepstate,
  requireBuild,
  startPair,
  syncHosts,
  type Pair,
  type PairKind,
  type PairOptions,
} from './syncPair.js';

const flows = 100_000;
const loops = 2;
/**
 * VRRP's default: at a shorter interval a storm moves the role, and its commits are measured in
 * place of the storm.
 */
const advertSeconds = 1;
/** Adverts are looked at for this long before the flows come. */
const quietSeconds = 30;
const patience = 60_000;
const small: PairOptions = {
  buffer: 1 << 20,
  maxGrowth: 1 << 20,
  hashLimit: 524_288,
  reliable: true,
};
const withScheduler = 'keepstate with Scheduler';
const without = 'keepstate without Scheduler';

export async function open(): Promise<{ benchmarks: Benchmark[]; close: () => Promise<void> }> {
  requireBuild();
  const lab = await Lab.open();
  const hosts = await syncHosts(lab);
  const program = await compile(lab, 'load');
  const restore = await raiseConntrackMax(1_000_000);
  return {
    benchmarks: [besideBusyLoops(hosts, program)],
    close: async () => {
      await restore();
      await lab.close();
    },
  };
}

function besideBusyLoops(hosts: readonly [Host, Host], program: string): Benchmark {
  const candidate = (name: string, kind: PairKind, more: Partial<PairOptions>): Candidate => ({
    name,
    run: async () => {
      const pair = await startPair(kind, hosts, { ...small, ...more });
      const busy = Array.from({ length: loops }, () =>
        hosts[0].start(['sh', '-c', 'while :; do :; done']),
      );
      try {
        return await measure(hosts, program, pair);
      } finally {
        for (const loop of busy) await loop.stop();
        await pair.stop();
      }
    },
  });
  return {
    name: 'busy-loops',
    description: `${flows} flows at once, reliable events, a buffer of 1 MiB, ${loops} busy loops beside the daemons; adverts every ${advertSeconds} s`,
    candidates: [
      candidate(withScheduler, 'keepstate', { advertSeconds }),
      candidate(without, 'keepstate', { advertSeconds, scheduler: 'absent' }),
      candidate('conntrackd', 'conntrackd', {}),
    ],
    comparisons: [withScheduler, without].flatMap((name) => [
      { figure: 'millisecondsUntilBothHold', candidate: name, atMost: 3_000 },
      { figure: 'entriesAfterThreeSeconds', candidate: name, against: 'conntrackd' },
      { figure: 'missing', candidate: name, atMost: 0 },
      { figure: 'saidEqualTooEarly', candidate: name, atMost: 0 },
    ]),
  };
}

async function measure(
  hosts: readonly [Host, Host],
  program: string,
  pair: Pair,
): Promise<Figures> {
  const [host] = hosts;
  const capture = await host.capture('sync', { filter: 'proto 112', direction: 'out' });
  await sleep(quietSeconds * 1_000);
  const before = cpuOf(pair);
  const { milliseconds } = await storm(host, program);
  const settled = await bothHold(pair);
  const cpuMilliseconds = (cpuOf(pair) - before) / 1e6;
  const late = lateness(await capture.stop(), advertSeconds);
  return {
    stormMilliseconds: milliseconds,
    cpuMilliseconds,
    ...settled,
    eventsLost: eventQueue(host)?.drops ?? NaN,
    ...(late.length === 0
      ? {}
      : {
          adverts: late.length,
          lateP50Milliseconds: part(late, 0.5),
          latestMilliseconds: late.at(-1) ?? NaN,
        }),
  };
}

/** Packets are worked on before any thread: what makes the flows runs before them too. */
async function storm(host: Host, program: string): Promise<Loaded> {
  const command = ['chrt', '--fifo', '99', program, ...[flows, 0, -1, 0].map(String)];
  // Checked boundary: bench/native/load.c prints this.
  return JSON.parse(await host.exec(command, { timeoutMilliseconds: 300_000 })) as Loaded;
}

/**
 * From the last flow on. A look at conntrackd starts a program, so its figure is coarser by some 50
 * ms.
 */
async function bothHold({ sender, receiver }: Pair): Promise<Figures> {
  const start = performance.now();
  let missing = flows;
  let saidEqualTooEarly = 0;
  let entriesAfterThreeSeconds: number | undefined;
  const look = async (): Promise<boolean> => {
    const [here, there] = [await sender.internalEntries(), await receiver.externalEntries()];
    missing = flows - Math.min(here, there, flows);
    if (performance.now() - start >= 3_000) entriesAfterThreeSeconds ??= flows - missing;
    return missing === 0;
  };
  const early = async (): Promise<void> => {
    if (!(sender instanceof Keepstate)) return;
    const { sync } = await sender.status();
    const isWhole = sync !== undefined && sync.internal.entries >= flows;
    if (sync?.parity === 'equal' && !isWhole && sync.overruns > 0) saidEqualTooEarly++;
  };
  await waitFor(
    async () => {
      await early();
      return look();
    },
    { timeout: patience, interval: 20, description: 'both caches to hold all' },
  ).catch(() => undefined);
  const waited = performance.now() - start;
  return {
    ...(missing === 0 ? { millisecondsUntilBothHold: waited } : {}),
    missing,
    entriesAfterThreeSeconds: entriesAfterThreeSeconds ?? flows - missing,
    ...(sender instanceof Keepstate ? { saidEqualTooEarly } : {}),
  };
}

function cpuOf({ sender, receiver }: Pair): number {
  return cpuNanoseconds(sender.process.pid) + cpuNanoseconds(receiver.process.pid);
}
