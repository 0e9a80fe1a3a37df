/**
 * The program itself: the bundles, the packages with native parts and the addon, as they stand in a
 * package.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { toolFor } from './addons.js';
import { run } from './run.js';
import type { StagedTree } from './stagedTree.js';

export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  /** Relative to the root of the checkout: `node_modules/commander`. */
  readonly folder: string;
}

/** The packages that run with it, from the lock file: nothing of development, no type packages. */
export function bundledPackages(checkout: string): readonly BundledPackage[] {
  const listed = run('npm', ['ls', '--omit=dev', '--all', '--parseable', '--prefix', checkout]);
  const folders = new Set(listed.split('\n').filter((path) => path.includes('node_modules')));
  return [...folders]
    .filter((path) => !path.includes(`${sep}@types${sep}`) && existsSync(path))
    .map((path) => {
      const { name, version, license } = JSON.parse(
        readFileSync(join(path, 'package.json'), 'utf8'),
      ) as { name: string; version: string; license?: string };
      return { name, version, licence: license ?? 'unknown', folder: relative(checkout, path) };
    })
    .sort((a, b) => (a.folder < b.folder ? -1 : 1));
}

export interface Application {
  readonly checkout: string;
  readonly version: string;
  readonly packages: readonly BundledPackage[];
  /** As Node.js names it: x64, arm64. */
  readonly architecture: string;
  /** The built addon of that architecture. */
  readonly addon: string;
  /** raw-socket's addon for the Node.js inside the package; without it that package stays out. */
  readonly rawSocket?: string;
}

/** Puts it below `folder`. The addon stands where `src/net/native/load.ts` looks for it. */
export function putApplication(tree: StagedTree, folder: string, app: Application): void {
  const { checkout } = app;
  tree.put(join(folder, 'package.json'), packageJson(app));
  tree.copy(join(checkout, 'bin/keepstate'), join(folder, 'bin/keepstate'), 0o755);
  tree.copy(join(checkout, 'LICENSE'), join(folder, 'LICENSE'));
  const bundles = join(checkout, 'dist/bundle');
  if (!existsSync(bundles)) throw new Error('the bundles are not there: npm run build:ts');
  tree.copyTree(bundles, join(folder, 'dist/bundle'), (name) => name.endsWith('.js'));
  putPackages(tree, folder, app);
  tree.copy(
    app.addon,
    join(folder, 'prebuilds', `linux-${app.architecture}`, 'keepstate_native.node'),
  );
}

/** What stays outside the bundles: `netlink` and `raw-socket` look for their addons. */
const outside: readonly string[] = ['netlink', 'node-gyp-build', 'raw-socket', 'nan'];

function putPackages(tree: StagedTree, folder: string, app: Application): void {
  for (const each of packagesOf(app).filter(({ name }) => outside.includes(name))) {
    const from = join(app.checkout, each.folder);
    tree.copyTree(from, join(folder, each.folder), (name) => isRuntimeFile(name, app.architecture));
  }
  const strip = toolFor('strip', app.architecture);
  for (const name of tree.files().filter((path) => /node_modules\/.*\.node$/.test(path))) {
    run(strip, ['--strip-unneeded', join(tree.root, name)]);
  }
  if (app.rawSocket !== undefined) {
    const place = 'node_modules/raw-socket/build/Release/raw.node';
    tree.copy(app.rawSocket, join(folder, place));
  }
}

/** raw-socket's addon fits one version of Node.js: without it the batched socket serves. */
export function packagesOf({ packages, rawSocket }: Application): readonly BundledPackage[] {
  if (rawSocket !== undefined) return packages;
  return packages.filter(({ name }) => name !== 'raw-socket' && name !== 'nan');
}

/** What is loaded at run time, and the licence. Packages inside a package are listed themselves. */
export function isRuntimeFile(name: string, architecture: string): boolean {
  const words = name.split(sep);
  if (words.includes('node_modules') || words[0] === 'build') return false;
  if (words[0] === 'prebuilds') return words[1] === `linux-${architecture}`;
  if (words.some((word) => /^(tests?|docs?|examples?|\.github|benchmarks?)$/.test(word))) {
    return false;
  }
  if (/^(LICEN[CS]E|COPYING|NOTICE)/i.test(words.at(-1) ?? '')) return true;
  return /\.(c?js|json|node)$/.test(name);
}

function packageJson({ checkout, version }: Application): string {
  const whole = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')) as Record<
    string,
    unknown
  >;
  const kept = ['name', 'description', 'license', 'engines', 'os', 'bin'];
  const fields = Object.fromEntries(kept.map((name) => [name, whole[name]]));
  const dependencies = Object.fromEntries(
    Object.entries(whole['dependencies'] as object).filter(([name]) => outside.includes(name)),
  );
  return `${JSON.stringify({ ...fields, dependencies, version }, undefined, 2)}\n`;
}
