/**
 * Runs command lines through the real `conntrack` and through ours, each on the same kernel table,
 * as a program of its own in the namespace it is started in:
 *
 *   conntrackCases FILE REAL...     FILE has a JSON array of ConntrackCase; REAL is the command of the real program
 *
 * Prints a JSON array of CaseResult. Ours runs in this process: a start of Node.js per case would
 * take minutes.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { processPorts, type CommandPorts } from '../../../src/cli/conntrack/commandPorts.js';
import { runConntrack } from '../../../src/cli/conntrack/dispatch.js';

export interface ConntrackCase {
  /**
   * Command lines, without the program's name, that make the table; `-F` stands in front of them.
   */
  readonly setup: readonly string[];
  /** The command line that is compared. */
  readonly line: string;
  /** Standard input. */
  readonly input?: string;
}

export interface CaseOutcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** `-L` and `-L expect` afterwards. */
  readonly table: string;
}

export interface CaseResult {
  readonly line: string;
  readonly real: CaseOutcome;
  readonly ours: CaseOutcome;
}

/** Standard input of the real program. */
let inputFile = '';

/** Words between blanks; single quotes hold one together, so that '' is an empty word. */
export function wordsOf(line: string): string[] {
  return [...line.matchAll(/(?:[^\s']|'[^']*')+/g)].map(([word]) => word.replaceAll("'", ''));
}

async function ours(words: readonly string[], input = ''): Promise<Omit<CaseOutcome, 'table'>> {
  let [stdout, stderr] = ['', ''];
  const ports: CommandPorts = {
    ...processPorts,
    write: (bytes) => {
      stdout += Buffer.from(bytes).toString('latin1');
      return true;
    },
    tell: (line) => (stderr += `${line}\n`),
    read: (path) => (path === '-' ? input : readFileSync(path, 'utf8')),
  };
  const exitCode = await runConntrack(words, ports);
  return { exitCode, stdout, stderr };
}

function real(
  command: readonly string[],
  words: readonly string[],
  input = '',
): Omit<CaseOutcome, 'table'> {
  const [program = '', ...args] = command;
  // A file: node:child_process would give it a socket, which conntrack cannot open as /dev/stdin.
  writeFileSync(inputFile, input);
  const descriptor = openSync(inputFile, 'r');
  const result = spawnSync(program, [...args, ...words], {
    stdio: [descriptor, 'pipe', 'pipe'],
    encoding: 'latin1',
    timeout: 10_000,
  });
  closeSync(descriptor);
  return { exitCode: result.status ?? -1, stdout: result.stdout, stderr: result.stderr };
}

/** The setup of which the table is, as long as nothing has changed it since. */
let prepared: string | undefined;

async function prepare(setup: readonly string[]): Promise<void> {
  const wanted = setup.join('\n');
  if (prepared === wanted) return;
  await ours(['-F']);
  for (const line of setup) {
    const { exitCode, stderr } = await ours(wordsOf(line));
    if (exitCode !== 0) throw new Error(`${line}: ${stderr}`);
  }
  prepared = wanted;
}

/** Commands that change nothing; one that was refused for its words changes nothing either. */
const reading = /(^| )-(L|G|C|S|V|h|-dump|-count)/;

/**
 * What the table holds afterwards, where it may have changed: reading it costs more than the rest
 * of a case.
 */
async function withTable(outcome: Omit<CaseOutcome, 'table'>, line: string): Promise<CaseOutcome> {
  if (outcome.exitCode === 2 || (reading.test(line) && !line.includes('-z'))) {
    return { ...outcome, table: '' };
  }
  prepared = undefined;
  const flows = await ours(['-L']);
  const expectations = await ours(['-L', 'expect']);
  return { ...outcome, table: flows.stdout + expectations.stdout };
}

async function main(file: string, command: readonly string[]): Promise<void> {
  const cases = JSON.parse(readFileSync(file, 'utf8')) as ConntrackCase[];
  inputFile = `${file}.input`;
  const results: CaseResult[] = [];
  for (const { setup, line, input } of cases) {
    const words = wordsOf(line);
    await prepare(setup);
    const theirs = await withTable(real(command, words, input), line);
    await prepare(setup);
    const own = await withTable(await ours(words, input), line);
    results.push({ line, real: theirs, ours: own });
  }
  process.stdout.write(JSON.stringify(results));
}

if (require.main === module) {
  const [file = '', ...command] = process.argv.slice(2);
  void main(file, command);
}
