/**
 * `keepstate conntrack` among the other commands. Usually bin/keepstate has taken another way, see
 * main.ts.
 */
import type { Command } from 'commander';
import { processPorts } from './commandPorts.js';
import { runConntrack } from './dispatch.js';

export function registerConntrack(program: Command): void {
  program
    .command('conntrack')
    .description('all of conntrack(8): list, get, create, update, delete, flush, watch flows')
    .argument('[words...]', 'as conntrack takes them, for example -L -p tcp')
    .allowUnknownOption()
    .helpOption(false)
    .action(async (words: string[]) => {
      process.exitCode = await runConntrack(words, {
        ...processPorts,
        write: (bytes) => process.stdout.write(bytes),
      });
    });
}
