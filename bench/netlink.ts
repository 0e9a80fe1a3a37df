/**
 * CPU time of receiving one conntrack event, up to a TypeScript callback that reads its length and
 * type, beside `conntrack -E` with its output discarded and beside the netlink package. Whole
 * processes are measured, the kernel's work for them included (/proc/PID/task/N/schedstat).
 */
import { readFileSync, readdirSync } from 'node:fs';
import type { Host } from '../test/lab/host.js';
import { Lab } from '../test/lab/lab.js';
import type { ManagedProcess } from '../test/lab/managedProcess.js';
import { waitFor } from '../test/lab/waitFor.js';
import type { Benchmark, Candidate, Figures } from './framework.js';

const flows = 100_000;
/** Each event charges 1,280 bytes: this holds them all, so that nobody profits from losing some. */
const roomyBytes = 256 << 20;
/** What the netlink package can get: SO_RCVBUF up to net.core.rmem_max. */
const smallBytes = 212_992;

export async function open(): Promise<{ benchmarks: Benchmark[]; close: () => Promise<void> }> {
  const lab = await Lab.open();
  const host = await lab.host('bench');
  await host.sysctl({ 'net.netfilter.nf_conntrack_events': 1 });
  const own = (bytes: number, restMilliseconds: number) => (): ManagedProcess => {
    const args = ['own', String(bytes), String(restMilliseconds)];
    return host.startTypescript('bench/netlinkReader.ts', args);
  };
  const netlinkPackage = (): ManagedProcess =>
    host.startTypescript('bench/netlinkReader.ts', ['package', String(smallBytes)]);
  // The -b of conntrack 1.4.7 sizes another socket than the one that gets the events: it has the
  // default.
  const conntrack = (): ManagedProcess => host.start(['sh', '-c', 'exec conntrack -E > /dev/null']);
  const storm = [String(flows)];
  const trickle = [String(flows / 5), '--burst', '60', '--pause', '5'];
  const figure = 'cpuMicrosecondsPerEvent';
  return {
    benchmarks: [
      {
        name: 'netlink-storm',
        description: `${2 * flows} events as fast as the kernel makes them`,
        candidates: [
          candidate(host, 'keepstate', own(roomyBytes, 5), storm),
          candidate(host, 'keepstate without rest', own(roomyBytes, 0), storm),
          candidate(host, 'conntrack -E', conntrack, storm),
        ],
        comparisons: [
          { figure, candidate: 'keepstate', atMost: 1.5 },
          { figure, candidate: 'keepstate', against: 'conntrack -E' },
        ],
      },
      {
        name: 'netlink-trickle',
        description: `${(2 * flows) / 5} events in bursts of 60, which the netlink package survives`,
        candidates: [
          candidate(host, 'keepstate', own(smallBytes, 1), trickle),
          candidate(host, 'keepstate without rest', own(smallBytes, 0), trickle),
          candidate(host, 'conntrack -E', conntrack, trickle),
          candidate(host, 'netlink package', netlinkPackage, trickle),
        ],
        comparisons: [
          { figure, candidate: 'keepstate', against: 'netlink package' },
          { figure, candidate: 'keepstate', against: 'conntrack -E' },
        ],
      },
    ],
    close: () => lab.close(),
  };
}

function candidate(
  host: Host,
  name: string,
  start: () => ManagedProcess,
  injection: readonly string[],
): Candidate {
  return {
    name,
    run: async () => {
      const reader = start();
      await waitFor(() => eventQueue(host), { description: `${name} to listen` });
      if (name !== 'conntrack -E') await reader.waitForOutput('ready');
      const before = cpuNanoseconds(reader.pid);
      const injector = host.startTypescript('test/support/conntrack/injectFlows.ts', injection);
      await injector.exited();
      const { events } = JSON.parse(injector.stdout) as { events: number };
      await waitFor(() => !reader.isRunning || eventQueue(host)?.queuedBytes === 0);
      if (!reader.isRunning) throw new Error(`${name} ended: ${reader.output}`);
      const spent = cpuNanoseconds(reader.pid) - before;
      const drops = eventQueue(host)?.drops ?? NaN;
      await reader.stop();
      return figuresOf(spent, events, drops, reader.jsonLines()[0]);
    },
  };
}

/** Lost events cost nothing and count for nothing. */
function figuresOf(spent: number, sent: number, drops: number, told: unknown): Figures {
  const counted = told as { events: number; batches: number } | undefined;
  const events = counted?.events ?? sent - drops;
  return {
    cpuMicrosecondsPerEvent: spent / 1_000 / events,
    events,
    lost: drops,
    ...(counted !== undefined && counted.batches > 0
      ? { eventsPerBatch: events / counted.batches }
      : {}),
  };
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
