/** `keepstate history` and `keepstate events`. */
import { InvalidArgumentError, type Command } from 'commander';
import { printableJson } from '../base/printable.js';
import { follow, type ClientOutcome } from '../control/client.js';
import { readHistoryEntry, readHistoryEvent } from '../control/historyEntry.js';
import { readersPath } from '../control/readOnly.js';
import { eventLine, historyText } from './historyText.js';
import {
  askDaemon,
  clientOptions,
  complain,
  explain,
  print,
  withControl,
  type ControlOption,
} from './talk.js';
import { askingExitCodes, teach } from './teach.js';
import { lookOf } from './terminal.js';

interface HistoryOptions extends ControlOption {
  readonly json?: true;
  readonly limit?: number;
}

export function registerHistory(program: Command): void {
  const historyCommand = withControl(program.command('history'))
    .description('the last transitions: when, from, to, why, flows committed, milliseconds')
    .option('--json', 'one JSON array')
    .option('--limit <count>', 'only the newest', count)
    .action((options: HistoryOptions) => history(options));
  teach(
    historyCommand,
    {
      'What happened in the last failover, and why': 'history --limit 5',
      'How long each takeover took, in milliseconds':
        "history --json | jq -r '.[] | [.at, .to, .takeoverMs] | @tsv'",
    },
    askingExitCodes,
    'The history is kept over restarts (history_size, state_directory).',
  );
  const eventsCommand = withControl(program.command('events'))
    .description('transitions as they happen, and again (phase completed) when a takeover is done')
    .option('--follow', 'until interrupted (the default and only way)')
    .option('--json', 'one JSON object per line')
    .action((options: HistoryOptions) => events(options));
  teach(
    eventsCommand,
    {
      'Watch transitions while you test a failover': 'events',
      'Give each transition to a program, once':
        'events --json | jq --unbuffered -c \'select(.phase == "changed")\'',
    },
    '0 interrupted, 2 no daemon, or it ended',
  );
}

async function history(options: HistoryOptions): Promise<void> {
  const { limit, json } = options;
  const request = { verb: 'history', ...(limit === undefined ? {} : { limit }) } as const;
  const answer = await askDaemon(options, request);
  if (answer === undefined) return;
  if (json === true) {
    print(printableJson(answer.result, 2));
    return;
  }
  const given: readonly unknown[] = Array.isArray(answer.result) ? answer.result : [];
  const entries = given.map(readHistoryEntry).filter((entry) => entry !== undefined);
  print(historyText(entries, lookOf(process.stdout, process.env)));
  const skipped = given.length - entries.length;
  if (skipped > 0) complain(`keepstate: ${skipped} entries are no transitions and were skipped`);
}

function events(options: HistoryOptions): Promise<void> {
  const look = lookOf(process.stdout, process.env);
  const show = (event: unknown): void => {
    const entry = readHistoryEvent(event);
    if (options.json === true) print(printableJson(event));
    else if (entry !== undefined) print(eventLine(entry, look));
  };
  return new Promise((resolve) => {
    const given = clientOptions(options);
    let conversation = follow(given, show, (outcome) => {
      if (outcome.kind !== 'notAllowed') {
        end(outcome);
        return;
      }
      // A group that only reads has a socket of its own.
      const path = readersPath(given.path);
      conversation = follow({ ...given, path }, show, (again) => {
        end(again.kind === 'noDaemon' || again.kind === 'notAllowed' ? outcome : again);
      });
    });
    const end = (outcome: ClientOutcome): void => {
      if (outcome.kind !== 'answer') explain(outcome, options);
      resolve();
    };
    const finish = (): void => {
      conversation.close();
      resolve();
    };
    process.once('SIGINT', finish);
    process.once('SIGTERM', finish);
    process.stdout.once('error', finish);
  });
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('a whole number from 1');
  return value;
}
