/** What stands at the end of each command's help: examples that can be typed, and exit codes. */
import type { Command } from 'commander';

/** Of the commands that ask the daemon. */
export const askingExitCodes = '0 done, 1 refused or a problem is shown, 2 no answer of the daemon';

/** `examples`: what it does, and the words behind `keepstate`. */
export function teach(
  command: Command,
  examples: Readonly<Record<string, string>>,
  exitCodes: string,
  remark?: string,
): Command {
  const lines = Object.entries(examples).flatMap(([what, words]) => [
    `  ${what}:`,
    `    $ keepstate ${words}`,
  ]);
  const text = [
    ...(remark === undefined ? [] : ['', remark]),
    '',
    'Examples:',
    ...lines,
    '',
    `Exit code: ${exitCodes}.`,
  ];
  return command.addHelpText('after', text.join('\n'));
}
