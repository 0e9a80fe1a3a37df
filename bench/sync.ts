/**
 * A keepstate pair beside a conntrackd pair on the same flows: CPU per event in bursts, at everyday
 * rates and idle, a burst into a small buffer, the highest churn without loss, and the way of a
 * flow from kernel to kernel. Whole processes are measured; keepstate's includes VRRP, conntrackd's
 * does not.
 */
import { rareWord } from '../src/conntrack/record/flowRecord.js';
import { KernelDump } from '../src/conntrack/kernel/kernelDump.js';
import { recordWord } from '../src/conntrack/record/flowRecord.js';
import { NameTable } from '../src/conntrack/record/nameTable.js';
import { withNetworkNamespace } from '../src/net/socket/networkNamespace.js';
import type { Host } from '../test/lab/host.js';
import { Lab } from '../test/lab/lab.js';
import { sleep, waitFor } from '../test/lab/waitFor.js';
import type { Benchmark, Candidate, Figures } from './framework.js';
import {
  compile,
  cpuNanoseconds,
  eventQueue,
  load,
  raiseConntrackMax,
  type LoadOptions,
} from './measure.js';
import {
  requireBuild,
  startPair,
  syncHosts,
  type Pair,
  type PairKind,
  type PairOptions,
} from './syncPair.js';

const kinds: readonly PairKind[] = ['keepstate', 'conntrackd'];
/** keepstate with `sync_key`. */
const sealedName = 'keepstate with keys';
const roomy: PairOptions = { buffer: 256 << 20, maxGrowth: 256 << 20, hashLimit: 524_288 };
const ordinary: PairOptions = { ...roomy, buffer: 2 << 20, maxGrowth: 8 << 20 };
const small: PairOptions = { ...roomy, buffer: 2 << 20, maxGrowth: 2 << 20 };
const burstFlows = 100_000;
const overloadFlows = 200_000;
const lagFlows = 35_000;
/** Events per second that either daemon bears. */
const commonChurn = 80_000;

export async function open(): Promise<{ benchmarks: Benchmark[]; close: () => Promise<void> }> {
  requireBuild();
  const lab = await Lab.open();
  const hosts = await syncHosts(lab);
  const bench = new SyncBenchmarks(hosts, await compile(lab, 'load'));
  const restore = await raiseConntrackMax(1_000_000);
  return {
    benchmarks: [
      bench.burst(),
      bench.steady(1_000),
      bench.steady(5_000),
      bench.idle(),
      bench.lag(),
      bench.overload(),
      bench.churn(),
    ],
    close: async () => {
      await restore();
      await lab.close();
    },
  };
}

class SyncBenchmarks {
  readonly #hosts: readonly [Host, Host];
  readonly #program: string;

  constructor(hosts: readonly [Host, Host], program: string) {
    this.#hosts = hosts;
    this.#program = program;
  }

  burst(): Benchmark {
    const measure = async (pair: Pair): Promise<Figures> => {
      await this.#warm(pair);
      return this.#costs(pair, { flows: burstFlows, rate: 0, hold: burstFlows });
    };
    return {
      name: 'sync-burst',
      description: `${burstFlows} flows created and destroyed as fast as the kernel takes them`,
      candidates: [
        ...this.#candidates(roomy, measure),
        this.#candidate(sealedName, 'keepstate', { ...roomy, sealed: true }, measure),
      ],
      comparisons: [
        ...cpuGoals(0.45, 0.6),
        ...sealGoals(0.35),
        { figure: 'bytesPerEvent', candidate: 'keepstate', against: 'conntrackd' },
        { figure: 'bytesPerEvent', candidate: sealedName, against: 'keepstate' },
        { figure: 'eventsLost', candidate: 'keepstate', atMost: 0 },
        { figure: 'eventsLost', candidate: sealedName, atMost: 0 },
      ],
    };
  }

