/** `keepstate stats`: conntrackd's statistics, in its layout. */
import { Argument, type Command } from 'commander';
import { printableJson } from '../base/printable.js';
import { seconds } from '../base/time.js';
import { fetchListing, listingRequests } from '../control/fetchListing.js';
import type { StatusAnswer, SyncStatusAnswer } from '../control/statusAnswer.js';
import { askingExitCodes, teach } from './teach.js';
import {
  askDaemon,
  complain,
  exitCode,
  nothingReplicated,
  print,
  refuse,
  timers,
  withControl,
  type AskOptions,
} from './talk.js';

const sections = ['network', 'cache', 'runtime', 'link', 'rsqueue', 'queue', 'expect'] as const;
type Section = (typeof sections)[number];

type StatsOptions = AskOptions;

export function registerStats(program: Command): void {
  const command = withControl(program.command('stats'))
    .description('what "conntrackd -s" prints, in the same layout')
    .addArgument(new Argument('[section]', 'one part of it').choices(sections))
    .option('--json', 'the same numbers for programs')
    .action((section: Section | undefined, options: StatsOptions) => stats(section, options));
  teach(
    command,
    {
      'All of it, as conntrackd shows it': 'stats',
      'Whether datagrams of the peer were lost': 'stats network',
      'For monitoring': 'stats --json | jq .network.lost',
    },
    askingExitCodes,
  );
}

async function stats(section: Section | undefined, options: StatsOptions): Promise<void> {
  const answer = await askDaemon(options, { verb: 'status' });
  if (answer === undefined) return;
  // The daemon of the same version made this answer.
  const { sync } = answer.result as StatusAnswer;
  if (sync === undefined) {
    refuse(nothingReplicated, options);
    return;
  }
  if (options.json === true) {
    print(printableJson(statsJson(sync, section), 2));
    return;
  }
  const outcome = await fetchListing(
    sync.listingPath ?? '',
    listingRequests[section ?? 'stats'],
    (chunk) => process.stdout.write(chunk),
    { timers, idleTimeout: seconds(10) },
  );
  if (outcome.kind === 'failed') {
    complain(`keepstate: the sync engine does not answer: ${outcome.message}`);
    process.exitCode = exitCode.problem;
  }
}

/** The numbers of one section, or of all. */
export function statsJson(sync: SyncStatusAnswer, section: Section | undefined): unknown {
  const { internal, external, peer, overruns, resyncs, events, netlinkBufferBytes } = sync;
  const { lost, malformed, strangers, unknownAttributes } = peer;
  const parts: Readonly<Record<Section, unknown>> = {
    network: { lost, malformed, strangers, unknownAttributes },
    cache: { internal, external },
    runtime: { overruns, resyncs, netlinkBufferBytes, events, worker: sync.worker },
    link: sync.links,
    rsqueue: sync.queues,
    queue: sync.queues,
    expect: { internal, external },
  };
  if (section !== undefined) return parts[section];
  const { network, cache, runtime, link, queue } = parts;
  return { network, cache, runtime, link, queue };
}
