/** The door of this room: a file, or text, becomes settings and problems. */
import { judge, type AcceptedWarning } from './acceptedWarnings.js';
import { acceptancesOf } from './build/globals.js';
import { buildNode } from './build/node.js';
import { buildContext } from './build/context.js';
import { freezeDeeply } from './freeze.js';
import { rootRows, type RootValues } from './keywords/rootRows.js';
import type { NodeSettings } from './nodeSettings.js';
import type { LoadPorts } from './loadPorts.js';
import { ProblemList, type ConfigProblem } from './problem.js';
import { parseRows } from './table/parseRows.js';
import { blockGrammar, parseContext } from './table/row.js';
import { readTokens } from './text/readTokens.js';
import { buildTree } from './tree.js';
import { warnAbout } from './warn/warnings.js';

export interface LoadResult {
  /** Present only when no problem is an error. */
  readonly settings?: NodeSettings;
  /** Sorted by place; warnings included, unless `accept_warning` names their code. */
  readonly problems: readonly ConfigProblem[];
  readonly accepted: readonly AcceptedWarning[];
  /** False where the named file itself could not be read. */
  readonly readable: boolean;
  /** What was said, keyword by keyword: for the normal form. */
  readonly values?: RootValues;
}

/** How root level is written. */
export const rootGrammar = blockGrammar({ style: 'lines', rows: rootRows });

/** Reads `path` and what it includes. Never throws for what is in the files. */
export function loadNode(path: string, ports: LoadPorts): LoadResult {
  const file = ports.files.read(path);
  if (file.kind === 'text') return loadNodeText(file.text, path, ports);
  const at = { file: path, line: 1, column: 1 };
  const problem = { severity: 'error', code: 'unreadable', message: file.reason, at } as const;
  return { problems: [problem], accepted: [], readable: false };
}

/** The same for text at hand; `path` names it in problems and is the base of relative includes. */
export function loadNodeText(text: string, path: string, ports: LoadPorts): LoadResult {
  const problems = new ProblemList();
  const { tokens, sources, isComplete } = readTokens(text, path, ports, problems);
  const tree = buildTree(tokens, rootGrammar, problems, isComplete);
  const userExists = (name: string): boolean | undefined => ports.machine?.userExists(name);
  const { values } = parseRows(rootRows, tree, parseContext(rootRows, problems, userExists));
  const context = buildContext(problems, ports.hostName, ports.machine?.keyFiles);
  const { settings, globals } = buildNode(values, sources, context);
  if (tree.length === 0 && !problems.hasErrors) reportEmpty(path, problems);
  warnAbout({ root: values, globals, settings, uses: context.uses, ports, problems });
  const judged = judge(problems.all(), acceptancesOf(globals));
  if (problems.hasErrors) return { ...judged, readable: true, values };
  return { ...judged, settings: freezeDeeply(settings), readable: true, values };
}

function reportEmpty(path: string, problems: ProblemList): void {
  problems.error({ file: path, line: 1, column: 1 }, 'empty', 'this file configures nothing', {
    expected: 'a vrrp_instance, a Sync or a Stats block',
  });
}
