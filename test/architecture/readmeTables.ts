/**
 * What the READMEs below src/ say of their folders: prose, then a table *rule, file, test*, then
 * perhaps a list.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, normalize } from 'node:path';

export interface Readme {
  /** Relative to src: `sync/role`. */
  readonly folder: string;
  /** Lines with text between the heading and the table. */
  readonly proseLines: number;
  /**
   * Files that a row of the table or an item of a list names, relative to src; twice where named
   * twice.
   */
  readonly files: readonly string[];
  /** Files that a row gives as its tests, relative to the repository. */
  readonly tests: readonly string[];
  readonly hasTable: boolean;
}

const header = /^\| *Rule *\| *File *\| *Test *\|$/;
const sourceName = /`([\w/.-]+\.(?:ts|cc|h))`/g;
const testPath = /\b(?:test|bench)\/[\w/.-]+\.ts\b/g;

/** undefined where the folder has none. */
export function readReadme(tree: string, folder: string): Readme | undefined {
  const path = join(tree, folder, 'README.md');
  if (!existsSync(path)) return undefined;
  const lines = readFileSync(path, 'utf8').trim().split('\n');
  const tableAt = lines.findIndex((line) => header.test(line));
  const prose = lines.slice(1, tableAt < 0 ? undefined : tableAt);
  const rows = tableAt < 0 ? [] : lines.slice(tableAt + 2).filter((line) => line.startsWith('|'));
  const items = lines.filter((line) => line.startsWith('- '));
  const named = [...rows.map((row) => cells(row)[1] ?? ''), ...items];
  return {
    folder,
    proseLines: prose.filter((line) => line.trim() !== '').length,
    files: named.flatMap((text) =>
      [...text.matchAll(sourceName)].map(([, name]) => normalize(join(folder, name ?? ''))),
    ),
    tests: rows.flatMap((row) => [...(cells(row)[2] ?? '').matchAll(testPath)].map(([p]) => p)),
    hasTable: tableAt >= 0,
  };
}

function cells(row: string): string[] {
  return row.split('|').slice(1, -1);
}
