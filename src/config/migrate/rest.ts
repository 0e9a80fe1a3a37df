/**
 * What stays with the other daemon: keepalived's load balancing, conntrackd's helpers. One set of
 * lines is divided: what keepstate takes over, and a file for the daemon that goes on beside it.
 */
import type { LoadPorts } from '../loadPorts.js';
import { applyEdits, indentOf, type Edit } from './edits.js';
import { gather, type MigrationInput } from './gather.js';
import { Layout, type Root } from './layout.js';

export type RestOwner = 'keepalived' | 'conntrackd';

/** Root keywords of the work that stays, and of what both daemons read. */
const kept = {
  keepalived: {
    work: ['virtual_server', 'virtual_server_group', 'SSL'],
    shared: ['global_defs', 'net_namespace', 'net_namespace_ipvs', 'instance', 'use_pid_dir'],
  },
  conntrackd: { work: ['Helper'], shared: ['General'] },
} as const;

const isWork = (owner: RestOwner, keyword: string): boolean =>
  (kept[owner].work as readonly string[]).includes(keyword);

const isShared = (owner: RestOwner, keyword: string): boolean =>
  (kept[owner].shared as readonly string[]).includes(keyword);

/** The lines for keepstate: what stays is commented out, with the file in which it stands. */
export function withoutRest(
  lines: readonly string[],
  owner: RestOwner,
  file: string,
  ports: LoadPorts,
): readonly string[] {
  const edits = rootsOf(lines, ports)
    .filter(({ keyword }) => isWork(owner, keyword))
    .map(({ span: { firstLine: first, lastLine: last } }): Edit => {
      const indent = indentOf(lines[first] ?? '');
      const old = lines.slice(first, last + 1).map((line) => `#   ${line}`.trimEnd());
      return {
        ...{ first, last },
        lines: [`${indent}# keepstate: stays with ${owner}: ${file}`, ...old],
      };
    });
  return applyEdits(lines, edits);
}

/** The file for the daemon that goes on; undefined where nothing stays with it. */
export function restOf(
  input: MigrationInput,
  owner: RestOwner,
  ports: LoadPorts,
): string | undefined {
  const lines = gather([input], ports);
  const roots = rootsOf(lines, ports);
  if (!roots.some(({ keyword }) => isWork(owner, keyword))) return undefined;
  const gone = roots
    .filter(({ keyword }) => !isWork(owner, keyword) && !isShared(owner, keyword))
    .map(({ span }): Edit => ({
      first: aboveOf(lines, span.firstLine),
      last: span.lastLine,
      lines: [],
    }));
  const own = owner === 'conntrackd' ? ownPaths(lines, roots) : [];
  const text = applyEdits(lines, [...gone, ...own]).join('\n');
  return `${headOf(owner)}${text.replace(/\n{3,}/g, '\n\n').trimEnd()}\n`;
}

function headOf(owner: RestOwner): string {
  const what = owner === 'keepalived' ? 'load balancing' : 'helpers';
  return `# Made by keepstate migrate: the ${what} that ${owner} goes on doing beside keepstate.\n`;
}

function rootsOf(lines: readonly string[], ports: LoadPorts): readonly Root[] {
  return new Layout(lines, 'rest', ports).roots().filter(({ span }) => span.ownsLines);
}

/** The comment that stands directly above goes with its statement; marks of files stay. */
function aboveOf(lines: readonly string[], first: number): number {
  let from = first;
  while (/^\s*[#!](?! ----)/.test(lines[from - 1] ?? '')) from--;
  return from;
}

/** keepstate has LockFile and UNIX Path of the configuration; the one beside it needs others. */
function ownPaths(lines: readonly string[], roots: readonly Root[]): readonly Edit[] {
  const general = roots.find(({ keyword }) => keyword === 'General');
  const own = ['    LockFile /var/lock/conntrackd-helper.lock'];
  const unix = ['    UNIX {', '        Path /var/run/conntrackd-helper.ctl', '    }'];
  if (general === undefined) {
    return [
      { first: lines.length, last: lines.length - 1, lines: ['General {', ...own, ...unix, '}'] },
    ];
  }
  const { firstLine, lastLine } = general.span;
  const edits: Edit[] = [];
  let added: readonly string[] = [...own, ...unix];
  for (let i = firstLine + 1; i < lastLine; i++) {
    const line = lines[i] ?? '';
    if (/^\s*LockFile\s/.test(line)) {
      edits.push({ first: i, last: i, lines: own });
      added = added.filter((one) => !own.includes(one));
    }
    if (/^\s*UNIX\s*\{/.test(line)) {
      const end = lines.findIndex((one, j) => j >= i && one.includes('}'));
      edits.push({ first: i, last: end, lines: unix });
      added = added.filter((one) => !unix.includes(one));
    }
  }
  return [...edits, { first: lastLine, last: lastLine - 1, lines: added }];
}
