/**
 * The log of connections that ended beside conntrackd 1.4.7 in its mode `Stats`: a million ends at
 * 100,000 a second into a file, once each with counters, and what of them is on the disk. Whole
 * processes are measured; keepstate's is the daemon as it is installed.
 */
import { readFileSync, rmSync, statSync } from 'node:fs';
import { Conntrackd } from '../test/lab/conntrackd.js';
import type { Host } from '../test/lab/host.js';
import { keepstateCommand } from '../test/lab/keepstateProgram.js';
import { Lab } from '../test/lab/lab.js';
import type { ManagedProcess } from '../test/lab/managedProcess.js';
import { waitFor } from '../test/lab/waitFor.js';
import type { Benchmark, Candidate, Figures } from './framework.js';
import { compile, cpuNanoseconds, eventQueue, load, raiseConntrackMax } from './measure.js';
import { requireBuild } from './syncPair.js';

const ends = 1_000_000;
/** Each end has a beginning before it. */
const eventsPerSecond = 200_000;
/** Connections that live at a time. */
const living = 10_000;
/** The compiler has seen ends before, as that of a daemon that runs for months has. */
const warming = 100_000;
/** As conntrackd 1.4.7 schedules itself, so that a busy machine treats both alike. */
const realtime = ['chrt', '--rr', '99'];
/** 1,280 bytes per event: neither profits from losing some. */
const bufferBytes = 256 << 20;

export async function open(): Promise<{ benchmarks: Benchmark[]; close: () => Promise<void> }> {
  requireBuild();
  const lab = await Lab.open();
  const host = await lab.host('router');
  await host.sysctl({ 'net.netfilter.nf_conntrack_acct': 1 });
  const bench = new StatisticsBenchmark(host, await compile(lab, 'load'));
  const restore = await raiseConntrackMax(1_000_000);
  return {
    benchmarks: [bench.ended()],
    close: async () => {
      await restore();
      await lab.close();
    },
  };
}

class StatisticsBenchmark {
  readonly #host: Host;
  readonly #program: string;
  readonly #log: string;

  constructor(host: Host, program: string) {
    this.#host = host;
    this.#program = program;
    this.#log = host.path('stats.log');
  }

  ended(): Benchmark {
    const candidate = (name: string, start: () => Promise<ManagedProcess>): Candidate => ({
      name,
      run: async () => {
        rmSync(this.#log, { force: true });
        const daemon = await start();
        const figures = await this.#measure(daemon);
        await daemon.stop();
        return figures;
      },
    });
    return {
      name: 'statistics-ended',
      description: `${ends} connections that end, 100,000 in a second, each a line of a file`,
      candidates: [
        candidate('keepstate', () => this.#keepstate()),
        candidate('conntrackd', () => this.#conntrackd()),
      ],
      comparisons: [
        {
          figure: 'cpuMicrosecondsPerEnd',
          candidate: 'keepstate',
          against: 'conntrackd',
          atMost: 0.6,
        },
        { figure: 'missing', candidate: 'keepstate', atMost: 0 },
        { figure: 'endsPerSecond', candidate: 'keepstate', atLeast: 95_000 },
      ],
    };
  }

  async #measure(daemon: ManagedProcess): Promise<Figures> {
    await this.#end(warming, 0);
    const before = { cpu: cpuNanoseconds(daemon.pid), bytes: statSync(this.#log).size };
    const { milliseconds } = await this.#end(ends, warming);
    const spent = cpuNanoseconds(daemon.pid) - before.cpu;
    const lines = countLines(this.#log) - warming;
    return {
      cpuMicrosecondsPerEnd: spent / 1_000 / lines,
      endsPerSecond: (ends / milliseconds) * 1_000,
      missing: ends - lines,
      eventsLost: eventQueue(this.#host)?.drops ?? NaN,
      bytesPerLine: (statSync(this.#log).size - before.bytes) / lines,
    };
  }

  /** Connections begin and end; resolves when the daemon has read all of it and the file rests. */
  async #end(flows: number, first: number): Promise<{ readonly milliseconds: number }> {
    const options = { flows, rate: eventsPerSecond, hold: living, first, runsFirst: true };
    const loaded = await load(this.#host, this.#program, options);
    await this.#host.exec(['conntrack', '-F']);
    let size = -1;
    await waitFor(
      () => {
        const last = size;
        size = statSync(this.#log).size;
        return eventQueue(this.#host)?.queuedBytes === 0 && size === last && size > 0;
      },
      { description: 'the log to rest', interval: 500, timeout: 120_000 },
    );
    return loaded;
  }

  async #keepstate(): Promise<ManagedProcess> {
    const { directory } = this.#host;
    const own = `global_defs {\n  state_directory ${directory}/state\n}\n`;
    const file = this.#host.file('keepstate.conf', own + this.#blocks());
    const profile = (process.env['KEEPSTATE_BENCH_NODE_OPTIONS'] ?? '').split(' ').filter(Boolean);
    const [node = '', ...program] = keepstateCommand();
    const args = ['run', '--config', file, '--control', `${directory}/keepstate.sock`];
    const command = [...realtime, node, ...profile, ...program, ...args];
    const daemon = this.#host.start(command);
    await daemon.waitForOutput('keepstate runs', { timeout: 60_000 });
    return daemon;
  }

  async #conntrackd(): Promise<ManagedProcess> {
    return (await Conntrackd.startWithConfig(this.#host, this.#blocks())).process;
  }

  #blocks(): string {
    const { directory } = this.#host;
    return `General {
  HashSize 32768
  HashLimit 524288
  LockFile ${directory}/lock
  UNIX { Path ${directory}/control }
  NetlinkBufferSize ${bufferBytes}
  NetlinkBufferSizeMaxGrowth ${bufferBytes}
}
Stats { LogFile ${this.#log} }
`;
  }
}

function countLines(path: string): number {
  const bytes = readFileSync(path);
  let lines = 0;
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) lines++;
  return lines;
}
