/**
 * Two files of two daemons into one of ours. The operator's text and comments stay as they are.
 * What is changed does not change what the node does towards a peer that is not migrated yet: a
 * line that does nothing is commented out, a default that was taken is written down, and a warning
 * about what must stay is accepted by name. Each change has its reason above it.
 */
import type { AcceptedWarning } from '../acceptedWarnings.js';
import { loadNodeText, type LoadResult } from '../loadNode.js';
import type { LoadPorts, MachineFacts } from '../loadPorts.js';
import type { ConfigProblem } from '../problem.js';
import { isWarningCode, warningCodes } from '../warningCodes.js';
import { applyEdits, editOf, indentOf, isLoss, overlap, reasonOfDrop, type Edit } from './edits.js';
import { gather, type MigrationInput } from './gather.js';
import { Layout } from './layout.js';
import { withPingProposals } from './pingScripts.js';
import { withoutRest, type RestOwner } from './rest.js';

export interface Migration {
  readonly text: string;
  /** What is left to the operator: problems of the printed text, by its own lines. */
  readonly remaining: LoadResult;
  /** How many places were changed, dropped or added. */
  readonly changes: number;
  /** What was dropped although it did something, with its place in the printed text. */
  readonly lost: readonly ConfigProblem[];
  readonly accepted: readonly AcceptedWarning[];
}

const head = [
  '# Made by keepstate migrate. What was changed is said in lines that begin with "keepstate:", and the line',
  '# that stood there before is kept below them.',
];

/** A file cannot need more rounds than this; each one changes lines or ends. */
const roundLimit = 50;

/** `left`: files in which what stays with another daemon stands, by daemon. */
export function migrate(
  inputs: readonly MigrationInput[],
  ports: LoadPorts,
  left: Readonly<Partial<Record<RestOwner, string>>> = {},
): Migration {
  const { files, hostName, configId, machine } = ports;
  const textPorts: LoadPorts = {
    files,
    hostName,
    ...(machine === undefined ? {} : { machine: networksOf(machine) }),
    ...(configId === undefined ? {} : { configId }),
  };
  let lines = gather(inputs, textPorts);
  for (const owner of ['keepalived', 'conntrackd'] as const) {
    const file = left[owner];
    if (file !== undefined) lines = withoutRest(lines, owner, file, textPorts);
  }
  let changes = 0;
  const losses = new Map<string, ConfigProblem>();
  for (let round = 0; round < roundLimit; round++) {
    const { problems } = loadLines(lines, textPorts);
    const edits = editsOf(problems, lines, textPorts);
    if (edits.length === 0) break;
    changes += edits.length;
    for (const problem of problems) if (isLoss(problem)) losses.set(problem.message, problem);
    lines = applyEdits(lines, edits);
  }
  lines = [...head, ...ownGlobals(lines, loadLines(lines, textPorts)), ...lines];
  const { problems, settings } = loadLines(lines, textPorts);
  lines = withPingProposals(withNotes(lines, problems), settings?.vrrp.scripts ?? []);
  const remaining = loadLines(lines, textPorts);
  return {
    text: `${lines.join('\n').trimEnd()}\n`,
    remaining,
    changes,
    lost: lossesIn(lines, losses),
    accepted: remaining.accepted,
  };
}

/** Of the machine only that: what else it lacks may be there when the text is used. */
function networksOf(machine: MachineFacts): MachineFacts {
  const unknown = (): undefined => undefined;
  return {
    interfaceExists: unknown,
    program: unknown,
    userExists: unknown,
    sysctl: unknown,
    networkPrefix: (...asked) => machine.networkPrefix?.(...asked),
  };
}

/** The notes in the text that say what was lost; the same loss may stand in several places. */
function lossesIn(
  lines: readonly string[],
  losses: ReadonlyMap<string, ConfigProblem>,
): readonly ConfigProblem[] {
  return lines.flatMap((line, i) => {
    const problem = losses.get(reasonOfDrop(line) ?? '');
    if (problem === undefined) return [];
    const at = { file: outputName, line: i + 1, column: indentOf(line).length + 1 };
    return [{ ...problem, at }];
  });
}

function loadLines(lines: readonly string[], ports: LoadPorts): LoadResult {
  return loadNodeText(lines.join('\n'), outputName, ports);
}

/** The name of the printed text in problems. */
const outputName = 'migrated';

function editsOf(
  problems: readonly ConfigProblem[],
  lines: readonly string[],
  ports: LoadPorts,
): readonly Edit[] {
  const layout = new Layout(lines, outputName, ports);
  const edits: Edit[] = [];
  // A block that is dropped for another reason must not take an unsaid loss with it.
  const ordered = [...problems.filter(isLoss), ...problems.filter((problem) => !isLoss(problem))];
  for (const problem of ordered) {
    const edit = problem.at.file === outputName ? editOf(problem, lines, layout) : undefined;
    if (edit !== undefined && !edits.some((other) => overlap(edit, other))) edits.push(edit);
  }
  return edits;
}

/** The peer has it too: a pair takes the signs away on both nodes, when both are keepstate. */
const preparedKey = [
  '    # keepstate: when both nodes are keepstate, a key seals the sync link: keepstate key new --file',
  '    # /etc/keepstate/sync.key, the same file on both, then take the signs away (docs/security.md).',
  '    # sync_key 1 file:/etc/keepstate/sync.key',
  '    # sync_active_key 1',
  '    # sync_auth permissive',
];

/** A `global_defs` in front of the operator's: what is accepted, and the key that could be there. */
function ownGlobals(
  lines: readonly string[],
  { problems, settings }: LoadResult,
): readonly string[] {
  const { sync } = settings ?? {};
  const isPrepared = lines.some((line) => line.includes('sync_key'));
  const hasNoKey = sync !== undefined && sync.seal === undefined && !isPrepared;
  const body = [...acceptances(problems), ...(hasNoKey ? preparedKey : [])];
  return body.length === 0 ? [] : ['global_defs {', ...body, '}', ''];
}

/** One line for each code of a warning whose line must stay. */
function acceptances(problems: readonly ConfigProblem[]): readonly string[] {
  const byCode = new Map<string, ConfigProblem[]>();
  for (const problem of problems) {
    const { code, severity } = problem;
    if (severity === 'error' || !isWarningCode(code)) continue;
    if (warningCodes[code].migrate !== 'accepts') continue;
    byCode.set(code, [...(byCode.get(code) ?? []), problem]);
  }
  return [...byCode].flatMap(([code, found]) => [
    ...[...new Set(found.map(({ message }) => `    # keepstate: accepted: ${message}`))],
    `    accept_warning ${code} "kept by migrate: the peer may go by it"`,
  ]);
}

/** What still bites is said above its line. */
function withNotes(
  lines: readonly string[],
  problems: readonly ConfigProblem[],
): readonly string[] {
  const notes = new Map<number, string[]>();
  for (const { at, severity, message, expected } of problems) {
    if (at.file !== outputName) continue;
    const place = at.line - 1;
    const wish = expected === undefined ? '' : ` (expected ${expected})`;
    const note = `${indentOf(lines[place] ?? '')}# keepstate: ${severity}: ${message}${wish}`;
    notes.set(place, [...(notes.get(place) ?? []), note]);
  }
  return lines.flatMap((line, i) => [...(notes.get(i) ?? []), line]);
}
