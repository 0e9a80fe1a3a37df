/**
 * The node over HTTP: what a scrape costs the thread that sends adverts, and whether one leaves
 * later for it. 500 instances, scraped each second and not at all, taking turns.
 */
import { readFileSync } from 'node:fs';
import type { Capture } from '../test/lab/capture.js';
import type { Host } from '../test/lab/host.js';
import { Lab } from '../test/lab/lab.js';
import { sleep, waitFor } from '../test/lab/waitFor.js';
import { keepalivedConf } from '../test/support/vrrp/nodeSpec.js';
import { lateness, part } from './advertLateness.js';
import type { Benchmark, Figures } from './framework.js';
import { manyInstances } from './manyInstances.js';
import { Keepstate, requireBuild } from './syncPair.js';

const perInterface = 250;
const measuredSeconds = 20;
const url = 'http://127.0.0.1:9642/metrics';

export async function open(): Promise<{ benchmarks: Benchmark[]; close: () => Promise<void> }> {
  requireBuild();
  const lab = await Lab.open();
  const host = await lab.host('many');
  for (const n of [0, 1]) {
    await (await lab.bridge(`lan${n}`)).attach(host, `eth${n}`, [`10.${n}.0.1/16`]);
  }
  return { benchmarks: [scrapes(host)], close: () => lab.close() };
}

function scrapes(host: Host): Benchmark {
  const figure = 'mainThreadMillisecondsPerScrape';
  return {
    name: 'web-500-instances',
    description: `${2 * perInterface} instances at 1 s for ${measuredSeconds} s, /metrics each second and not at all`,
    candidates: [
      { name: 'scraped', run: () => run(host, true) },
      { name: 'left alone', run: () => run(host, false) },
    ],
    comparisons: [
      { figure, candidate: 'scraped', atMost: 10 },
      { figure: 'lateP999Milliseconds', candidate: 'scraped', atMost: 20 },
      { figure: 'lateP999Milliseconds', candidate: 'scraped', against: 'left alone' },
    ],
  };
}

async function run(host: Host, isScraped: boolean): Promise<Figures> {
  const directory = host.path('keepstate');
  host.execSync(['mkdir', '-p', directory]);
  const node = await Keepstate.start(host, config(directory), directory);
  try {
    await waitFor(() => host.hasAddress(`10.1.1.${perInterface}`), {
      description: 'the last VIP',
      timeout: 60_000,
    });
    await sleep(5_000);
    const { pid } = node.process;
    const captures: Capture[] = [];
    for (const n of [0, 1]) {
      captures.push(await host.capture(`eth${n}`, { filter: 'proto 112', direction: 'out' }));
    }
    // The page's samples look too, each ten seconds: the same in both.
    const [idle, scraped] = [await spentIn(pid, sleepSecond), await spentIn(pid, scrape)];
    const late: number[] = [];
    for (const capture of captures) late.push(...lateness(await capture.stop(), 1));
    late.sort((a, b) => a - b);
    return {
      ...(isScraped ? { mainThreadMillisecondsPerScrape: scraped - idle } : {}),
      adverts: late.length,
      lateP50Milliseconds: part(late, 0.5),
      lateP99Milliseconds: part(late, 0.99),
      lateP999Milliseconds: part(late, 0.999),
      latestMilliseconds: late.at(-1) ?? NaN,
    };
  } finally {
    await node.stop();
  }

  async function sleepSecond(): Promise<void> {
    await sleep(1_000);
  }

  /** In a second too: adverts of more time would count as the scrape's. */
  async function scrape(): Promise<void> {
    const second = sleep(1_000);
    if (isScraped) {
      const { stdout } = await host.tryExec([
        'curl',
        '-s',
        '-m',
        '20',
        '-o',
        '/dev/null',
        '-w',
        '%{http_code}',
        url,
      ]);
      if (stdout !== '200') throw new Error(`a scrape gave ${stdout}`);
    }
    await second;
  }
}

/** Milliseconds of CPU of the thread that sends adverts, for each round. */
async function spentIn(pid: number, round: () => Promise<void>): Promise<number> {
  const rounds = measuredSeconds / 2;
  const before = mainThreadNanoseconds(pid);
  for (let i = 0; i < rounds; i++) await round();
  return (mainThreadNanoseconds(pid) - before) / 1e6 / rounds;
}

function mainThreadNanoseconds(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ')[0]);
}

function config(directory: string): string {
  const instances = manyInstances(perInterface);
  const globals = `global_defs {\n  state_directory ${directory}/state\n}\n`;
  return `${globals}${keepalivedConf({ instances })}\nhttp {\n  listen 127.0.0.1 9642\n}\n`;
}
