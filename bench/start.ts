/**
 * A start of the daemon, from the program's beginning to its first advert with priority 255, and
 * what it takes of memory when it has nothing to do, on each release of Node.js that is supported:
 * as the unit starts it. The sync worker runs.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from '../test/lab/host.js';
import { Lab } from '../test/lab/lab.js';
import { repositoryRoot } from '../test/lab/runTypescript.js';
import { sleep } from '../test/lab/waitFor.js';
import { nodeMajors, nodeProgram } from '../test/package/nodeVersions.js';
import { pairConfig } from '../test/support/daemon/pairConfig.js';
import type { Benchmark, Candidate, Figures } from './framework.js';
import { cpuNanoseconds, residentBytes } from './measure.js';
import { requireBuild } from './syncPair.js';

/** Until start-up code is compiled, and its garbage is collected or will stay. */
const idleMilliseconds = 15_000;

export async function open(): Promise<{ benchmarks: Benchmark[]; close: () => Promise<void> }> {
  requireBuild();
  const lab = await Lab.open();
  const host = await lab.host('start');
  await host.ip(
    ...['lan', 'wan', 'sync'].flatMap((name) => [
      `link add ${name} type veth peer name ${name}2`,
      `link set ${name} up`,
      `link set ${name}2 up`,
    ]),
    'addr add 10.1.0.1/24 dev lan',
    'addr add 10.3.0.1/24 dev sync',
  );
  // By multicast: nobody would answer ARP for a unicast peer.
  const config = pairConfig({ index: 0, priority: 255 })
    .replace('state BACKUP', 'state MASTER')
    .replace(/unicast_src_ip .*/, '')
    .replace(/unicast_peer \{[^}]*\}/, '');
  const file = host.file('start.conf', config.replaceAll('@DIRECTORY@', host.directory));
  const candidates = nodeMajors.map((major): Candidate => {
    const program = nodeProgram(major);
    return { name: `node${major}`, run: () => measure(host, program, file) };
  });
  const limits = { millisecondsToFirstAdvert: 300, residentMebibytes: 70 };
  return {
    benchmarks: [
      {
        name: 'start',
        description: 'a start with priority 255, and the memory of a node that is idle',
        candidates,
        comparisons: nodeMajors.flatMap((major) =>
          Object.entries(limits).map(([figure, atMost]) => ({
            ...{ figure, candidate: `node${major}`, atMost },
          })),
        ),
      },
    ],
    close: () => lab.close(),
  };
}

async function measure(host: Host, program: string, file: string): Promise<Figures> {
  const capture = await host.capture('lan2', { filter: 'ip proto 112' });
  const begun = Date.now();
  const words = ['--max-semi-space-size=1', join(repositoryRoot, 'bin/keepstate')];
  const daemon = host.start([program, ...words, 'run', '--config', file]);
  const [first] = await capture.waitForFrames(1);
  const cpu = cpuNanoseconds(daemon.pid) / 1e6;
  await sleep(idleMilliseconds);
  const resident = residentBytes(daemon.pid) / 2 ** 20;
  await capture.stop();
  daemon.signal('SIGTERM');
  await daemon.exited();
  rmSync(join(host.directory, 'run'), { recursive: true, force: true });
  return {
    millisecondsToFirstAdvert: (first?.time ?? 0) * 1_000 - begun,
    cpuMillisecondsToFirstAdvert: cpu,
    residentMebibytes: resident,
  };
}
