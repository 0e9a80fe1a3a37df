/**
 * `keepstate-VERSION.tgz` for `npm install -g`: the prebuilt addon and all run-time packages inside,
 * and the addon's source for machines that the prebuilt one does not fit.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { putApplication, type Application } from './application.js';
import { run } from './run.js';
import type { StagedTree } from './stagedTree.js';

/** Gives the path of the tarball. */
export function buildTarball(
  tree: StagedTree,
  app: Application,
  { epochSeconds, output }: { readonly epochSeconds: number; readonly output: string },
): string {
  putApplication(tree, '/package', app);
  const { checkout } = app;
  tree.copy(join(checkout, 'binding.gyp'), '/package/binding.gyp');
  tree.copy(join(checkout, 'README.md'), '/package/README.md');
  tree.copyTree(join(checkout, 'src/net/native'), '/package/src/net/native', (name) =>
    /\.(cc|h)$/.test(name),
  );
  tree.copyTree(join(checkout, 'config'), '/package/config', () => true);
  tree.copy(join(checkout, 'scripts/package/installAddon.cjs'), '/package/installAddon.cjs');
  tree.put('/package/package.json', withBundle(tree.read('/package/package.json')));
  tree.settle(epochSeconds);
  const archive = join(output, `keepstate-${app.version}.tar`);
  run('tar', [
    ...['--create', '--file', archive, '--directory', tree.root, '--format=ustar'],
    ...['--sort=name', `--mtime=@${epochSeconds}`, '--owner=0', '--group=0', '--numeric-owner'],
    'package',
  ]);
  const path = archive.replace(/\.tar$/, '.tgz');
  rmSync(path, { force: true });
  run('gzip', ['--no-name', '--best', '--suffix', '.tgz.new', archive]);
  run('mv', [`${archive}.tgz.new`, path]);
  return path;
}

/**
 * Run-time packages stand inside, so that npm fetches nothing; the install script checks the addon.
 */
function withBundle(text: string): string {
  const fields = JSON.parse(text) as { readonly dependencies: Readonly<Record<string, string>> };
  const whole = {
    ...fields,
    bundleDependencies: Object.keys(fields.dependencies),
    // npm would build whatever has a binding.gyp.
    gypfile: false,
    scripts: { install: 'node installAddon.cjs' },
  };
  return `${JSON.stringify(whole, undefined, 2)}\n`;
}
