/** What stands in the files of src, and how they are called. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../lab/runTypescript.js';
import { ambiguousNames } from './fileNames.js';
import { readImports, sourceFiles, type Import } from './sourceImports.js';
import { hasDoubleAssertion, publicSwitches } from './sourceText.js';

const tree = join(repositoryRoot, 'src');
const files = sourceFiles(tree);
const textOf = (path: string): string => readFileSync(join(repositoryRoot, path), 'utf8');

describe('a name leads to one file', () => {
  test('in each room, and over all rooms where others import it', () => {
    expect(ambiguousNames(files, readImports(tree))).toEqual([]);
  });

  test('planted: twice in a room, twice where one is imported; private and conventional pass', () => {
    const imported = (from: string, to: string): Import => ({
      ...{ from, to, specifier: '', isTypeOnly: true, isDynamic: false },
    });
    const paths = ['a/x/one.ts', 'a/y/one.ts', 'a/two.ts', 'b/two.ts', 'a/three.ts', 'b/three.ts'];
    const imports = [imported('c/d.ts', 'b/two.ts'), imported('b/d.ts', 'b/three.ts')];
    expect(ambiguousNames([...paths, 'a/settings.ts', 'b/settings.ts'], imports)).toEqual([
      'one.ts: a/x/one.ts, a/y/one.ts',
      'two.ts: a/two.ts, b/two.ts',
    ]);
  });
});

describe('nothing is asserted to be what the compiler knows it is not', () => {
  test('in src and in the tests of sync', () => {
    const tests = sourceFiles(join(repositoryRoot, 'test', 'sync')).map(
      (path) => `test/sync/${path}`,
    );
    const all = [...files.map((path) => `src/${path}`), ...tests];
    const found = all.filter((path) => hasDoubleAssertion(textOf(path)));
    expect(found).toEqual([]);
  });

  test('planted: found over brackets too; one assertion, and a comment, are none', () => {
    expect(hasDoubleAssertion('const x = y as unknown as Z;')).toBe(true);
    expect(hasDoubleAssertion('f((y as unknown) as Z);')).toBe(true);
    expect(hasDoubleAssertion('// y as unknown as Z\nconst x = y as Z;')).toBe(false);
  });
});

describe('nobody switches a cache from outside', () => {
  test('no class of a cache has a member that others can assign', () => {
    const caches = files.filter((path) => /^sync\/(local|remote)\//.test(path));
    const found = caches.flatMap((path) => publicSwitches(textOf(`src/${path}`)));
    expect(caches.length).toBeGreaterThan(5);
    expect(found).toEqual([]);
  });

  test('planted: a plain property and a setter are found; readonly and private ones pass', () => {
    const text = `class ACache { on = false; listener?: () => void; set way(x: number) {} readonly a = 1; #b = 2; get c() { return 1; } }
      class Other { on = false; }`;
    expect(publicSwitches(text)).toEqual(['ACache.on', 'ACache.listener', 'ACache.way']);
  });
});
