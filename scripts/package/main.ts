/**
 * `npm run package`: makes the Debian packages and the npm tarball of this checkout in
 * dist-packages/. Equal sources give equal bytes: SOURCE_DATE_EPOCH, or the last commit, is the time
 * of every file.
 *
 *   npm run package -- [--compression gzip] [--version 0.2.1] [--output FOLDER] [--only deb|nodejs|tgz]
 *                      [--architecture arm64] [--node PROGRAM, for a test]
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { compileOwnAddon, compileRawSocket } from './addons.js';
import { bundledPackages, type Application } from './application.js';
import { buildDebian } from './debianPackage.js';
import { flavour } from './flavours.js';
import { givenNode, nodeRelease, type NodeRelease } from './nodeRelease.js';
import { buildTarball } from './npmTarball.js';
import { run } from './run.js';
import { StagedTree } from './stagedTree.js';

const checkout = resolve(dirname(process.argv[1] ?? ''), '../..');

const { values } = parseArgs({
  options: {
    compression: { type: 'string', default: 'xz' },
    version: { type: 'string' },
    output: { type: 'string', default: join(checkout, 'dist-packages') },
    architecture: { type: 'string', default: process.arch },
    node: { type: 'string' },
    only: { type: 'string', multiple: true, default: ['deb', 'nodejs', 'tgz'] },
  },
});
const epochSeconds = Number(
  process.env['SOURCE_DATE_EPOCH'] ?? run('git', ['-C', checkout, 'log', '-1', '--format=%ct']),
);
const output = resolve(values.output);
const compression = values.compression === 'gzip' ? 'gzip' : 'xz';

/** In a folder that is gone afterwards. */
function staged(make: (tree: StagedTree) => string): void {
  const folder = mkdtempSync(join(tmpdir(), 'keepstate-package-'));
  try {
    const path = make(new StagedTree(join(folder, 'root')));
    process.stdout.write(`${path} ${(statSync(path).size / 1e6).toFixed(1)} MB\n`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function application(folder: string): Application {
  const addon = join(folder, 'keepstate_native.node');
  if (values.architecture === process.arch) {
    const built = join(checkout, 'build/Release/keepstate_native.node');
    if (!existsSync(built)) throw new Error('the addon is not built: npm run build');
    run('strip', ['--strip-unneeded', '-o', addon, built]);
  } else compileOwnAddon(checkout, values.architecture, addon);
  const own = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')) as {
    version: string;
  };
  return {
    checkout,
    version: values.version ?? own.version,
    packages: bundledPackages(checkout),
    architecture: values.architecture,
    addon,
  };
}

function nodeFor(architecture: string): NodeRelease {
  if (values.node !== undefined) return givenNode(values.node);
  if (architecture !== 'x64' && architecture !== 'arm64') {
    throw new Error(`there is no pinned Node.js for ${architecture}: --only nodejs`);
  }
  const cache = join(checkout, 'dist-packages', '.cache');
  mkdirSync(cache, { recursive: true });
  return nodeRelease(architecture, cache);
}

/** Of the headers that the Node.js inside has brought along, where raw-socket is installed. */
function withRawSocket(
  app: Application,
  { prefix }: NodeRelease,
  folder: string,
): Pick<Application, 'rawSocket'> {
  const isThere = app.packages.some(({ name }) => name === 'raw-socket');
  if (prefix === undefined || !isThere) return {};
  const rawSocket = join(folder, 'raw.node');
  compileRawSocket(checkout, app.architecture, prefix, rawSocket);
  return { rawSocket };
}

function main(): void {
  mkdirSync(output, { recursive: true });
  const work = mkdtempSync(join(tmpdir(), 'keepstate-addon-'));
  try {
    const app = application(work);
    const options = { epochSeconds, compression, output } as const;
    if (values.only.includes('deb')) {
      const node = nodeFor(app.architecture);
      const whole = { ...app, ...withRawSocket(app, node, work) };
      staged((tree) => buildDebian(tree, flavour(tree, whole, node, epochSeconds), options));
    }
    if (values.only.includes('nodejs')) {
      staged((tree) => buildDebian(tree, flavour(tree, app, undefined, epochSeconds), options));
    }
    if (values.only.includes('tgz')) staged((tree) => buildTarball(tree, app, options));
  } finally {
    rmSync(work, { recursive: true });
  }
}

main();
