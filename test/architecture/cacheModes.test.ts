/**
 * Whether a cache is switched off is asked once for each of the two; everybody else has the parts
 * that were made for it.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../lab/runTypescript.js';
import { sourceFiles } from './sourceImports.js';

const tree = join(repositoryRoot, 'src');

/**
 * Files that name a setting without asking it: its type, and the comparison of two sets of
 * settings.
 */
const declared = ['sync/settings.ts', 'sync/engine/restartingSettings.ts'];

function filesWith(word: RegExp, rooms: RegExp): string[] {
  return sourceFiles(tree)
    .filter((path) => rooms.test(path) && !declared.includes(path))
    .filter((path) => word.test(readFileSync(join(tree, path), 'utf8')));
}

test.each([
  [/\bdisableInternalCache\b/, 'sync/local/internalMode.ts'],
  [/\bdisableExternalCache\b/, 'sync/remote/externalMode.ts'],
])('%s is asked in %s alone', (word, path) => {
  expect(filesWith(word, /^(sync|conntrack)\//)).toEqual([path]);
});

test('the parts of one mode are named by the file that chooses them', () => {
  const made = /\bnew (Bypassed|Cached)(Internal|Feed|Check)\(|\bnew DirectInjection\(/;
  expect(filesWith(made, /^sync\//)).toEqual([
    'sync/local/internalMode.ts',
    'sync/remote/externalMode.ts',
  ]);
});
