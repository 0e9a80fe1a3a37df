/** `keepstate flows`: tables of flows as conntrack and conntrackd print them. */
import { Option, type Command } from 'commander';
import { systemClock } from '../base/systemClock.js';
import {
  flowFilter,
  type FlowFilterOptions,
  type FlowPredicate,
} from '../conntrack/text/viewFilter.js';
import type { EventKind } from '../conntrack/text/flowView.js';
import { BufferedOutput } from './bufferedOutput.js';
import { flowPrinter, type FlowPrinter } from './flowPrinter.js';
import type { StatusAnswer } from '../control/statusAnswer.js';
import { printCache } from './flowsCache.js';
import { followKernelEvents, printKernelFlows } from './flowsKernel.js';
import { teach } from './teach.js';
import { askDaemon, nothingReplicated, refuse, withControl, type ControlOption } from './talk.js';

export interface FlowOptions extends FlowFilterOptions {
  readonly json?: true;
  readonly xml?: true;
  readonly count?: true;
  readonly extended?: true;
  readonly id?: true;
}

const exitCode = { ok: 0, failed: 1, usage: 2 } as const;

/** Adds the options that choose flows and their form. */
export function addFlowOptions(command: Command): Command {
  return command
    .option('-s, --src <address>', 'original source: ADDRESS or ADDRESS/PREFIX')
    .option('-d, --dst <address>', 'original destination: ADDRESS or ADDRESS/PREFIX')
    .option(
      '-p, --proto <name>',
      'protocol: tcp, udp, udplite, icmp, icmpv6, sctp, dccp, gre or 0-255',
    )
    .option('--sport <port>', 'original source port')
    .option('--dport <port>', 'original destination port')
    .option('--state <name>', 'state, for example ESTABLISHED')
    .option('--mark <value>', 'mark: VALUE or VALUE/MASK')
    .option('--zone <zone>', 'zone, 0 for flows without one')
    .option('-f, --family <family>', 'ipv4 or ipv6; both by default')
    .option('--extended', 'layer 3 protocol in front of each line')
    .option('--id', "the kernel's id at the end of each line")
    .addOption(new Option('--json', 'one JSON object per line').conflicts(['xml', 'count']))
    .addOption(new Option('--xml', "conntrack's XML").conflicts(['json', 'count']))
    .addOption(new Option('--count', 'only the number of flows').conflicts(['json', 'xml']));
}

export function registerFlows(program: Command): void {
  const flows = program
    .command('flows')
    .description('list flows: the kernel table, its events, and the caches of the daemon');
  registerKernelFlows(flows);
  registerCacheFlows(flows);
}

function registerCacheFlows(flows: Command): void {
  const texts = {
    internal: 'the flows of this node that it replicates, as `conntrackd -i`',
    external: 'the flows of the peer that this node holds, as `conntrackd -e`',
  } as const;
  for (const name of ['internal', 'external'] as const) {
    const command = withControl(addFlowOptions(flows.command(name)))
      .description(texts[name])
      .action((options: FlowOptions & ControlOption) => cache(name, options));
    teach(
      command,
      {
        'How many connections it holds': `flows ${name} --count`,
        'Those of one client': `flows ${name} -s 10.1.0.7 -p tcp`,
      },
      '0 shown; 1 this node replicates nothing, or the listing broke off; 2 no answer of the daemon, or a wrong filter',
    );
  }
}

async function cache(
  name: 'internal' | 'external',
  options: FlowOptions & ControlOption,
): Promise<void> {
  const output = new BufferedOutput(process.stdout);
  const listing = prepareListing(options, output);
  if (listing === undefined) return;
  const answer = await askDaemon(options, { verb: 'status' });
  if (answer === undefined) return;
  // The daemon of the same version made this answer.
  const { sync, statistics } = answer.result as StatusAnswer;
  // A node that only logs what ends knows its flows too, and none of a peer.
  const listingPath =
    sync?.listingPath ?? (name === 'internal' ? statistics?.listingPath : undefined);
  if (listingPath === undefined) {
    refuse(nothingReplicated, options);
    return;
  }
  const result = await printCache(listingPath, {
    cache: name,
    format: formatOf(options),
    passes: listing.passes,
    write: output.write,
  });
  await output.end();
  report(options, result.shown, result.unreadable, result.problem);
}

