/** `keepstate check`: all problems of a configuration, and of a pair of them. */
import type { Command } from 'commander';
import { printable, printableJson, printableLines } from '../base/printable.js';
import { defaultConfig } from './defaultConfig.js';
import type { Judged } from '../config/acceptedWarnings.js';
import { loadNode, type LoadResult } from '../config/loadNode.js';
import { crossCheck } from '../config/peer/crossCheck.js';
import type { LoadPorts } from '../config/loadPorts.js';
import { printNode } from '../config/printNode.js';
import { formatProblems, type ConfigProblem } from '../config/problem.js';
import { isRoot, scriptUsers } from '../config/scriptUsers.js';
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

export const processOutput: TextOutput = {
  // A file's own text stays as it is for a file or a pipe, and cannot steer a terminal.
  out: (text) => void process.stdout.write(process.stdout.isTTY ? printableLines(text) : text),
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

  Say of a warning that it is known, by the word in [brackets] behind it (docs/configuration.md, Warnings):
    global_defs {
        accept_warning clear-text-password "the peer is a keepalived"
    }

Exit status: 0 fine (warnings included), 1 errors (or warnings with --strict), 2 a file cannot be read.
Accepted warnings count for neither.`;

export function registerCheck(program: Command, output: TextOutput = processOutput): void {
  program
    .command('check')
    .description(
      'show all problems of a configuration, with file:line:column and what was expected',
    )
    .option('-f, --config <file>', 'the configuration to check', defaultConfig)
    .option('--peer <file>', "the other node's configuration: check that both fit together")
    .option('--strict', 'warnings count as errors')
    .option(
      '--json',
      'problems as a JSON array; accepted warnings stand in it with "accepted": true',
    )
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
  const parts: readonly Judged[] = [
    own,
    ...(peer === undefined ? [] : [peer, crossProblems(options, own, peer)]),
  ];
  const judged: Judged = {
    problems: parts.flatMap(({ problems }) => problems),
    accepted: parts.flatMap(({ accepted }) => accepted),
  };
  const isCompared = own.settings !== undefined && peer?.settings !== undefined;
  report(judged, own, isCompared, options, ports, output);
  if (!own.readable || peer?.readable === false) return 2;
  const isFailed = judged.problems.some(
    ({ severity }) => severity === 'error' || options.strict === true,
  );
  return isFailed ? 1 : 0;
}

/** The peer's interfaces and scripts are not on this machine: only its text is checked. */
function loadPeer(path: string, ports: LoadPorts): LoadResult {
  const { files, hostName, configId } = ports;
  return loadNode(path, { files, hostName, ...(configId === undefined ? {} : { configId }) });
}

function crossProblems({ config, peer }: CheckOptions, own: LoadResult, other: LoadResult): Judged {
  const nothing: Judged = { problems: [], accepted: [] };
  if (own.settings === undefined || own.values === undefined) return nothing;
  if (other.settings === undefined || other.values === undefined) return nothing;
  return crossCheck(
    { settings: own.settings, values: own.values, file: config },
    { settings: other.settings, values: other.values, file: peer ?? '' },
  );
}

function report(
  judged: Judged,
  own: LoadResult,
  isCompared: boolean,
  options: CheckOptions,
  ports: LoadPorts,
  output: TextOutput,
): void {
  const print = (text: string): void => {
    if (options.print === true) output.error(text);
    else output.out(text);
  };
  if (options.json === true) print(`${printableJson(asJson(judged), 2)}\n`);
  else {
    for (const line of formatProblems(judged.problems)) print(`${line}\n`);
    const files = [options.config, ...(options.peer === undefined ? [] : [options.peer])];
    print(`${files.join(' and ')}: ${summary(judged)}\n`);
    for (const line of scriptLines(own, ports)) print(`${line}\n`);
    if (options.peer !== undefined && !isCompared) {
      print('the two were not compared with each other: correct the errors first\n');
    }
  }
  if (options.print === true && own.settings !== undefined && own.values !== undefined) {
    output.out(printNode(own.values));
  }
}

/** Which scripts have what; nothing where that depends on a machine that is not asked. */
function scriptLines({ settings }: LoadResult, { machine }: LoadPorts): readonly string[] {
  if (settings === undefined || machine === undefined) return [];
  const scripts = scriptUsers(settings, (name) => machine.userExists(name));
  const root = scripts.filter(({ user }) => isRoot(user));
  const others = scripts.filter(({ user }) => !isRoot(user));
  const lines: string[] = [];
  if (root.length > 0) {
    const programs = root.map(({ program }) => program).join(', ');
    lines.push(
      `scripts as root, with the capabilities that keepstate is started with: ${programs}`,
    );
  }
  if (others.length > 0) {
    const programs = others.map(({ program, user }) => `${program} (${user})`).join(', ');
    lines.push(`scripts without capabilities, as a user of their own: ${programs}`);
  }
  return lines.map((line) => printable(line));
}

/**
 * Problems, and behind them the accepted warnings with `accepted: true` and the operator's reason.
 */
function asJson({ problems, accepted }: Judged): readonly object[] {
  const flat = ({ at, ...rest }: ConfigProblem): object => ({ ...at, ...rest });
  return [
    ...problems.map(flat),
    ...accepted.map(({ problem, ...reason }) => ({ ...flat(problem), accepted: true, ...reason })),
  ];
}

function summary({ problems, accepted }: Judged): string {
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  const warnings = problems.length - errors;
  const found =
    problems.length === 0
      ? 'no problems'
      : `${count(errors, 'error')}, ${count(warnings, 'warning')}`;
  if (accepted.length === 0) return found;
  const codes = [...new Set(accepted.map(({ problem }) => problem.code))];
  return `${found} (${count(accepted.length, 'warning')} accepted: ${codes.join(', ')})`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
