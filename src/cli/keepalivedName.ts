/**
 * What exporters, Ansible roles and scripts call under the name keepalived: its version, the
 * numbers of its signals, the test of a configuration. Also by a symbolic link of that name.
 */
import { constants } from 'node:os';
import type { Command } from 'commander';
import { keepalivedSignals } from '../base/keepalivedSignals.js';
import { packageVersion } from '../base/packageVersion.js';
import { printableLines } from '../base/printable.js';
import { loadNode } from '../config/loadNode.js';
import { formatProblems } from '../config/problem.js';
import { systemLoadPorts } from '../config/systemPorts.js';
import { processOutput, type TextOutput } from './checkCommand.js';

/** `--signum=WORD` of keepalived 2.2.7. */
const signalNumbers: Readonly<Record<string, number>> = {
  ...{ STOP: constants.signals.SIGTERM, RELOAD: constants.signals.SIGHUP },
  ...{ DATA: constants.signals.SIGUSR1, STATS: constants.signals.SIGUSR2 },
  ...{ JSON: keepalivedSignals.json, STATS_CLEAR: keepalivedSignals.statsClear },
};

/** keepalived's: a configuration that was tested and has errors. */
const testFailed = 5;

const usage = `Usage: keepstate keepalived WORDS, or by a symbolic link named keepalived

What exporters, Ansible roles and scripts ask of that program:
  -v | --version                   the version that keepstate speaks like
  --signum=${Object.keys(signalNumbers).join('|')}
                                   the number of the signal that asks for it
  -t [-f FILE]                     test a configuration (/etc/keepalived/keepalived.conf)
The daemon is started with: systemctl start keepstate

Examples:
  Test a file before it replaces the one in use, as Ansible does:
    $ keepstate keepalived -t -f /tmp/new.conf

  Ask the running daemon for /tmp/keepalived.json:
    $ kill -$(keepstate keepalived --signum=JSON) $(pidof keepstate)

Exit status: 0 fine, 1 another call, 5 the configuration has errors.`;

/** Exporters read the second word of the first line, and look for --enable-json. */
function versionText(): string {
  return `Keepalived v2.2.7 (by keepstate ${packageVersion()})

configure options: --enable-json
`;
}

/** `words`: the command line behind the name. Gives the exit code. */
export function runAsKeepalived(
  words: readonly string[],
  output: TextOutput = processOutput,
): number {
  const [first = '', ...more] = words;
  if (first === '-v' || first === '--version') {
    output.error(versionText());
    return 0;
  }
  const signal = /^--signum=(.*)$/.exec(first)?.[1];
  if (signal !== undefined) return signalNumber(signal, output);
  if (words.some((word) => word === '-t' || word.startsWith('--config-test'))) {
    const file = fileOf(words);
    if (file !== undefined) return testConfiguration(file, output);
  }
  if (first === '-h' || first === '--help') {
    output.out(`${usage}\n`);
    return 0;
  }
  const known = more.length === 0 && first === '' ? '' : `not known here: ${words.join(' ')}\n`;
  output.error(`${printableLines(`${known}${usage}`)}\n`);
  return 1;
}

function signalNumber(name: string, output: TextOutput): number {
  const number = Object.hasOwn(signalNumbers, name) ? signalNumbers[name] : undefined;
  if (number === undefined) {
    const complaint =
      name === '' ? 'Missing parameter for option --signum' : `Unknown sigfunc ${name}`;
    output.error(`${printableLines(complaint)}\n`);
    return 1;
  }
  output.out(`${number}\n`);
  return 0;
}

/** `-f FILE`, `-fFILE`, `--use-file=FILE`; keepalived's default else. */
function fileOf(words: readonly string[]): string | undefined {
  for (const [i, word] of words.entries()) {
    const named = /^(?:--use-file=|-f)(.+)$/.exec(word)?.[1];
    if (named !== undefined) return named;
    if (word === '-f' || word === '--use-file') return words[i + 1];
  }
  return '/etc/keepalived/keepalived.conf';
}

function testConfiguration(file: string, output: TextOutput): number {
  const { settings, problems } = loadNode(file, systemLoadPorts({}));
  const text = formatProblems(problems).join('\n');
  if (text !== '') output.error(`${printableLines(text)}\n`);
  return settings === undefined ? testFailed : 0;
}

/** `keepstate keepalived` among the other commands. */
export function registerKeepalivedName(program: Command): void {
  program
    .command('keepalived')
    .description('what exporters and scripts ask of the program keepalived: -v, --signum=, -t -f')
    .argument('[words...]', 'as keepalived takes them')
    .allowUnknownOption()
    .helpOption(false)
    .action((words: string[]) => {
      process.exitCode = runAsKeepalived(words);
    });
}
