/** `keepstate top`: the node on a terminal, drawn anew each second. */
import { InvalidArgumentError, type Command } from 'commander';
import { systemClock } from '../base/systemClock.js';
import { seconds, toMilliseconds } from '../base/time.js';
import { readHistoryEntry } from '../control/historyEntry.js';
import type { Refusal } from '../control/protocol.js';
import type { HistoryEntry, StatusAnswer } from '../control/statusAnswer.js';
import { showLive } from './liveView.js';
import { askToRead, exitCode, print, refusalOf, refuse, timers, withControl } from './talk.js';
import type { AskOptions } from './talk.js';
import { askingExitCodes, teach } from './teach.js';
import { lookOf } from './terminal.js';
import { ratesBetween, type Seen } from './topRates.js';
import { topText, type TopView } from './topText.js';

interface TopOptions extends AskOptions {
  readonly frames?: number;
}

/** As many bars as stand in a line of 80 columns beside their number. */
const shownRates = 50;
/** Without a terminal: as many as a screen that is usual. */
const usualRows = 24;
const period = seconds(1);

export function registerTop(program: Command): void {
  const command = withControl(program.command('top'))
    .description('the node on one screen, each second: who is MASTER, flows and events, problems')
    .option('--frames <count>', 'end after so many; without a terminal the default is 1', count)
    .action((options: TopOptions) => top(options));
  teach(
    command,
    {
      'Watch a takeover (q ends it)': 'top',
      'One screen of it, for a mail or a log': 'top | cat',
      'Five of them, one a second': 'top --frames 5 | cat',
    },
    askingExitCodes,
  );
}

async function top(options: TopOptions): Promise<void> {
  const observer = new Observer(options);
  if (process.stdout.isTTY && options.frames === undefined) {
    await showLive({ ask: () => observer.look(), textOf: topText });
  }
  // Who watched has gone (| head): nobody is to be told any more.
  process.stdout.once('error', () => process.exit());
  for (let left = options.frames ?? 1; left > 0; left--) {
    const seen = await observer.look();
    if (!('view' in seen)) {
      refuse(seen, options, exitCode.noDaemon);
      return;
    }
    const look = { ...lookOf(process.stdout, process.env), rows: usualRows };
    print(`${topText(seen.view, nowMs(), look)}\n${left > 1 ? '\n' : ''}`);
    if (left > 1) await new Promise<void>((resolve) => timers.after(period, () => resolve()));
  }
}

/** Remembers the answer before, for rates. */
class Observer {
  readonly #options: AskOptions;
  #before: Seen | undefined;
  #eventRates: readonly number[] = [];

  constructor(options: AskOptions) {
    this.#options = options;
  }

  /** Sets the exit code to what it has seen, as `status` does. */
  async look(): Promise<{ readonly view: TopView } | Refusal> {
    const [outcome, told] = await Promise.all([
      askToRead(this.#options, { verb: 'status' }),
      askToRead(this.#options, { verb: 'history', limit: 20 }),
    ]);
    if (outcome.kind !== 'answer') {
      process.exitCode = exitCode.noDaemon;
      return refusalOf(outcome);
    }
    // The daemon of the same version made this answer.
    const status = outcome.result as StatusAnswer;
    process.exitCode = status.problems.length === 0 ? exitCode.fine : exitCode.problem;
    const seen = { status, at: nowMs() };
    const rates = ratesBetween(this.#before, seen);
    this.#before = seen;
    const { eventsPerSecond } = rates;
    if (eventsPerSecond !== undefined) {
      this.#eventRates = [...this.#eventRates, eventsPerSecond].slice(-shownRates);
    }
    const history = told.kind === 'answer' ? entriesOf(told.result) : [];
    return { view: { status, rates, eventRates: this.#eventRates, history } };
  }
}

function entriesOf(result: unknown): readonly HistoryEntry[] {
  const given: readonly unknown[] = Array.isArray(result) ? result : [];
  return given.map(readHistoryEntry).filter((entry) => entry !== undefined);
}

function nowMs(): number {
  return toMilliseconds(systemClock.wallClock());
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) {
    throw new InvalidArgumentError('a whole number from 1');
  }
  return value;
}
