/** `keepstate check`: all problems of a configuration, and of a pair of them. */
import type { Command } from 'commander';
import { loadNode, type LoadResult } from '../config/loadNode.js';
import { crossCheck } from '../config/peer/crossCheck.js';
import type { LoadPorts } from '../config/ports.js';
import { printNode } from '../config/printNode.js';
import { formatProblem, type ConfigProblem } from '../config/problem.js';
import { systemLoadPorts } from '../config/systemPorts.js';

export interface CheckOptions {
  readonly config: string;
  readonly peer?: string;
  readonly strict?: boolean;
  readonly json?: boolean;
  readonly print?: boolean;
  readonly configId?: string;
  /** `--no-machine`: false asks nothing of this machine. */
  readonly machine?: boolean;
}

/** Text for the operator: the result goes to `out`, problems beside a printed form to `error`. */
export interface TextOutput {
  out(text: string): void;
  error(text: string): void;
}

const processOutput: TextOutput = {
  out: (text) => void process.stdout.write(text),
  error: (text) => void process.stderr.write(text),
};

const examples = `
Examples:
  Check what the daemon would start with; exit status 0 means that it would:
    $ keepstate check --config /etc/keepstate/keepstate.conf

  Two files that are in production today are one configuration together:
    $ cat keepalived.conf conntrackd.conf > node.conf && keepstate check --config node.conf

  Check both nodes of a cluster against each other before a change goes live:
    $ keepstate check --config fw1.conf --peer fw2.conf --no-machine --strict

  Show the normal form: includes, definitions and conditions worked out:
    $ keepstate check --config node.conf --print

Exit status: 0 fine (warnings included), 1 errors (or warnings with --strict), 2 a file cannot be read.`;

export function registerCheck(program: Command, output: TextOutput = processOutput): void {
  program
    .command('check')
    .description(
      'show all problems of a configuration, with file:line:column and what was expected',
    )
    .requiredOption('--config <file>', 'the configuration to check')
    .option('--peer <file>', "the other node's configuration: check that both fit together")
    .option('--strict', 'warnings count as errors')
    .option('--json', 'problems as a JSON array')
    .option('--print', 'print the normal form on standard output, problems on standard error')
    .option('--config-id <id>', 'the id for @id conditions (default: the host name)')
    .option('--no-machine', 'do not ask whether interfaces, scripts and users exist here')
    .addHelpText('after', examples)
    .action((options: CheckOptions) => {
      const ports = systemLoadPorts({
        machine: options.machine !== false,
        ...(options.configId === undefined ? {} : { configId: options.configId }),
      });
      process.exitCode = runCheck(options, ports, output);
    });
}

/** Returns the exit status. */
export function runCheck(options: CheckOptions, ports: LoadPorts, output: TextOutput): number {
  const own = loadNode(options.config, ports);
  const peer = options.peer === undefined ? undefined : loadPeer(options.peer, ports);
  const problems = [
    ...own.problems,
    ...(peer?.problems ?? []),
    ...(peer === undefined ? [] : crossProblems(options, own, peer)),
  ];
  report(problems, own, options, output);
  if (!own.readable || peer?.readable === false) return 2;
  const isFailed = problems.some(({ severity }) => severity === 'error' || options.strict === true);
  return isFailed ? 1 : 0;
}

/** The peer's interfaces and scripts are not on this machine: only its text is checked. */
function loadPeer(path: string, ports: LoadPorts): LoadResult {
  const { files, hostName, configId } = ports;
  return loadNode(path, { files, hostName, ...(configId === undefined ? {} : { configId }) });
}

function crossProblems(
  { config, peer }: CheckOptions,
  own: LoadResult,
  other: LoadResult,
): readonly ConfigProblem[] {
  if (own.settings === undefined || own.values === undefined) return [];
  if (other.settings === undefined || other.values === undefined) return [];
  return crossCheck(
    { settings: own.settings, values: own.values, file: config },
    { settings: other.settings, values: other.values, file: peer ?? '' },
  );
}

function report(
  problems: readonly ConfigProblem[],
  own: LoadResult,
  options: CheckOptions,
  output: TextOutput,
): void {
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  const print = (text: string): void => {
    if (options.print === true) output.error(text);
    else output.out(text);
  };
  if (options.json === true) print(`${JSON.stringify(problems.map(flatten), undefined, 2)}\n`);
  else {
    for (const problem of problems) print(`${formatProblem(problem)}\n`);
    const warnings = problems.length - errors;
    print(`${options.config}: ${count(errors, 'error')}, ${count(warnings, 'warning')}\n`);
  }
  if (options.print === true && own.settings !== undefined && own.values !== undefined) {
    output.out(printNode(own.values));
  }
}

function flatten({ at, ...rest }: ConfigProblem): object {
  return { ...at, ...rest };
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
