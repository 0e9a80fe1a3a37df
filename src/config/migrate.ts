/**
 * Two files of two daemons into one of ours. The operator's text and comments stay as they are; a line
 * that has no effect or cannot stay is commented out, with the reason above it.
 */
import { loadNodeText, type LoadResult } from './loadNode.js';
import type { LoadPorts } from './ports.js';
import type { ConfigProblem } from './problem.js';

export interface MigrationInput {
  readonly path: string;
  readonly text: string;
}

export interface Migration {
  readonly text: string;
  /** What is left to the operator: problems of the printed text, by its own lines. */
  readonly remaining: LoadResult;
  /** How many lines were changed or dropped. */
  readonly changes: number;
}

/** Codes whose line does nothing or is refused: the line, with its block, is taken out. */
const droppable: ReadonlySet<string> = new Set([
  'no-effect',
  'not-supported',
  'repeated',
  'nopreempt-disarmed',
  'preempt-delay-disarmed',
  'overrun-and-reliable',
  'poll-and-events',
  'own-interface',
  'unused',
]);

/** A file cannot need more rounds than this; each one takes lines out or ends. */
const roundLimit = 50;

export function migrate(inputs: readonly MigrationInput[], ports: LoadPorts): Migration {
  const { files, hostName, configId } = ports;
  const textPorts: LoadPorts = {
    files,
    hostName,
    ...(configId === undefined ? {} : { configId }),
  };
  let lines = joined(inputs);
  let changes = 0;
  for (let round = 0; round < roundLimit; round++) {
    const result = loadLines(lines, textPorts);
    const edits = editsOf(result.problems, lines);
    if (edits.size === 0) break;
    changes += edits.size;
    lines = applyEdits(lines, edits);
  }
  const noted = withNotes(lines, loadLines(lines, textPorts).problems);
  return { text: noted.join('\n'), remaining: loadLines(noted, textPorts), changes };
}

function loadLines(lines: readonly string[], ports: LoadPorts): LoadResult {
  return loadNodeText(lines.join('\n'), outputName, ports);
}

/** Problems of included files have other names and are left to the operator. */
const outputName = 'migrated';

function joined(inputs: readonly MigrationInput[]): readonly string[] {
  const lines = inputs.flatMap(({ path, text }) => [
    `# ---- from ${path}`,
    ...text.replace(/\r/g, '').replaceAll('\u00a0', ' ').trimEnd().split('\n'),
    '',
  ]);
  return [
    '# Made by keepstate migrate. Lines marked "keepstate:" say what was changed, and why.',
    ...lines,
  ];
}

/** First line to what is to be done there. */
interface Edit {
  readonly lastLine: number;
  readonly why: string;
  /** Stands in place of the lines; absent: they are only commented out. */
  readonly instead?: string;
  /** The lines stay, and these follow the first one. */
  readonly added?: readonly string[];
}

function editsOf(
  problems: readonly ConfigProblem[],
  lines: readonly string[],
): ReadonlyMap<number, Edit> {
  const edits = new Map<number, Edit>();
  for (const problem of problems) {
    const first = problem.at.line - 1;
    const overlaps = [...edits].some(([start, edit]) => first >= start && first <= edit.lastLine);
    if (problem.at.file !== outputName || overlaps) continue;
    const edit = editOf(problem, lines, first);
    if (edit !== undefined) edits.set(first, edit);
  }
  return edits;
}

function editOf(problem: ConfigProblem, lines: readonly string[], first: number): Edit | undefined {
  const line = lines[first] ?? '';
  const instead = rewritten(problem, line);
  if (instead !== undefined) return { lastLine: first, why: problem.message, instead };
  const added = addedLines(problem, line);
  if (added !== undefined) return { lastLine: first, why: problem.message, added };
  if (!droppable.has(problem.code)) return undefined;
  const isAlone = line.slice(0, problem.at.column - 1).trim() === '';
  if (!isAlone) return undefined;
  const lastLine = endOfStatement(lines, first);
  return lastLine === undefined ? undefined : { lastLine, why: problem.message };
}