  steady(rate: number): Benchmark {
    const measure = async (pair: Pair): Promise<Figures> => {
      await this.#warm(pair);
      await sleep(5_000);
      return this.#costs(pair, { flows: rate * 3, rate, hold: 1_000 });
    };
    return {
      name: `sync-${rate}-per-second`,
      description: `${rate} events per second for 6 s, one at a time`,
      candidates: this.#candidates(ordinary, measure),
      comparisons: [...cpuGoals(1, 1), { figure: 'eventsLost', candidate: 'keepstate', atMost: 0 }],
    };
  }

  idle(): Benchmark {
    const measure = async ({ sender, receiver }: Pair): Promise<Figures> => {
      // The compilers and collectors of the start have come to rest by then.
      await sleep(15_000);
      const before = [sender, receiver].map(({ process }) => cpuNanoseconds(process.pid));
      const start = performance.now();
      await sleep(10_000);
      const span = (performance.now() - start) * 1e6;
      const percent = [sender, receiver].map(
        ({ process }, i) => ((cpuNanoseconds(process.pid) - before[i]!) / span) * 100,
      );
      return { masterPercentOfCore: percent[0]!, backupPercentOfCore: percent[1]! };
    };
    return {
      name: 'sync-idle',
      description: 'no flows, no events, 10 s',
      candidates: this.#candidates(ordinary, measure),
      comparisons: ['masterPercentOfCore', 'backupPercentOfCore'].map((figure) => ({
        figure,
        candidate: 'keepstate',
        atMost: 0.5,
      })),
    };
  }

