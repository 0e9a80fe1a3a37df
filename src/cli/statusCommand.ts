/** `keepstate status`. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import { printableJson } from '../base/printable.js';
import { systemClock } from '../base/systemClock.js';
import { addTime, milliseconds, seconds, toMilliseconds, type Microseconds } from '../base/time.js';
import type { Refusal } from '../control/protocol.js';
import type { StatusAnswer } from '../control/statusAnswer.js';
import { showLive } from './liveView.js';
import { nagiosCode, nagiosResult, nagiosUnknown } from './nagios.js';
import { statusText, watchedText } from './statusText.js';
import {
  askDaemon,
  askToRead,
  exitCode,
  print,
  refusalOf,
  timers,
  withControl,
  type ControlOption,
} from './talk.js';
import { teach } from './teach.js';
import { lookOf } from './terminal.js';

interface StatusOptions extends ControlOption {
  readonly json?: true;
  readonly watch?: true;
  readonly nagios?: true;
  readonly wait?: number;
}

export function registerStatus(program: Command): void {
  const command = withControl(program.command('status'))
    .description('who has the role, since when and why; addresses, peer, sync, and each problem')
    .option('--json', 'for programs; the names are stable')
    .option('--watch', 'refresh every second until q or Ctrl-C')
    .addOption(
      new Option('--wait <seconds>', 'wait so long at most for a synchronised peer').argParser(
        toWait,
      ),
    )
    .option('--nagios', 'one line with performance data, and the exit codes of Nagios plugins')
    .action((options: StatusOptions) =>
      options.nagios === true ? plugin(options) : status(options),
    );
  // A monitor must not take a wrong option for a warning.
  if (process.argv.includes('--nagios')) {
    command.exitOverride(({ exitCode: code }) =>
      process.exit(code === 0 ? nagiosCode.ok : nagiosCode.unknown),
    );
  }
  teach(
    command,
    {
      'Who is master, and whether all is well': 'status',
      'The role alone, for a script': 'status --json | jq -r .role',
      'Keep it on the screen during a change': 'status --watch',
      'After a start, before the other node is touched': 'status --wait 30',
      'A check of Nagios, Icinga, check_mk or Zabbix': 'status --nagios',
    },
    '0 healthy, 1 a problem is shown, 2 no answer of the daemon; with --nagios 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN',
  );
}

async function status(options: StatusOptions): Promise<void> {
  if (options.watch === true && options.json !== true && process.stdout.isTTY) {
    await showLive({ ask: () => look(options), textOf: watchedText });
  }
  // Who watched has gone (| head): nobody is to be told any more.
  process.stdout.once('error', () => process.exit());
  if (options.wait !== undefined) await synchronised(options, seconds(options.wait));
  for (;;) {
    const answer = await askDaemon(options, { verb: 'status' });
    if (answer === undefined && options.watch !== true) return;
    // The daemon of the same version made this answer.
    if (answer !== undefined) show(answer.result as StatusAnswer, options);
    if (options.watch !== true) return;
    await new Promise<void>((resolve) => timers.after(seconds(1), () => resolve()));
  }
}

function toWait(value: string): number {
  const number = Number(value);
  if (number >= 0 && number <= 3_600) return number;
  throw new InvalidArgumentError('A number of seconds from 0 to 3600.');
}

const lookPeriod = milliseconds(250);

/** Until the daemon answers and its peer holds the same, or nothing is replicated. */
async function synchronised(options: StatusOptions, patience: Microseconds): Promise<void> {
  const end = addTime(systemClock.now(), patience);
  while (systemClock.now() < end) {
    const outcome = await askToRead(options, { verb: 'status' });
    if (outcome.kind === 'answer') {
      // The daemon of the same version made this answer.
      const { sync } = outcome.result as StatusAnswer;
      if (sync === undefined || sync.state === 'synchronised') return;
    }
    await new Promise<void>((resolve) => timers.after(lookPeriod, () => resolve()));
  }
}

/** For a screen; sets the exit code to what was seen. */
async function look(options: StatusOptions): Promise<{ readonly view: StatusAnswer } | Refusal> {
  const outcome = await askToRead(options, { verb: 'status' });
  if (outcome.kind !== 'answer') {
    process.exitCode = exitCode.noDaemon;
    return refusalOf(outcome);
  }
  // The daemon of the same version made this answer.
  const view = outcome.result as StatusAnswer;
  process.exitCode = codeOf(view);
  return { view };
}

function codeOf({ problems }: StatusAnswer): number {
  return problems.length === 0 ? exitCode.fine : exitCode.problem;
}

async function plugin(options: StatusOptions): Promise<void> {
  const outcome = await askToRead(options, { verb: 'status' });
  const { code, line } =
    outcome.kind === 'answer'
      ? // The daemon of the same version made this answer.
        nagiosResult(outcome.result as StatusAnswer)
      : nagiosUnknown(refusalOf(outcome).message);
  print(line);
  process.exitCode = code;
}

function show(answer: StatusAnswer, { json, watch }: StatusOptions): void {
  process.exitCode = codeOf(answer);
  if (json === true) {
    print(printableJson(answer, watch === true ? undefined : 2));
    return;
  }
  const now = toMilliseconds(systemClock.wallClock());
  print(statusText(answer, now, lookOf(process.stdout, process.env)));
}
