/** `keepstate migrate`: keepalived.conf and conntrackd.conf into one file. */
import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { printable } from '../base/printable.js';
import { fileErrorText } from '../base/regularFile.js';
import type { MigrationInput } from '../config/migrate/gather.js';
import { migrate } from '../config/migrate/migratePair.js';
import { restOf, type RestOwner } from '../config/migrate/rest.js';
import type { LoadPorts } from '../config/loadPorts.js';
import { formatProblem, type ConfigProblem } from '../config/problem.js';
import { systemLoadPorts } from '../config/systemPorts.js';
import { processOutput, type TextOutput } from './checkCommand.js';

const examples = `
Examples:
  One file out of the two that are in production; comments and layout stay:
    $ keepstate migrate /etc/keepalived/keepalived.conf /etc/conntrackd/conntrackd.conf > keepstate.conf

  Then look at what is left to decide; the machine's scripts and interfaces are looked at too:
    $ keepstate check --config keepstate.conf --strict

What keepalived and conntrackd took by default is written down, lines that do nothing are commented out, and
warnings about what a peer goes by are accepted by name (accept_warning). Each change has its reason above it
("keepstate: ..."), and the old line is kept as a comment. Included files are put in where they were included.

  Where keepalived balances load, or conntrackd runs helpers, and goes on doing that:
    $ keepstate migrate keepalived.conf conntrackd.conf --rest-keepalived lvs.conf --rest-conntrackd helper.conf

What keepstate does not do (VMAC, load balancing, helpers, mail, SNMP) is dropped, and named as left for you,
unless one of the two files has it.

Exit status: 0 the printed file does what the two did, 1 it has errors or something was dropped that did
something, 2 a file cannot be read or written.`;

export function registerMigrate(program: Command, output: TextOutput = processOutput): void {
  program
    .command('migrate')
    .description('print one configuration made of keepalived.conf and conntrackd.conf')
    .argument('<keepalived>', "keepalived's file")
    .argument('[conntrackd]', "conntrackd's file")
    .option('--config-id <id>', 'the id for @id conditions (default: the host name)')
    .option('--rest-keepalived <file>', 'write what stays with keepalived: load balancing')
    .option('--rest-conntrackd <file>', 'write what stays with conntrackd: helpers')
    .addHelpText('after', examples)
    .action((keepalived: string, conntrackd: string | undefined, options: MigrateOptions) => {
      const paths = conntrackd === undefined ? [keepalived] : [keepalived, conntrackd];
      process.exitCode = runMigrate(paths, systemLoadPorts(options), output, options);
    });
}

export interface RestFiles {
  readonly restKeepalived?: string;
  readonly restConntrackd?: string;
}

type MigrateOptions = RestFiles & { readonly configId?: string };

/** Returns the exit status. */
export function runMigrate(
  paths: readonly string[],
  ports: LoadPorts,
  output: TextOutput,
  rest: RestFiles = {},
): number {
  const inputs: MigrationInput[] = [];
  for (const path of paths) {
    const file = ports.files.read(path);
    if (file.kind === 'text') inputs.push({ path, text: file.text });
    else output.error(`${path}: ${file.reason}\n`);
  }
  if (inputs.length < paths.length) return 2;
  const left = writeRest(inputs, ports, output, rest);
  if (left === undefined) return 2;
  const { text, remaining, changes, lost } = migrate(inputs, ports, left);
  output.out(text);
  const { problems, accepted } = remaining;
  for (const problem of problems) output.error(`${formatProblem(problem)}\n`);
  for (const problem of lost) output.error(`${lossText(problem)}\n`);
  const open = problems.length + lost.length;
  const codes = [...new Set(accepted.map(({ problem }) => problem.code))];
  output.error(
    [
      `${count(changes, 'place')} changed, each with its reason above it`,
      ...(codes.length === 0 ? [] : [`accepted as it is: ${codes.join(', ')}`]),
      open === 0 ? 'no problems left' : `${count(open, 'problem')} left for you, shown above`,
    ].join('; ') + '\n',
  );
  return remaining.settings === undefined || lost.length > 0 ? 1 : 0;
}

/** The files that were written, by daemon; undefined where one cannot be. */
function writeRest(
  inputs: readonly MigrationInput[],
  ports: LoadPorts,
  output: TextOutput,
  { restKeepalived, restConntrackd }: RestFiles,
): Partial<Record<RestOwner, string>> | undefined {
  const left: Partial<Record<RestOwner, string>> = {};
  for (const [owner, file] of [
    ['keepalived', restKeepalived],
    ['conntrackd', restConntrackd],
  ] as const) {
    if (file === undefined) continue;
    const text = inputs
      .map((input) => restOf(input, owner, ports))
      .find((one) => one !== undefined);
    if (text === undefined) {
      output.error(`nothing stays with ${owner}: ${printable(file)} was not written\n`);
      continue;
    }
    try {
      writeFileSync(file, text, { mode: 0o600 });
    } catch (error) {
      output.error(`${printable(file)}: ${fileErrorText(error)}\n`);
      return undefined;
    }
    left[owner] = file;
    output.error(`what stays with ${owner} was written to ${printable(file)}\n`);
  }
  return left;
}

/** `migrated:12:5: dropped: 'use_vmac' is not supported; instead: ...`, or what is lost by it. */
function lossText({ at, message, expected, loses }: ConfigProblem): string {
  const parts = [`${at.file}:${at.line}:${at.column}: dropped: ${message}`];
  if (loses !== undefined) parts.push(`lost: ${loses}`);
  if (expected !== undefined) parts.push(`instead: ${expected}`);
  return printable(parts.join('; '));
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