  overload(): Benchmark {
    const patience = 45_000;
    const measure = async (pair: Pair): Promise<Figures> => {
      const loading = load(this.#hosts[0], this.#program, { flows: overloadFlows, rate: 0 });
      const { milliseconds } = await loading;
      const end = performance.now();
      let atThreeSeconds = NaN;
      let entries = 0;
      while (entries < overloadFlows && performance.now() - end < patience) {
        await sleep(20);
        entries = await pair.receiver.externalEntries();
        if (Number.isNaN(atThreeSeconds) && performance.now() - end >= 3_000) {
          atThreeSeconds = entries;
        }
      }
      const whole = entries >= overloadFlows;
      return {
        burstMilliseconds: milliseconds,
        entriesAfterThreeSeconds: Number.isNaN(atThreeSeconds) ? entries : atThreeSeconds,
        entriesAtEnd: entries,
        ...(whole ? { secondsUntilWhole: (performance.now() - end) / 1_000 } : {}),
        eventsLost: eventQueue(this.#hosts[0])?.drops ?? NaN,
      };
    };
    const candidate = 'keepstate';
    return {
      name: 'sync-overload',
      description: `${overloadFlows} new flows at once into a netlink buffer of 2 MiB`,
      candidates: this.#candidates(small, measure),
      comparisons: [
        { figure: 'secondsUntilWhole', candidate, atMost: 3 },
        { figure: 'entriesAfterThreeSeconds', candidate, against: 'conntrackd' },
      ],
    };
  }

  /** DisableExternalCache: the peer's kernel gets the flow, and both kernels note when. */
  lag(): Benchmark {
    const measure = async (pair: Pair): Promise<Figures> => {
      for (const host of this.#hosts)
        await host.sysctl({ 'net.netfilter.nf_conntrack_timestamp': 1 });
      await load(this.#hosts[0], this.#program, { flows: 20_000, rate: 20_000, first: 200_000 });
      await sleep(1_000);
      await load(this.#hosts[0], this.#program, { flows: lagFlows, rate: 7_000 });
      await sleep(1_000);
      await pair.sender.internalEntries();
      const [here, there] = await Promise.all(this.#hosts.map((host) => startTimes(host)));
      const lags: number[] = [];
      for (const [key, created] of here!) {
        const arrived = there!.get(key);
        if (arrived !== undefined) lags.push(Number(arrived - created) / 1e6);
      }
      lags.sort((a, b) => a - b);
      const at = (part: number): number => lags[Math.floor(lags.length * part)] ?? NaN;
      return {
        p50Milliseconds: at(0.5),
        p99Milliseconds: at(0.99),
        longestMilliseconds: lags.at(-1) ?? NaN,
        missing: lagFlows - lags.length,
      };
    };
    const candidate = 'keepstate';
    return {
      name: 'sync-lag',
      description: `${lagFlows} new flows at 7,000 per second, from kernel to the peer's kernel`,
      candidates: this.#candidates({ ...roomy, disableExternalCache: true }, measure),
      comparisons: [
        { figure: 'p50Milliseconds', candidate, atMost: 5 },
        { figure: 'p99Milliseconds', candidate, atMost: 20 },
        { figure: 'missing', candidate, atMost: 0 },
        { figure: 'p50Milliseconds', candidate, against: 'conntrackd' },
      ],
    };
  }

  churn(): Benchmark {
    // Steps of an eighth, up to what the program that makes the events can do alone.
    const rates = Array.from({ length: 18 }, (_, i) => Math.round((40 * 1.125 ** i) / 5) * 5_000);
    const hold = 2_000;
    const measure = async (pair: Pair): Promise<Figures> => {
      await this.#settled(pair, { flows: 30_000, rate: 20_000, hold });
      let best = 0;
      for (const rate of rates) {
        if (!(await this.#bears(pair, { flows: rate, rate, hold }))) break;
        best = rate;
      }
      const before = cores(pair);
      const { milliseconds } = await load(this.#hosts[0], this.#program, {
        flows: commonChurn * 2,
        rate: commonChurn,
        hold,
      });
      await this.#emptied(pair);
      return {
        eventsPerSecond: best,
        [`coresAt${commonChurn}`]: (cores(pair) - before) / (milliseconds * 1e6),
      };
    };
    return {
      name: 'sync-churn',
      description:
        'the highest rate of new and destroyed flows for 2 s with nothing lost, buffer 2 MiB growing to 8',
      candidates: this.#candidates(ordinary, measure),
      comparisons: [
        { figure: 'eventsPerSecond', candidate: 'keepstate', against: 'conntrackd', atLeast: 2 },
        { figure: `coresAt${commonChurn}`, candidate: 'keepstate', against: 'conntrackd' },
      ],
    };
  }

  /**
   * Whether a rate is borne: nothing lost, the program that makes the events keeps its pace, the
   * peer's cache is empty afterwards. Anybody else's burst of work fails it, so it is tried three
   * times, for either daemon.
   */
  async #bears(pair: Pair, options: LoadOptions): Promise<boolean> {
    for (let attempt = 1; attempt <= 3; attempt++) {
      const before = eventQueue(this.#hosts[0])?.drops ?? NaN;
      const { events, milliseconds } = await load(this.#hosts[0], this.#program, options);
      const drops = (eventQueue(this.#hosts[0])?.drops ?? NaN) - before;
      const reached = Math.round(events / (milliseconds / 1_000));
      const isEmpty = await this.#emptied(pair);
      if (drops === 0 && reached >= options.rate * 0.95 && isEmpty) return true;
      const emptied = isEmpty ? '' : ', the peer kept some';
      process.stderr.write(
        `  ${options.rate} a second: ${reached} made, ${drops} lost${emptied}\n`,
      );
    }
    return false;
  }

  #candidates(options: PairOptions, measure: (pair: Pair) => Promise<Figures>): Candidate[] {
    return kinds.map((kind) => this.#candidate(kind, kind, options, measure));
  }

  #candidate(
    name: string,
    kind: PairKind,
    options: PairOptions,
    measure: (pair: Pair) => Promise<Figures>,
  ): Candidate {
    const run = async (): Promise<Figures> => {
      const pair = await startPair(kind, this.#hosts, options);
      try {
        return await measure(pair);
      } finally {
        await pair.stop();
      }
    };
    return { name, run };
  }

  /** CPU of both ends for one load, from its first event until both caches are empty again. */
  async #costs(pair: Pair, options: LoadOptions): Promise<Figures> {
    const { sender, receiver } = pair;
    const pids = [sender.process.pid, receiver.process.pid] as const;
    const dropsBefore = eventQueue(this.#hosts[0])?.drops ?? NaN;
    const bytesBefore = await this.#sentBytes();
    const before = pids.map(cpuNanoseconds);
    const { events, errors } = await load(this.#hosts[0], this.#program, options);
    await waitFor(() => eventQueue(this.#hosts[0])?.queuedBytes === 0, { timeout: 60_000 });
    // To ask costs more than a second of an everyday rate, of which nothing is left to do.
    if (options.rate === 0) await this.#emptied(pair);
    const after = options.rate === 0 ? await restingCpu(pids) : pids.map(cpuNanoseconds);
    await this.#emptied(pair);
    if (errors > 0) throw new Error(`${errors} flows were refused`);
    const left = await receiver.externalEntries();
    return {
      senderMicrosecondsPerEvent: (after[0]! - before[0]!) / 1_000 / events,
      receiverMicrosecondsPerEvent: (after[1]! - before[1]!) / 1_000 / events,
      bytesPerEvent: ((await this.#sentBytes()) - bytesBefore) / events,
      eventsLost: (eventQueue(this.#hosts[0])?.drops ?? NaN) - dropsBefore,
      flowsLeftBehind: left,
    };
  }

  /**
   * A daemon runs for months: its compiler has seen such bursts before, and each branch that events
   * take. It is at work until about a million events have passed.
   */
  async #warm(pair: Pair): Promise<void> {
    for (let i = 0; i < 6; i++) {
      await this.#settled(pair, { flows: burstFlows, rate: 0, hold: burstFlows });
    }
  }

  async #settled(pair: Pair, options: LoadOptions): Promise<void> {
    await load(this.#hosts[0], this.#program, options);
    await this.#emptied(pair);
  }

  async #emptied({ receiver }: Pair): Promise<boolean> {
    return waitFor(async () => (await receiver.externalEntries()) === 0, {
      timeout: 20_000,
      interval: 200,
    }).catch(() => false);
  }

  async #sentBytes(): Promise<number> {
    return Number(await this.#hosts[0].exec(['cat', '/sys/class/net/sync/statistics/tx_bytes']));
  }
}

/** Nanoseconds of a core that both nodes have used. */
function cores({ sender, receiver }: Pair): number {
  return cpuNanoseconds(sender.process.pid) + cpuNanoseconds(receiver.process.pid);
}

/** Waits until the daemons rest, and gives what they had used when they began to. */
async function restingCpu(pids: readonly number[]): Promise<number[]> {
  let before = pids.map(cpuNanoseconds);
  for (let round = 0; round < 200; round++) {
    await sleep(50);
    const now = pids.map(cpuNanoseconds);
    if (now.every((value, i) => value - before[i]! < 2_000_000)) return before;
    before = now;
  }
  throw new Error('the daemons do not come to rest');
}

function cpuGoals(sender: number, receiver: number): Benchmark['comparisons'] {
  const common = { candidate: 'keepstate', against: 'conntrackd' };
  return [
    { figure: 'senderMicrosecondsPerEvent', ...common, atMost: sender },
    { figure: 'receiverMicrosecondsPerEvent', ...common, atMost: receiver },
  ];
}

/** Microseconds of a core that keys may cost an event, on either side. */
function sealGoals(beyondAtMost: number): Benchmark['comparisons'] {
  return ['senderMicrosecondsPerEvent', 'receiverMicrosecondsPerEvent'].map((figure) => ({
    figure,
    candidate: sealedName,
    against: 'keepstate',
    beyondAtMost,
  }));
}

/** When each flow of bench/native/load.c was created, nanoseconds; key is address and ports. */
async function startTimes(host: Host): Promise<Map<number, bigint>> {
  const times = new Map<number, bigint>();
  const names = new NameTable();
  const dump = withNetworkNamespace(
    host.namespacePath,
    () =>
      new KernelDump({ kind: 'flows' }, names, {
        flow: (flow) => {
          const low = BigInt(flow.getRare(rareWord.start + 1));
          const time = (BigInt(flow.getRare(rareWord.start)) << 32n) | low;
          const address = flow.get(recordWord.originalSource) >>> 24;
          const port = flow.get(recordWord.originalPorts) >>> 16;
          // Flows from the warm-up have other addresses.
          if (address === 1 && time !== 0n) times.set(address * 65_536 + port, time);
        },
      }),
  );
  await dump.done;
  return times;
}