function registerKernelFlows(flows: Command): void {
  const list = addFlowOptions(flows.command('kernel'))
    .description('the kernel table, as `conntrack -L` (works without the daemon)')
    .action((options: FlowOptions) => kernel(options));
  const follow = addFlowOptions(flows.command('events'))
    .description('events of the kernel table until interrupted, as `conntrack -E`')
    .addOption(
      new Option('-e, --event <kind...>', 'only these').choices(['new', 'update', 'destroy']),
    )
    .action((options: FlowOptions & { event?: EventKind[] }) => events(options));
  const exitCodes = '0 shown; 1 the kernel refused, or something was lost; 2 a wrong filter';
  teach(
    list,
    {
      'Established connections to a port': 'flows kernel -p tcp --dport 443 --state ESTABLISHED',
      'For programs, one JSON object per line': 'flows kernel --json | jq -r .original.source',
    },
    exitCodes,
  );
  teach(
    follow,
    {
      'Watch connections open': 'flows events -e new',
      'Watch one client': 'flows events -s 10.1.0.7',
    },
    exitCodes,
  );
}

/** Filter and printer of a listing, or undefined after the problem was printed. */
export function prepareListing(
  options: FlowOptions,
  output: BufferedOutput,
):
  | {
      readonly passes: FlowPredicate;
      readonly printer: FlowPrinter;
    }
  | undefined {
  const passes = flowFilter(options);
  if (typeof passes !== 'function') {
    process.stderr.write(`keepstate flows: ${passes.problem}\n`);
    process.exitCode = exitCode.usage;
    return undefined;
  }
  return { passes, printer: printerFor(options, output) };
}

function printerFor(options: FlowOptions, output: BufferedOutput): FlowPrinter {
  return flowPrinter({
    format: formatOf(options),
    extended: options.extended === true,
    id: options.id === true,
    now: () => BigInt(systemClock.wallClock()) * 1_000n,
    write: output.write,
  });
}

function formatOf(options: FlowOptions): 'text' | 'xml' | 'json' | 'count' {
  if (options.json === true) return 'json';
  if (options.xml === true) return 'xml';
  return options.count === true ? 'count' : 'text';
}

async function kernel(options: FlowOptions): Promise<void> {
  const output = new BufferedOutput(process.stdout);
  const listing = prepareListing(options, output);
  if (listing === undefined) return;
  const family = { ipv4: 2, ipv6: 10 }[options.family ?? ''] ?? 0;
  const result = await printKernelFlows(family, listing.passes, listing.printer);
  await output.end();
  report(options, result.shown, result.unreadable, result.problem);
}

function report(
  options: FlowOptions,
  shown: number,
  unreadable: number,
  problem: string | undefined,
): void {
  const tell = (text: string): void => {
    process.stderr.write(`keepstate flows: ${text}\n`);
  };
  if (unreadable > 0) tell(`${unreadable} messages of the kernel could not be read`);
  if (problem !== undefined) tell(problem);
  else if (formatOf(options) !== 'count') tell(`${shown} flow entries have been shown.`);
  if (problem !== undefined || unreadable > 0) process.exitCode = exitCode.failed;
}

async function events(options: FlowOptions & { event?: EventKind[] }): Promise<void> {
  const output = new BufferedOutput(process.stdout);
  const listing = prepareListing(options, output);
  if (listing === undefined) return;
  const tell = (text: string): void => {
    process.stderr.write(`keepstate flows: ${text}\n`);
  };
  await new Promise<void>((resolve) => {
    const kinds = options.event ?? ['new', 'update', 'destroy'];
    const following = followKernelEvents(
      kinds,
      listing.passes,
      {
        flow: (...args) => {
          listing.printer.flow(...args);
          output.flush();
          if (output.isGone) finish();
        },
        end: () => listing.printer.end(),
      },
      tell,
    );
    if (typeof following === 'string') {
      tell(following);
      process.exitCode = exitCode.failed;
      resolve();
      return;
    }
    const finish = (): void => {
      following.close();
      listing.printer.end();
      tell(`${following.counts.shown} flow events have been shown.`);
      if (following.counts.lost > 0) process.exitCode = exitCode.failed;
      resolve();
    };
    process.once('SIGINT', finish);
    process.once('SIGTERM', finish);
  });
  await output.end();
}
