/**
 * `conntrack -L` of a large table by conntrack 1.4.7 and by keepstate, under the same name: CPU of
 * the whole process, the start of Node.js and the kernel's work included, and the most memory that
 * it had. The table is in a file, so that a reader costs nothing. Beside them the least that any
 * program pays: the kernel's dump, and writing as many bytes.
 */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../test/lab/command.js';
import { Lab } from '../test/lab/lab.js';
import type { Host } from '../test/lab/host.js';
import { keepstateCommand } from '../test/lab/keepstateProgram.js';
import { sleep } from '../test/lab/waitFor.js';
import { compile } from './measure.js';
import type { Benchmark, Figures } from './framework.js';

/** Of a line of the table that is listed. */
const bytesPerFlow = 158;
const flows = Number(process.env['KEEPSTATE_BENCH_DUMP'] ?? 1_000_000);

export async function open(): Promise<{ benchmarks: Benchmark[]; close: () => Promise<void> }> {
  const lab = await Lab.open();
  const [host, small] = (await lab.hosts('bench', 'small')) as [Host, Host];
  const conntrackMax = (await run(['sysctl', '-n', 'net.netfilter.nf_conntrack_max'])).trim();
  await run(['sysctl', '-q', '-w', `net.netfilter.nf_conntrack_max=${flows * 2}`]);
  await fill(host, flows);
  await fill(small, flows / 10);
  const own = [...keepstateCommand(), 'conntrack'];
  const yardstick = [await compile(lab, 'dump'), String(bytesPerFlow)];
  const candidate = (name: string, command: readonly string[]) => ({
    name,
    run: async (): Promise<Figures> => {
      const large = await list(host, command);
      const tenth = await list(small, command);
      return {
        cpuMilliseconds: large.cpuMilliseconds,
        megabytes: large.megabytes,
        residentMebibytes: large.residentMebibytes,
        residentOfATenth: tenth.residentMebibytes,
        growthMebibytes: large.residentMebibytes - tenth.residentMebibytes,
      };
    },
  });
  return {
    benchmarks: [
      {
        name: 'conntrack-command',
        description: `-L of ${flows} flows into a file`,
        candidates: [
          candidate('keepstate', own),
          candidate('conntrack', ['conntrack']),
          candidate('dumpAndWrite', yardstick),
        ],
        comparisons: [
          { figure: 'cpuMilliseconds', candidate: 'keepstate', against: 'conntrack', atMost: 0.5 },
          { figure: 'cpuMilliseconds', candidate: 'dumpAndWrite', against: 'conntrack' },
          { figure: 'growthMebibytes', candidate: 'keepstate', atMost: 16 },
        ],
      },
    ],
    close: async () => {
      await run(['sysctl', '-q', '-w', `net.netfilter.nf_conntrack_max=${conntrackMax}`]);
      await lab.close();
    },
  };
}

async function fill(host: Host, count: number): Promise<void> {
  await host.nft('table ip nat {\n chain post { type nat hook postrouting priority 100; }\n}\n');
  const args = [String(count), '--keep', '--timeout', '36000'];
  const injector = host.startTypescript('test/support/conntrack/injectFlows.ts', args);
  await injector.exited();
}

interface Listing {
  readonly cpuMilliseconds: number;
  readonly megabytes: number;
  readonly residentMebibytes: number;
}

async function list(host: Host, command: readonly string[]): Promise<Listing> {
  const file = join(host.directory, 'list');
  // The shell waits for the program and prints what that has cost: utime and stime of its children,
  // in ticks.
  const script = `"$@" -L > ${file} 2> /dev/null; cat /proc/$$/stat`;
  const shell = host.start(['sh', '-c', script, 'sh', ...command]);
  let residentKibibytes = 0;
  while (shell.isRunning) {
    residentKibibytes = Math.max(residentKibibytes, highWater(shell.pid));
    await sleep(20);
  }
  await shell.exited();
  const fields = shell.stdout.slice(shell.stdout.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[13]) + Number(fields[14]);
  const bytes = statSync(file).size;
  await run(['rm', '-f', file]);
  return {
    cpuMilliseconds: ticks * 10,
    megabytes: bytes / 1e6,
    residentMebibytes: residentKibibytes / 1_024,
  };
}

/** VmHWM of the only child, in KiB; 0 where there is none any more. */
function highWater(parent: number): number {
  try {
    const child = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim();
    const status = readFileSync(`/proc/${child}/status`, 'utf8');
    return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0);
  } catch {
    return 0;
  }
}
