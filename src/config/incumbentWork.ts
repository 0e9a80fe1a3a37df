/**
 * What a keepalived or conntrackd does, by its command line and its configuration: one that only
 * balances load, or only logs or helps, does not do keepstate's work and may run beside it.
 */
import { rootGrammar } from './loadNode.js';
import type { LoadPorts } from './loadPorts.js';
import type { IncumbentName } from './nodeSettings.js';
import { ProblemList } from './problem.js';
import { readTokens } from './text/readTokens.js';
import { buildTree } from './tree.js';

/** `missing` and `unreadable`: its configuration says nothing, and something else has to. */
export type SameWork = 'yes' | 'no' | 'missing' | 'unreadable';

/** `arguments_`: what stands behind the program's name. */
export function sameWork(
  name: IncumbentName,
  arguments_: readonly string[],
  ports: LoadPorts,
): SameWork {
  const other = name === 'keepalived' ? onlyChecks(arguments_) : isClient(arguments_);
  if (other) return 'no';
  const found = incumbentConfiguration(configurationPath(name, arguments_), ports);
  if (typeof found === 'string') return found;
  return found.keywords.has(name === 'keepalived' ? 'vrrp_instance' : 'Sync') ? 'yes' : 'no';
}

/** A conntrackd's `LockFile`; undefined: not known. */
export function lockFileOf(arguments_: readonly string[], ports: LoadPorts): string | undefined {
  const found = incumbentConfiguration(configurationPath('conntrackd', arguments_), ports);
  return typeof found === 'string' ? undefined : (found.lockFile ?? '/var/lock/conntrack.lock');
}

/** `-C`, `--check`, also behind flags without a value in one word: keepalived -lnC. */
function onlyChecks(words: readonly string[]): boolean {
  return words.some((word) => word === '--check' || /^-[lnDdVIRxaA]*C/.test(word));
}

/** `conntrackd -s` and the like talk to a daemon, and are none: all options but -C and -d. */
function isClient(words: readonly string[]): boolean {
  return words.some((word) => /^-[^Cd]/.test(word));
}

/** keepalived: -f FILE, -fFILE, --use-file=FILE; conntrackd: -C FILE. */
function configurationPath(name: IncumbentName, words: readonly string[]): string {
  const [flag, fallback] =
    name === 'keepalived'
      ? (['-f', '/etc/keepalived/keepalived.conf'] as const)
      : (['-C', '/etc/conntrackd/conntrackd.conf'] as const);
  for (const [i, word] of words.entries()) {
    if (word === flag || word === '--use-file') return words[i + 1] ?? fallback;
    if (word.startsWith('--use-file=')) return word.slice('--use-file='.length);
    if (word.startsWith(flag)) return word.slice(flag.length);
  }
  return fallback;
}

interface IncumbentConfiguration {
  /** Keywords at root level, those of included files too. */
  readonly keywords: ReadonlySet<string>;
  readonly lockFile: string | undefined;
}

/** A relative path is one of a folder that is not known. */
function incumbentConfiguration(
  path: string,
  ports: LoadPorts,
): IncumbentConfiguration | 'missing' | 'unreadable' {
  if (!path.startsWith('/')) return 'unreadable';
  const file = ports.files.read(path);
  if (file.kind === 'unreadable') {
    return file.reason === 'no such file' ? 'missing' : 'unreadable';
  }
  const problems = new ProblemList();
  const { tokens, isComplete } = readTokens(file.text, path, ports, problems);
  const statements = buildTree(tokens, rootGrammar, problems, isComplete);
  const general = statements.filter(({ keyword }) => keyword.text === 'General');
  const lockFile = general
    .flatMap(({ block }) => block?.statements ?? [])
    .find(({ keyword }) => keyword.text === 'LockFile')?.words[0]?.text;
  return { keywords: new Set(statements.map(({ keyword }) => keyword.text)), lockFile };
}
