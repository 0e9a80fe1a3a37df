/**
 * Each room and sub-room explains itself, and each file of src has one place where its rule stands.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { repositoryRoot } from '../lab/runTypescript.js';
import { readReadme, type Readme } from './readmeTables.js';

const tree = join(repositoryRoot, 'src');
const mostProse = 10;

const sources = readdirSync(tree, { recursive: true, encoding: 'utf8' })
  .filter((path) => /\.(ts|cc|h)$/.test(path))
  .sort();
const folders = [...new Set(sources.map((path) => dirname(path)))];

/** Faults of these READMEs about these files; `exists` tells of a path in the repository. */
function faults(
  readmes: readonly (Readme | string)[],
  files: readonly string[],
  exists: (path: string) => boolean,
): string[] {
  const found: string[] = [];
  const named = new Map<string, number>();
  for (const readme of readmes) {
    if (typeof readme === 'string') {
      found.push(`${readme} has no README.md`);
      continue;
    }
    const { folder, proseLines, hasTable, tests } = readme;
    if (!hasTable) found.push(`${folder}/README.md has no table | Rule | File | Test |`);
    if (proseLines > mostProse) {
      found.push(`${folder}/README.md has ${proseLines} lines before its table`);
    }
    for (const path of tests) if (!exists(path)) found.push(`${folder}: no ${path}`);
    for (const path of readme.files) named.set(path, (named.get(path) ?? 0) + 1);
  }
  for (const path of files) {
    const count = named.get(path) ?? 0;
    if (count !== 1) found.push(`${path} stands in ${count} rows`);
  }
  for (const path of named.keys()) if (!files.includes(path)) found.push(`no file ${path}`);
  return found;
}

const read = (folder: string): Readme | string => readReadme(tree, folder) ?? folder;

test('each room and sub-room has a README: little prose, and each of its files in one row', () => {
  const exists = (path: string): boolean => existsSync(join(repositoryRoot, path));
  expect(sources.length).toBeGreaterThan(100);
  expect(faults(folders.map(read), sources, exists)).toEqual([]);
});

test('a file that no row names, one that two name, a test that is none: each is found', () => {
  const root = mkdtempSync(join(tmpdir(), 'keepstate-readme-'));
  try {
    mkdirSync(join(root, 'a'));
    const rows = ['| one | `b.ts`, `c.ts` | test/a/gone.test.ts |', '| two | `c.ts` | |'];
    const prose = Array.from({ length: 11 }, (_, i) => `line ${i}`);
    const text = ['# a', ...prose, '', '| Rule | File | Test |', '|---|---|---|', ...rows];
    writeFileSync(join(root, 'a', 'README.md'), text.join('\n'));
    const readmes = [readReadme(root, 'a') ?? 'a', readReadme(root, 'b') ?? 'b'];
    expect(faults(readmes, ['a/c.ts', 'a/d.ts'], () => false)).toEqual([
      'a/README.md has 11 lines before its table',
      'a: no test/a/gone.test.ts',
      'b has no README.md',
      'a/c.ts stands in 2 rows',
      'a/d.ts stands in 0 rows',
      'no file a/b.ts',
    ]);
  } finally {
    rmSync(root, { recursive: true });
  }
});
