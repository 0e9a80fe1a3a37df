import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { importRings } from './importRings.js';
import { forbiddenImports, subRooms, tableRings } from './importTable.js';
import { readImports, sourceFiles } from './sourceImports.js';

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

  test('contain no ring of files that import each other, types included', () => {
    expect(importRings(imports)).toEqual([]);
  });

  test('all stand in the table, and the table has no others', () => {
    const folders = new Set(sourceFiles(tree).map((path) => dirname(path)));
    expect([...folders].sort()).toEqual([...subRooms].sort());
  });

  test('stand in layers: the table lets no sub-room reach itself', () => {
    expect(tableRings()).toEqual([]);
  });

  test('resolve: each relative import names a file', () => {
    const missing = imports.filter(({ to }) => to !== undefined && !existsSync(join(tree, to)));
    expect(missing).toEqual([]);
  });
});

describe('a planted bad import is found', () => {
  test.each([
    ['vrrp/a.ts', `import { x } from '../sync/b.js';`, 'sync/b.ts'],
    ['vrrp/a.ts', `import type { X } from '../sync/b.js';`, 'sync/b.ts'],
    ['vrrp/a.ts', `import type { X } from '../net/channel/b.js';`, 'net/channel/b.ts'],
    ['sync/engine/a.ts', `import { X } from '../../net/channel/b.js';`, 'net/channel/b.ts'],
    ['sync/engine/a.ts', `import { X } from '../role/b.js';`, 'sync/role/b.ts'],
    ['sync/engine/a.ts', `import type { X } from '../role/b.js';`, 'sync/role/b.ts'],
    ['sync/wire/a.ts', `import type { X } from '../tables/b.js';`, 'sync/tables/b.ts'],
    ['sync/stream/modes/a.ts', `import { X } from '../b.js';`, 'sync/stream/b.ts'],
    ['sync/attic/a.ts', `import { X } from '../wire/b.js';`, 'sync/wire/b.ts'],
    ['vrrp/machine/a.ts', `import type { X } from '../router.js';`, 'vrrp/router.ts'],
    ['net/socket/a.ts', `import { x } from '../channel/b.js';`, 'net/channel/b.ts'],
    ['daemon/log/a.ts', `import { x } from '../node.js';`, 'daemon/node.ts'],
    ['net/a.ts', `export { x } from '../conntrack/b.js';`, 'conntrack/b.ts'],
    ['base/a.ts', `import '../net/ports.js';`, 'net/ports.ts'],
    ['control/a.ts', `export type X = import('../config/b.js').Y;`, 'config/b.ts'],
    ['daemon/a.ts', `const x = await import('../cli/main.js');`, 'cli/main.ts'],
    ['cli/a.ts', `import { run } from '../daemon/runDaemon.js';`, 'daemon/runDaemon.ts'],
    ['cli/a.ts', `const x = await import('../daemon/node.js');`, 'daemon/node.ts'],
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
        'sync/worker/worker.ts': `import { UdpChannel } from '../../net/channel/udpChannel.js';`,
        'sync/role/a.ts': `import { x } from '../engine/engine.js';\nimport { y } from '../../base/y.js';`,
        'sync/tables/a.ts': `import { x } from '../../conntrack/record/flowTable.js';`,
        'config/a.ts': `import { type A, type B } from '../sync/settings.js';`,
        'daemon/a.ts': `import winston from 'winston';\nimport { x } from '../sync/worker/worker.js';`,
        'cli/a.ts': `import { x } from '../control/x.js';\nconst d = await import('../daemon/runDaemon.js');`,
        'net/channel/a.ts': `import fs from 'node:fs';\nimport { x } from '../socket/outcome.js';`,
      }),
    ).toEqual([]);
  });

  test('a ring is found, one of types alone too', () => {
    const ring = {
      'base/a.ts': `import { b } from './b.js';`,
      'base/b.ts': `import { c } from './c.js';`,
      'base/c.ts': `import type { a } from './a.js';\nimport { d } from './d.js';`,
      'base/d.ts': `export const d = 1;`,
    };
    const imports = readImports(plant(ring));
    expect(importRings(imports)).toEqual(['base/a.ts -> base/b.ts -> base/c.ts -> base/a.ts']);
  });

  test('two rings are two lines, of a knot the shortest way around', () => {
    const imports = readImports(
      plant({
        'base/a.ts': `import './b.js';`,
        'base/b.ts': `import './a.js';\nimport './c.js';`,
        'base/c.ts': `import './a.js';`,
        'base/x.ts': `import './y.js';`,
        'base/y.ts': `import './x.js';`,
      }),
    );
    expect(importRings(imports)).toEqual([
      'base/a.ts -> base/b.ts -> base/a.ts',
      'base/x.ts -> base/y.ts -> base/x.ts',
    ]);
  });
});
