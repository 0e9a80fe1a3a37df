/**
 * The flow engine beside conntrackd 1.4.7 and beside a C program that sends the same messages: CPU
 * per event and memory per flow (conntrackd in Stats mode keeps one cache, as the mirror does),
 * commit, dump. Whole processes are measured, the kernel's work for them included.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../test/lab/command.js';
import { Conntrackd, type ConntrackdOptions } from '../test/lab/conntrackd.js';
import type { Host } from '../test/lab/host.js';
import { Lab } from '../test/lab/lab.js';
import type { ManagedProcess } from '../test/lab/managedProcess.js';
import { typescriptCommand } from '../test/lab/runTypescript.js';
import { waitFor } from '../test/lab/waitFor.js';
import type { Benchmark, Candidate, Figures } from './framework.js';

const program = 'bench/conntrackProgram.ts';
/** As conntrackd 1.4.7 schedules itself, so that a busy machine treats all three alike. */
const realtime = ['chrt', '--rr', '99'];
/** 1,280 bytes per event: room for 200,000, so that nobody profits from losing some. */
const roomyBytes = 256 << 20;
const eventFlows = 100_000;
const commitFlows = 100_000;
const memoryFlows = 200_000;
const dumpFlows = Number(process.env['KEEPSTATE_BENCH_DUMP'] ?? 1_000_000);

export async function open(): Promise<{ benchmarks: Benchmark[]; close: () => Promise<void> }> {
  const lab = await Lab.open();
  const bench = await ConntrackBenchmarks.prepare(lab);
  return {
    benchmarks: [bench.events(), bench.memory(), ...bench.commits(), bench.dump()],
    close: () => bench.close(),
  };
}

class ConntrackBenchmarks {
  readonly #lab: Lab;
  readonly #host: Host;
  readonly #peer: Host;
  readonly #injector: string;
  readonly #conntrackMax: string;

  static async prepare(lab: Lab): Promise<ConntrackBenchmarks> {
    const [host, peer] = (await lab.hosts('bench', 'peer')) as [Host, Host];
    await lab.link(
      { host, name: 'sync', addresses: ['10.9.0.1/24'] },
      { host: peer, name: 'sync', addresses: ['10.9.0.2/24'] },
    );
    for (const each of [host, peer]) {
      await each.nft(
        'table ip nat {\n chain post { type nat hook postrouting priority 100; }\n}\n',
      );
      await each.sysctl({ 'net.netfilter.nf_conntrack_events': 1 });
    }
    const injector = join(lab.directory, 'injector');
    await run(['cc', '-O2', '-o', injector, join(__dirname, 'native/injector.c')]);
    const conntrackMax = (await run(['sysctl', '-n', 'net.netfilter.nf_conntrack_max'])).trim();
    return new ConntrackBenchmarks(lab, host, peer, injector, conntrackMax);
  }

  private constructor(lab: Lab, host: Host, peer: Host, injector: string, conntrackMax: string) {
    this.#lab = lab;
    this.#host = host;
    this.#peer = peer;
    this.#injector = injector;
    this.#conntrackMax = conntrackMax;
  }

  async close(): Promise<void> {
    await run(['sysctl', '-q', '-w', `net.netfilter.nf_conntrack_max=${this.#conntrackMax}`]);
    await this.#lab.close();
  }

