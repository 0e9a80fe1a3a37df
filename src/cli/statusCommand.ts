/** `keepstate status`. */
import type { Command } from 'commander';
import { printableJson } from '../base/printable.js';
import { systemClock } from '../base/systemClock.js';
import { seconds, toMilliseconds } from '../base/time.js';
import type { StatusAnswer } from '../control/statusAnswer.js';
import { statusText, watchedText } from './statusText.js';
import { askDaemon, exitCode, print, timers, withControl, type ControlOption } from './talk.js';
import { teach } from './teach.js';
import { lookOf } from './terminal.js';

interface StatusOptions extends ControlOption {
  readonly json?: true;
  readonly watch?: true;
}

export function registerStatus(program: Command): void {
  const command = withControl(program.command('status'))
    .description('who has the role, since when and why; addresses, peer, sync, and each problem')
    .option('--json', 'for programs; the names are stable')
    .option('--watch', 'refresh every second until interrupted')
    .action((options: StatusOptions) => status(options));
  teach(
    command,
    {
      'Who is master, and whether all is well': 'status',
      'The role alone, for a script': 'status --json | jq -r .role',
      'Keep it on the screen during a change': 'status --watch',
    },
    '0 healthy, 1 a problem is shown, 2 no answer of the daemon',
  );
}

async function status(options: StatusOptions): Promise<void> {
  // Who watched has gone (| head): nobody is to be told any more.
  process.stdout.once('error', () => process.exit());
  for (;;) {
    const answer = await askDaemon(options, { verb: 'status' });
    if (answer === undefined && options.watch !== true) return;
    // The daemon of the same version made this answer.
    if (answer !== undefined) show(answer.result as StatusAnswer, options);
    if (options.watch !== true) return;
    await new Promise<void>((resolve) => timers.after(seconds(1), () => resolve()));
  }
}

function show(answer: StatusAnswer, { json, watch }: StatusOptions): void {
  process.exitCode = answer.problems.length === 0 ? exitCode.fine : exitCode.problem;
  if (json === true) {
    print(printableJson(answer, watch === true ? undefined : 2));
    return;
  }
  const now = toMilliseconds(systemClock.wallClock());
  const look = lookOf(process.stdout, process.env);
  // Home and clear: a watched screen does not scroll.
  const clear = watch === true && look.colour ? '\u001b[H\u001b[2J' : '';
  const text = clear === '' ? statusText(answer, now, look) : watchedText(answer, now, look);
  print(`${clear}${text}`);
}