/** `Address Ignore {` gets the addresses that it lacks. */
function addedLines(problem: ConfigProblem, line: string): readonly string[] | undefined {
  if (problem.code !== 'own-address-not-ignored' || !/\{\s*([#!].*)?$/.test(line)) return undefined;
  const indent = `${/^\s*/.exec(line)?.[0] ?? ''}    `;
  const list = /does not list ([^(]*) \(/.exec(problem.message)?.[1] ?? '';
  return list.split(', ').map((address) => {
    const keyword = address.includes(':') ? 'IPv6_address' : 'IPv4_address';
    return `${indent}${keyword} ${address} # keepstate: added: an address of this node or its links`;
  });
}

/** Lines that are better said otherwise. */
function rewritten(problem: ConfigProblem, line: string): string | undefined {
  const indent = /^\s*/.exec(line)?.[0] ?? '';
  const comment = /\s+[#!].*$/.exec(line)?.[0] ?? '';
  switch (problem.code) {
    case 'unknown-state':
      return `${indent}state BACKUP${comment}`;
    case 'password-truncated':
      return /^(\s*auth_pass\s+)([^\s"#!]+)/
        .exec(line)
        ?.slice(1)
        .map((part, i) => (i === 0 ? part : part.slice(0, 8)))
        .join('')
        .concat(comment);
    case 'rounded':
      return line.replace(/(advert_int\s+)[\d.]+/, (_match, keyword: string) => {
        const value = /taken as ([\d.]+)/.exec(problem.message)?.[1] ?? '1';
        return keyword + value;
      });
    case 'unquoted-arguments':
      return problem.expected === undefined ? undefined : `${indent}${problem.expected}${comment}`;
    default:
      return undefined;
  }
}

/** The last line of the statement that begins in `first`, its block included; undefined: it is not closed. */
function endOfStatement(lines: readonly string[], first: number): number | undefined {
  let depth = 0;
  for (let i = first; i < lines.length; i++) {
    const bare = (lines[i] ?? '').replace(/"(\\.|[^"\\])*"/g, '').replace(/[#!].*$/, '');
    depth += (bare.match(/\{/g)?.length ?? 0) - (bare.match(/\}/g)?.length ?? 0);
    if (depth < 0) return undefined;
    const opensNext = depth === 0 && /^\s*\{/.test(lines[i + 1] ?? '') && i === first;
    if (depth === 0 && !opensNext) return i;
  }
  return undefined;
}

function applyEdits(lines: readonly string[], edits: ReadonlyMap<number, Edit>): readonly string[] {
  const result: string[] = [];
  for (let i = 0; i < lines.length; i++) {
    const edit = edits.get(i);
    const line = lines[i] ?? '';
    if (edit === undefined) {
      result.push(line);
      continue;
    }
    if (edit.added !== undefined) {
      result.push(line, ...edit.added);
      continue;
    }
    const indent = /^\s*/.exec(line)?.[0] ?? '';
    result.push(
      `${indent}# keepstate: ${edit.instead === undefined ? 'dropped' : 'changed'}: ${edit.why}`,
    );
    for (let j = i; j <= edit.lastLine; j++) result.push(commentedOut(lines[j] ?? ''));
    if (edit.instead !== undefined) result.push(edit.instead);
    i = edit.lastLine;
  }
  return result;
}

function commentedOut(line: string): string {
  return line.trim() === '' ? line : line.replace(/^\s*/, (indent) => `${indent}#   `);
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
    const indent = /^\s*/.exec(lines[place] ?? '')?.[0] ?? '';
    const wish = expected === undefined ? '' : ` (expected ${expected})`;
    const note = `${indent}# keepstate: ${severity}: ${message}${wish}`;
    notes.set(place, [...(notes.get(place) ?? []), note]);
  }
  return lines.flatMap((line, i) => [...(notes.get(i) ?? []), line]);
}
