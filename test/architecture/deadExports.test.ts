import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { deadExports } from './deadExports.js';

const tree = join(__dirname, '..', '..', 'src');

/** Each with the reason for which it stays. */
const exceptions: Readonly<Record<string, string>> = {
  'agreement/agreementState.ts: initialAgreement': 'its beginning',
  'agreement/explain.ts: explain': 'not wired yet: docs/decisions/agreement.md',
  'agreement/wire/beatContent.ts: encodeBeatContent': 'what its beats carry',
  'agreement/wire/beatContent.ts: decodeBeatContent': 'the other direction',
  'agreement/wire/beatDatagram.ts: encodeBeat': 'for a node where main sends the beats',
  'agreement/wire/beatDatagram.ts: decodeBeat': 'the other direction',
  'cli/conntrack/reference.ts: conntrackReference':
    'scripts/generateConntrackReference.ts writes it',
  'config/reference.ts: configurationReference':
    'scripts/generateConfigurationReference.ts writes it',
  'daemon/problemTable/page.ts: problemsPage': 'scripts/generateProblemsPage.ts writes it',
  'http/monitoringPage.ts: monitoringPage': 'scripts/generateMonitoringPage.ts writes it',
  'vrrp/machine/recording.ts: replay': 'scripts/replay.ts calls it',
  'base/machineRecord.ts: MachineReplay': 'scripts/replay.ts calls it',
  'net/socket/networkNamespace.ts: withNetworkNamespace':
    'the way of tests and benches into a namespace',
  'net/vrrp/frames.ts: decodeGratuitousArp': 'the other direction of the encoder, for the captures',
  'net/vrrp/frames.ts: decodeNeighbourAdvertisement': 'as that of the ARP frame',
};

test('each export of src is used by a file of src', () => {
  expect(deadExports(tree).filter((name) => !(name in exceptions))).toEqual([]);
});

test('no exception outlives its export', () => {
  const dead = deadExports(tree);
  expect(Object.keys(exceptions).filter((name) => !dead.includes(name))).toEqual([]);
});

describe('in a planted tree', () => {
  let root = '';

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'keepstate-exports-'));
  });

  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  function plant(files: Readonly<Record<string, string>>): string[] {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    return deadExports(root);
  }

  test('functions, classes, constants and types that nobody uses are found', () => {
    const text = [
      'export function one(): void {}',
      'export class Two {}',
      'export const three = 3, four = 4;',
      'export const { five } = other;',
      'export interface Six {}',
      'export type Seven = 7;',
    ].join('\n');
    expect(plant({ 'a/b.ts': text })).toEqual(
      ['Seven', 'Six', 'Two', 'five', 'four', 'one', 'three'].map((name) => `a/b.ts: ${name}`),
    );
  });

  test('an import of the same name from another file is no use', () => {
    expect(
      plant({
        'a.ts': 'export const x = 1;',
        'b.ts': 'export const x = 2;',
        'c.ts': `import { x } from './b.js';\nx;`,
      }),
    ).toEqual(['a.ts: x']);
  });

  test('imports of every kind, and the own file, are uses', () => {
    expect(
      plant({
        'a.ts':
          'export const x = 1;\nexport const y = 2;\nexport type Z = 3;\nexport const own = 4;\nown;',
        'deep/b.ts': `import { x as other, type Z } from '../a.js';\nimport * as all from './c.js';`,
        'deep/c.ts': 'export const w = 1;',
        'd.ts': `export const v = 1;`,
        'e.ts': `const { v } = await import('./d.js');`,
        'f.ts': `export type { y } from './a.js';`,
      }),
    ).toEqual([]);
  });
});