  events(): Benchmark {
    const candidate = (name: string, start: () => Promise<ManagedProcess>): Candidate => ({
      name,
      run: async () => {
        await this.#host.exec(['conntrack', '-F']);
        const reader = await start();
        // A daemon runs for months: its compiler has seen events before.
        await this.#inject([String(eventFlows / 2)]);
        await this.#idle(reader);
        const before = cpuNanoseconds(reader.pid);
        const { events } = await this.#inject([String(eventFlows)]);
        await waitFor(() => eventQueue(this.#host)?.queuedBytes === 0, { timeout: 60_000 });
        const spent = cpuNanoseconds(reader.pid) - before;
        const lost = eventQueue(this.#host)?.drops ?? NaN;
        await reader.stop();
        return { cpuMicrosecondsPerEvent: spent / 1_000 / (events - lost), events, lost };
      },
    });
    const figure = 'cpuMicrosecondsPerEvent';
    return {
      name: 'conntrack-events',
      description: `${2 * eventFlows} NEW and DESTROY into a table`,
      candidates: [
        candidate('keepstate', () => this.#watch()),
        candidate('conntrackd', () => this.#stats()),
      ],
      comparisons: [{ figure, candidate: 'keepstate', against: 'conntrackd', atMost: 0.5 }],
    };
  }

  memory(): Benchmark {
    const candidate = (name: string, start: () => Promise<ManagedProcess>): Candidate => ({
      name,
      run: async () => {
        await this.#host.exec(['conntrack', '-F']);
        const reader = await start();
        // Half the flows first: code and buffers are in memory before the difference is taken.
        await this.#inject([String(memoryFlows / 4), '--keep']);
        await this.#idle(reader);
        const before = residentBytes(reader.pid);
        const base = String(memoryFlows / 4);
        await this.#inject([String(memoryFlows), '--base', base, '--keep']);
        await this.#idle(reader);
        const grown = residentBytes(reader.pid) - before;
        await reader.stop();
        return { bytesPerFlow: grown / memoryFlows };
      },
    });
    const figure = 'bytesPerFlow';
    return {
      name: 'conntrack-memory',
      description: `resident memory for ${memoryFlows} more flows`,
      candidates: [
        candidate('keepstate', () => this.#watch()),
        candidate('conntrackd', () => this.#stats()),
      ],
      comparisons: [{ figure, candidate: 'keepstate', against: 'conntrackd', atMost: 0.4 }],
    };
  }

  commits(): Benchmark[] {
    return (['plain', 'nat'] as const).map((kind) => {
      const file = join(this.#lab.directory, `messages-${kind}`);
      const figure = 'flowsPerSecond';
      return {
        name: `conntrack-commit-${kind}`,
        description: `${commitFlows} flows into a kernel with one subscriber of events`,
        candidates: [
          { name: 'keepstate', run: () => this.#commitOwn(kind, file) },
          { name: 'C injector', run: () => this.#commitInjector(file) },
          { name: 'conntrackd -c', run: () => this.#commitConntrackd(kind) },
        ],
        comparisons: [
          { figure, candidate: 'keepstate', against: 'C injector', atLeast: 0.85 },
          { figure, candidate: 'keepstate', against: 'conntrackd -c', atLeast: 1.3 },
        ],
      };
    });
  }

  dump(): Benchmark {
    const dump = async (): Promise<Figures> => {
      await run(['sysctl', '-q', '-w', `net.netfilter.nf_conntrack_max=${dumpFlows * 2}`]);
      await this.#host.exec(['conntrack', '-F']);
      await this.#inject([String(dumpFlows), '--keep']);
      const reader = this.#host.startTypescript(program, ['dump']);
      await reader.exited();
      const told = JSON.parse(reader.stdout) as Record<string, number>;
      await this.#host.exec(['conntrack', '-F']);
      return {
        entries: told['entries']!,
        entriesPerSecond: told['entries']! / (told['milliseconds']! / 1_000),
        longestPauseMilliseconds: told['longestPause']!,
        ownCpuInLongestPauseMilliseconds: told['longestPauseCpu']!,
        tableBytesPerFlow: told['tableBytes']! / told['entries']!,
      };
    };
    const candidate = 'keepstate';
    return {
      name: 'conntrack-dump',
      description: `a table of ${dumpFlows} flows read into ours`,
      candidates: [{ name: candidate, run: dump }],
      comparisons: [
        { figure: 'longestPauseMilliseconds', candidate, atMost: 10 },
        { figure: 'entries', candidate, atLeast: dumpFlows },
      ],
    };
  }

  async #watch(): Promise<ManagedProcess> {
    const reader = this.#host.startTypescript(program, ['watch', String(roomyBytes)]);
    await reader.waitForOutput('"ready":true', { timeout: 60_000 });
    return reader;
  }

  /** conntrackd in Stats mode. */
  async #stats(): Promise<ManagedProcess> {
    const directory = this.#host.path('stats');
    await run(['mkdir', '-p', directory]);
    const config = `General {
  HashSize 65536
  HashLimit 1048576
  LogFile off
  LockFile ${directory}/lock
  UNIX { Path ${directory}/control }
  NetlinkBufferSize ${roomyBytes}
  NetlinkBufferSizeMaxGrowth ${roomyBytes}
}
Stats { LogFile off }
`;
    return (await Conntrackd.startWithConfig(this.#host, config, directory)).process;
  }

  async #inject(args: readonly string[]): Promise<{ events: number }> {
    const injector = this.#host.startTypescript('test/support/conntrack/injectFlows.ts', args);
    await injector.exited();
    return JSON.parse(injector.stdout) as { events: number };
  }

  async #idle(reader: ManagedProcess): Promise<void> {
    await waitFor(() => eventQueue(this.#host)?.queuedBytes === 0, { timeout: 60_000 });
    if (!reader.isRunning) throw new Error(reader.output);
  }

  /** The subscriber that is there in each commit: reads all events and does nothing with them. */
  async #subscribed<T>(work: () => Promise<T>): Promise<T> {
    await this.#host.exec(['conntrack', '-F']);
    const args = ['own', String(roomyBytes), '1'];
    const subscriber = this.#host.startTypescript('bench/netlinkReader.ts', args);
    try {
      await subscriber.waitForOutput('ready');
      return await work();
    } finally {
      await subscriber.stop();
    }
  }

  #commitOwn(kind: string, file: string): Promise<Figures> {
    return this.#subscribed(async () => {
      const args = ['commit', String(commitFlows), kind, file];
      const started = this.#host.start([...realtime, ...typescriptCommand(program), ...args]);
      await started.exited();
      const told = JSON.parse(started.stdout) as Record<string, number>;
      if (told['committed'] !== commitFlows) throw new Error(started.stdout);
      return rate(told['milliseconds']!);
    });
  }

  #commitInjector(file: string): Promise<Figures> {
    return this.#subscribed(async () => {
      const [nanoseconds = '', errors] = (
        await this.#host.exec([...realtime, this.#injector, file])
      )
        .trim()
        .split(' ');
      if (errors !== '0') throw new Error(`injector: ${errors} errors`);
      return rate(Number(nanoseconds) / 1e6);
    });
  }

  /**
   * The flows get into conntrackd's external cache from a second conntrackd; its own log tells the
   * time.
   */
  async #commitConntrackd(kind: string): Promise<Figures> {
    for (const host of [this.#host, this.#peer]) await host.exec(['conntrack', '-F']);
    const fill = this.#peer.startTypescript(program, ['commit', String(commitFlows), kind, '']);
    await fill.exited();
    const logFile = join(this.#lab.directory, 'conntrackd.log');
    const [receiver, sender] = [
      await Conntrackd.start(
        this.#host,
        peerOptions('10.9.0.1', '10.9.0.2', [`LogFile ${logFile}`]),
      ),
      await Conntrackd.start(this.#peer, peerOptions('10.9.0.2', '10.9.0.1')),
    ];
    try {
      await waitFor(
        async () => {
          await sender.client('-B');
          return (await cached(receiver)) === commitFlows;
        },
        { timeout: 120_000, interval: 3_000, description: 'the external cache to fill' },
      );
      const figures = await this.#subscribed(async () => {
        await receiver.client('-c');
        const log = readFileSync(logFile, 'utf8');
        const seconds = /commit has taken (\d+\.\d+) seconds/.exec(
          log.slice(log.lastIndexOf('Committed')),
        );
        if (seconds === null) throw new Error(log);
        return rate(Number(seconds[1]) * 1_000);
      });
      return figures;
    } finally {
      await receiver.stop();
      await sender.stop();
      await run(['rm', '-f', logFile]);
    }
  }
}

function rate(milliseconds: number): Figures {
  return { flowsPerSecond: commitFlows / (milliseconds / 1_000), milliseconds };
}

function peerOptions(local: string, destination: string, lines: string[] = []): ConntrackdOptions {
  return {
    mode: 'NOTRACK',
    link: { kind: 'udp', local, destination, interfaceName: 'sync' },
    generalLines: lines,
  };
}

async function cached(daemon: Conntrackd): Promise<number> {
  const text = await daemon.client('-s');
  return Number(/cache external:\s+current active connections:\s+(\d+)/.exec(text)?.[1] ?? 0);
}

function residentBytes(pid: number): number {
  const pages = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1];
  return Number(pages) * 4096;
}

/** CPU time of all threads that live. */
function cpuNanoseconds(pid: number): number {
  return readdirSync(`/proc/${pid}/task`)
    .map((task) => readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8'))
    .reduce((sum, text) => sum + Number(text.split(' ')[0]), 0);
}

/** The socket that is in conntrack groups: /proc/net/netlink, columns Groups, Rmem, Drops. */
function eventQueue(host: Host): { queuedBytes: number; drops: number } | undefined {
  const lines = host.execSync(['cat', '/proc/net/netlink']).split('\n');
  for (const line of lines) {
    const [, family, , groups, queued, , , , drops] = line.trim().split(/\s+/);
    if (family === '12' && groups !== undefined && (Number.parseInt(groups, 16) & 7) === 7) {
      return { queuedBytes: Number(queued), drops: Number(drops) };
    }
  }
  return undefined;
}
