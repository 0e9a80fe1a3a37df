/**
 * CPU of the beat thread for each path, what it hears included, beside a bare loop in C that only
 * seals and sends. Both are threads that sleep between two ticks of 20 ms; the kernel's work for them
 * is included (schedstat).
 */
import { readFileSync, readdirSync } from 'node:fs';
import type { Host } from '../test/lab/host.js';
import { Lab } from '../test/lab/lab.js';
import type { ManagedProcess } from '../test/lab/managedProcess.js';
import { sleep } from '../test/lab/waitFor.js';
import type { BeatProgramSettings } from '../test/support/net/beatProgram.js';
import type { Benchmark, Candidate } from './framework.js';
import { compile } from './measure.js';

const measuredSeconds = 20;
const figure = 'cpuPercentPerPath';
const sessions = ['0011223344556677', '8899aabbccddeeff'] as const;

export async function open(): Promise<{ benchmarks: Benchmark[]; close: () => Promise<void> }> {
  const lab = await Lab.open();
  const [a, b] = (await lab.hosts('a', 'b')) as [Host, Host];
  for (let i = 0; i < 4; i++) {
    await lab.link(
      { host: a, name: `path${i}`, addresses: [`10.9.${i}.1/24`] },
      { host: b, name: `path${i}`, addresses: [`10.9.${i}.2/24`] },
    );
  }
  const program = await compile(lab, 'beat');
  return {
    benchmarks: [1, 4].map((paths) => ({
      name: `beat-${paths}`,
      description: `a beat each 20 ms on ${paths === 1 ? 'one path' : `${paths} paths`}`,
      candidates: [keepstate(a, b, paths), bareLoop(a, program, paths)],
      comparisons: [
        { figure, candidate: 'keepstate', atMost: 0.2 },
        { figure, candidate: 'keepstate', against: 'bare loop' },
      ],
    })),
    close: () => lab.close(),
  };
}

function keepstate(a: Host, b: Host, paths: number): Candidate {
  return {
    name: 'keepstate',
    run: async () => {
      const nodes = [start(a, paths, 0), start(b, paths, 1)];
      try {
        for (const node of nodes) {
          await node.waitForOutput(new RegExp(`("living"[^]*){${paths}}`));
        }
        const [node] = nodes as [ManagedProcess];
        return { [figure]: await percent(node, 'keepstate-beat', paths) };
      } finally {
        for (const node of nodes) await node.kill();
      }
    },
  };
}

/** 200 bytes of header and content, as the bare loop has. */
function start(host: Host, paths: number, end: 0 | 1): ManagedProcess {
  const settings: BeatProgramSettings = {
    ...{ session: sessions[end], peerSession: sessions[1 - end] ?? '', key: '5a'.repeat(32) },
    content: 'x'.repeat(168),
    paths: Array.from({ length: paths }, (_, i) => ({
      ...{ name: `path${i}`, interfaceName: `path${i}` },
      ...{ own: `10.9.${i}.${1 + end}`, peer: `10.9.${i}.${2 - end}` },
    })),
  };
  return host.startTypescript('test/support/net/beatProgram.ts', [JSON.stringify(settings)]);
}

function bareLoop(host: Host, program: string, paths: number): Candidate {
  return {
    name: 'bare loop',
    run: async () => {
      const names = Array.from({ length: paths }, (_, i) => `path${i}`);
      const loop = host.start([program, ...names]);
      try {
        await loop.waitForOutput('ready');
        return { [figure]: await percent(loop, 'beat', paths) };
      } finally {
        await loop.kill();
      }
    },
  };
}

/** Of one core, over the measured time, divided by the number of paths. */
async function percent(process: ManagedProcess, thread: string, paths: number): Promise<number> {
  const before = threadNanoseconds(process.pid, thread);
  const began = performance.now();
  await sleep(measuredSeconds * 1_000);
  const used = threadNanoseconds(process.pid, thread) - before;
  return ((used / 1e6 / (performance.now() - began)) * 100) / paths;
}

function threadNanoseconds(pid: number, name: string): number {
  const tasks = readdirSync(`/proc/${pid}/task`).map((task) => `/proc/${pid}/task/${task}`);
  const found = tasks.find((task) => readFileSync(`${task}/comm`, 'utf8').trim() === name);
  if (found === undefined) throw new Error(`no thread ${name} in ${pid}`);
  return Number(readFileSync(`${found}/schedstat`, 'utf8').split(' ')[0]);
}
