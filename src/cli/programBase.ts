/**
 * What the program is without its commands, and how it is started. The daemon's start loads none of
 * the other commands (runMain.ts).
 */
import { Command } from 'commander';
import { BugError, KeepstateError } from '../base/errors.js';
import { packageVersion } from '../base/packageVersion.js';

export function programBase(): Command {
  return new Command('keepstate')
    .description('VRRP and connection-tracking synchronisation in one daemon')
    .version(packageVersion())
    .showHelpAfterError(
      '(keepstate --help lists the commands; keepstate COMMAND --help teaches one)',
    )
    .addHelpText(
      'after',
      `
First steps:
  keepstate check --config FILE     what is wrong with a configuration, all at once
  keepstate run --config FILE       the daemon
  keepstate status                  who is master, since when, and why
  keepstate doctor                  what would break a takeover on this machine`,
    );
}

/** Gives commander the words of the command line. */
export function startProgram(program: Command): void {
  // A reader that went away (| head) ends the program quietly.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
  // Nor does a daemon end because nobody reads its log, or because the disk under it is full: the
  // line is lost.
  process.stderr.on('error', () => undefined);
  program.parseAsync().catch((error: unknown) => {
    // A refusal is one sentence; a mistake of ours has its stack.
    if (!(error instanceof KeepstateError) || error instanceof BugError) throw error;
    process.stderr.write(`error: ${error.message}\n`);
    process.exitCode = 1;
  });
}
