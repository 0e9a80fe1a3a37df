/** What the benchmarks read from /proc, and the programs that they build. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../test/lab/command.js';
import type { Host } from '../test/lab/host.js';
import type { Lab } from '../test/lab/lab.js';
import { waitFor } from '../test/lab/waitFor.js';

/** CPU time of all threads that live, the kernel's work in their system calls included. */
export function cpuNanoseconds(pid: number): number {
  return readdirSync(`/proc/${pid}/task`)
    .map((task) => readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8'))
    .reduce((sum, text) => sum + Number(text.split(' ')[0]), 0);
}

export function residentBytes(pid: number): number {
  const pages = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1];
  return Number(pages) * 4096;
}

export interface EventQueue {
  readonly queuedBytes: number;
  /** Events that the kernel could not queue since the socket was opened. */
  readonly drops: number;
}

/** The socket that is in conntrack groups: /proc/net/netlink, columns Groups, Rmem, Drops. */
export function eventQueue(host: Host): EventQueue | undefined {
  for (const line of host.execSync(['cat', '/proc/net/netlink']).split('\n')) {
    const [, family, , groups, queued, , , , drops] = line.trim().split(/\s+/);
    if (family === '12' && groups !== undefined && (Number.parseInt(groups, 16) & 7) === 7) {
      return { queuedBytes: Number(queued), drops: Number(drops) };
    }
  }
  return undefined;
}

/**
 * Puts a program that measures, or is measured against, before the real-time threads of the daemons: in earnest it runs on
 * another machine, and here it would wait for their cores.
 */
export async function putFirst(pid: number): Promise<void> {
  await run(['chrt', '--all-tasks', '--fifo', '--pid', '99', String(pid)]);
}

/** Compiles bench/native/NAME.c; the path of the program. */
export async function compile(lab: Lab, name: string): Promise<string> {
  const program = join(lab.directory, name);
  await run(['cc', '-O2', '-o', program, join(__dirname, `native/${name}.c`)]);
  return program;
}

export interface LoadOptions {
  readonly flows: number;
  /** Events per second; 0 is as fast as the kernel takes them. */
  readonly rate: number;
  /** Each flow ends when there are this many younger ones; absent: never. */
  readonly hold?: number;
  readonly first?: number;
  /** The program runs before all threads, as the kernel's work on packets does. */
  readonly runsFirst?: boolean;
}

export interface Loaded {
  readonly events: number;
  readonly milliseconds: number;
  readonly errors: number;
}

/** Runs bench/native/load.c in `host` to its end. */
export async function load(host: Host, program: string, options: LoadOptions): Promise<Loaded> {
  const { flows, rate, hold = -1, first = 0, runsFirst = false } = options;
  const before = runsFirst ? ['chrt', '--fifo', '99'] : [];
  const text = await host.exec([...before, program, ...[flows, rate, hold, first].map(String)], {
    timeoutMilliseconds: 300_000,
  });
  return JSON.parse(text) as Loaded;
}

/** The kernel frees the flows of closed network namespaces in its own time, and slowly takes new ones meanwhile. */
export async function waitForFreedFlows(): Promise<void> {
  await waitFor(
    () => {
      const line = /^nf_conntrack +(\d+)/m.exec(readFileSync('/proc/slabinfo', 'utf8'));
      return Number(line?.[1] ?? 0) < 100_000;
    },
    { timeout: 300_000, interval: 500, description: 'the kernel to free the flows of before' },
  );
}

const maximum = 'net.netfilter.nf_conntrack_max';

/** Room for `flows` in the kernel (a setting of the whole machine); gives what sets it back. */
export async function raiseConntrackMax(flows: number): Promise<() => Promise<void>> {
  const before = Number((await run(['sysctl', '-n', maximum])).trim());
  await run(['sysctl', '-q', '-w', `${maximum}=${Math.max(before, flows)}`]);
  return async () => {
    await run(['sysctl', '-q', '-w', `${maximum}=${before}`]);
  };
}
