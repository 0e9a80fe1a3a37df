import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { forbiddenImports, importRings, readImports } from './importTable.js';

const tree = join(__dirname, '..', '..', 'src');
const planted: string[] = [];

/** A source tree with these files in a fresh folder. */
function plant(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'keepstate-rooms-'));
  planted.push(root);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

const verdict = (files: Readonly<Record<string, string>>): string[] =>
  forbiddenImports(readImports(plant(files)));

afterAll(() => {
  for (const root of planted) rmSync(root, { recursive: true });
});

describe('the rooms of src/', () => {
  const imports = readImports(tree);

  test('are found at all', () => {
    expect(imports.length).toBeGreaterThan(20);
  });

  test('import only what the table allows', () => {
    expect(forbiddenImports(imports)).toEqual([]);
  });

  test('contain no ring of files that import each other', () => {
    expect(importRings(imports)).toEqual([]);
  });

  test('resolve: each relative import names a file', () => {
    const missing = imports.filter(({ to }) => to !== undefined && !existsSync(join(tree, to)));
    expect(missing).toEqual([]);
  });

  test('explain themselves in a README of at most 20 lines of text', () => {
    const rooms = readdirSync(tree, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const faults = rooms.flatMap(({ name }) => {
      const readme = join(tree, name, 'README.md');
      if (!existsSync(readme)) return [`${name} has none`];
      const lines = readFileSync(readme, 'utf8').trim().split('\n').length;
      return lines > 20 ? [`${name} has ${lines} lines`] : [];
    });
    expect(faults).toEqual([]);
  });
});

describe('a planted bad import is found', () => {
  test.each([
    ['vrrp/a.ts', `import { x } from '../sync/b.js';`, 'sync/b.ts'],
    ['vrrp/a.ts', `import type { X } from '../sync/b.js';`, 'sync/b.ts'],
    ['vrrp/a.ts', `import type { X } from '../net/udpChannel.js';`, 'net/udpChannel.ts'],
    ['sync/engine.ts', `import { X } from '../net/udpChannel.js';`, 'net/udpChannel.ts'],
    ['net/a.ts', `export { x } from '../conntrack/b.js';`, 'conntrack/b.ts'],
    ['base/a.ts', `import '../net/ports.js';`, 'net/ports.ts'],
    ['control/a.ts', `export type X = import('../config/b.js').Y;`, 'config/b.ts'],
    ['daemon/a.ts', `const x = await import('../cli/main.js');`, 'cli/main.ts'],
    ['cli/a.ts', `import { run } from '../daemon/main.js';`, 'daemon/main.ts'],
    ['conntrack/a.ts', `const x = require('../vrrp/b.js');`, 'vrrp/b.ts'],
    ['config/a.ts', `import { x } from '../vrrp/settings.js';`, 'vrrp/settings.ts'],
    ['config/a.ts', `import type { X } from '../vrrp/machine.js';`, 'vrrp/machine.ts'],
    ['vrrp/a.ts', `import raw from 'raw-socket';`, 'raw-socket'],
    ['net/a.ts', `import fs from 'fs';`, 'fs'],
    ['attic/a.ts', `import { x } from '../base/b.js';`, 'base/b.ts'],
    ['config/a.ts', `import { x } from '../net/ports.js';`, 'net/ports.ts'],
    ['daemon/a.ts', `import { x } from '../../test/b.js';`, '../test/b.ts'],
    ['net/a.ts', `import { x } from '../../test/b.js';`, '../test/b.ts'],
  ])('%s: %s', (from, text, target) => {
    expect(verdict({ [from]: text })).toEqual([`${from} must not import ${target}`]);
  });

  test('what the table allows passes', () => {
    expect(
      verdict({
        'vrrp/a.ts': `import type { NetworkWatch } from '../net/ports.js';\nimport { x } from './b.js';`,
        'sync/worker/worker.ts': `import { UdpChannel } from '../../net/udpChannel.js';`,
        'sync/a.ts': `import { x } from '../conntrack/flowTable.js';\nimport { y } from '../base/y.js';`,
        'config/a.ts': `import { type A, type B } from '../sync/settings.js';`,
        'daemon/a.ts': `import winston from 'winston';\nimport { x } from '../sync/worker.js';`,
        'cli/run.ts': `import { x } from '../control/x.js';\nconst d = await import('../daemon/d.js');`,
        'net/deep/a.ts': `import fs from 'node:fs';\nimport { x } from '../errno.js';`,
      }),
    ).toEqual([]);
  });

  test('a ring is found, a ring of types alone is none', () => {
    const ring = {
      'base/a.ts': `import { b } from './b.js';`,
      'base/b.ts': `import { c } from './c.js';`,
      'base/c.ts': `import { a } from './a.js';`,
    };
    expect(importRings(readImports(plant(ring)))).toEqual([
      'base/a.ts -> base/b.ts -> base/c.ts -> base/a.ts',
    ]);
    const types = { ...ring, 'base/c.ts': `import type { a } from './a.js';` };
    expect(importRings(readImports(plant(types)))).toEqual([]);
  });
});
