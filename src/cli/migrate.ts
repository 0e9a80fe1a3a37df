/** `keepstate migrate`: keepalived.conf and conntrackd.conf into one file. */
import type { Command } from 'commander';
import { migrate, type MigrationInput } from '../config/migrate.js';
import type { LoadPorts } from '../config/ports.js';
import { formatProblem } from '../config/problem.js';
import { systemLoadPorts } from '../config/systemPorts.js';
import type { TextOutput } from './check.js';

const processOutput: TextOutput = {
  out: (text) => void process.stdout.write(text),
  error: (text) => void process.stderr.write(text),
};

const examples = `
Examples:
  One file out of the two that are in production; comments and layout stay:
    $ keepstate migrate /etc/keepalived/keepalived.conf /etc/conntrackd/conntrackd.conf > keepstate.conf

  Then look at what is left to decide:
    $ keepstate check --config keepstate.conf

Lines that have no effect here are commented out, with the reason above them ("keepstate: dropped").
Exit status: 0 the printed file is accepted, 1 it still has errors, 2 a file cannot be read.`;

export function registerMigrate(program: Command, output: TextOutput = processOutput): void {
  program
    .command('migrate')
    .description('print one configuration made of keepalived.conf and conntrackd.conf')
    .argument('<keepalived>', "keepalived's file")
    .argument('[conntrackd]', "conntrackd's file")
    .option('--config-id <id>', 'the id for @id conditions (default: the host name)')
    .addHelpText('after', examples)
    .action(
      (keepalived: string, conntrackd: string | undefined, options: { configId?: string }) => {
        const paths = conntrackd === undefined ? [keepalived] : [keepalived, conntrackd];
        process.exitCode = runMigrate(paths, systemLoadPorts(options), output);
      },
    );
}

/** Returns the exit status. */
export function runMigrate(paths: readonly string[], ports: LoadPorts, output: TextOutput): number {
  const inputs: MigrationInput[] = [];
  for (const path of paths) {
    const file = ports.files.read(path);
    if (file.kind === 'text') inputs.push({ path, text: file.text });
    else output.error(`${path}: ${file.reason}\n`);
  }
  if (inputs.length < paths.length) return 2;
  const { text, remaining, changes } = migrate(inputs, ports);
  output.out(text);
  for (const problem of remaining.problems) output.error(`${formatProblem(problem)}\n`);
  output.error(
    `${changes} places changed or dropped, ${remaining.problems.length} problems left\n`,
  );
  return remaining.settings === undefined ? 1 : 0;
}
