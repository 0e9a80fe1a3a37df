/** `keepstate stats`: conntrackd's statistics, in its layout. */
import { Argument, type Command } from 'commander';
import { printableJson } from '../base/printable.js';
import { seconds } from '../base/time.js';
import { fetchListing, listingRequests } from '../control/fetchListing.js';
import { statsSections, type StatsSection } from '../control/protocol.js';
import type { StatsAnswer, StatusAnswer, SyncStatusAnswer } from '../control/statusAnswer.js';
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

type StatsOptions = AskOptions;

export function registerStats(program: Command): void {
  const command = withControl(program.command('stats'))
    .description('what "conntrackd -s" prints, in the same layout')
    .addArgument(new Argument('[section]', 'one part of it').choices(statsSections))
    .option('--json', 'the same numbers for programs')
    .action((section: StatsSection | undefined, options: StatsOptions) => stats(section, options));
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

async function stats(section: StatsSection | undefined, options: StatsOptions): Promise<void> {
  const answer = await askDaemon(options, { verb: 'status' });
  if (answer === undefined) return;
  // The daemon of the same version made this answer.
  const { sync, statistics } = answer.result as StatusAnswer;
  const listingPath = sync?.listingPath ?? statistics?.listingPath;
  if (listingPath === undefined) {
    refuse(nothingReplicated, options);
    return;
  }
  if (options.json === true) {
    // Without replication all there is are the figures of the log.
    print(printableJson(sync === undefined ? { statistics } : statsJson(sync, section), 2));
    return;
  }
  const outcome = await fetchListing(
    listingPath,
    listingRequests[section ?? 'stats'],
    (chunk) => process.stdout.write(chunk),
    { timers, idleTimeout: seconds(10) },
  );
  if (outcome.kind === 'failed' && outcome.code === 'EACCES') {
    // Of a group that only reads: the daemon asks for it.
    const told = await askDaemon(options, {
      verb: 'stats',
      ...(section === undefined ? {} : { section }),
    });
    // The daemon of the same version made this answer.
    if (told !== undefined) print((told.result as StatsAnswer).text);
    return;
  }
  if (outcome.kind === 'failed') {
    complain(`keepstate: the sync engine does not answer: ${outcome.message}`);
    process.exitCode = exitCode.problem;
  }
}

/** The numbers of one section, or of all. */
export function statsJson(sync: SyncStatusAnswer, section: StatsSection | undefined): unknown {
  const { internal, external, peer, overruns, resyncs, events, netlinkBufferBytes } = sync;
  const { lost, malformed, strangers, unknownAttributes } = peer;
  const parts: Readonly<Record<StatsSection, unknown>> = {
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
