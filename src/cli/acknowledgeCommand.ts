/** `keepstate acknowledge`: a problem that has ended was seen by somebody. */
import type { Command } from 'commander';
import type { ControlRequest } from '../control/protocol.js';
import type { DoneAnswer } from '../control/statusAnswer.js';
import { askDaemon, complain, exitCode, print, withControl, type ControlOption } from './talk.js';
import { askingExitCodes, teach } from './teach.js';

interface AcknowledgeOptions extends ControlOption {
  readonly all?: true;
  readonly json?: true;
}

export function registerAcknowledge(program: Command): void {
  const command = withControl(program.command('acknowledge'))
    .description('say that a problem was seen: one that has ended is no longer shown')
    .argument(
      '[code]',
      'only problems of this code, as "status" shows it; without it all that have ended',
    )
    .option('--all', 'also those that go on: they are not shown after their end')
    .option('--json', 'for programs')
    .action((code: string | undefined, options: AcknowledgeOptions) => acknowledge(code, options));
  teach(
    command,
    {
      'All that are over': 'acknowledge',
      'There were two masters, and you know why': 'acknowledge two-masters',
    },
    `${askingExitCodes}; nothing to acknowledge is 0`,
    `A problem is shown for an hour after its end. Those of a lasting kind (two masters, lost flows) make
"status" exit with 1 for that hour, or until they are acknowledged; docs/problems.md lists all
codes. A problem that goes on is shown, and makes "status" exit with 1, acknowledged or not.`,
  );
}

async function acknowledge(code: string | undefined, options: AcknowledgeOptions): Promise<void> {
  if (code !== undefined && options.all === true) {
    complain('keepstate: a code and --all exclude each other');
    process.exitCode = exitCode.problem;
    return;
  }
  const request: ControlRequest = {
    verb: 'acknowledge',
    all: options.all === true,
    ...(code === undefined ? {} : { code }),
  };
  const answer = await askDaemon(options, request);
  if (answer === undefined) return;
  // The daemon of the same version made this answer.
  const done = answer.result as DoneAnswer;
  print(options.json === true ? JSON.stringify(done) : done.message);
}
