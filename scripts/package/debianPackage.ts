/**
 * A staged tree becomes a `.deb`: control files, sums, and dpkg-deb with one time for everything.
 */
import { createHash } from 'node:crypto';
import { readFileSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './run.js';
import type { StagedTree } from './stagedTree.js';

export interface DebianPackage {
  /** Fields of the control file in their order; Installed-Size is added. */
  readonly fields: Readonly<Record<string, string>>;
  readonly conffiles: readonly string[];
  /** Maintainer scripts by name: preinst, postinst, prerm, postrm. */
  readonly scripts: Readonly<Record<string, string>>;
}

export interface BuildOptions {
  readonly epochSeconds: number;
  /** gzip is faster (at its lowest level), xz smaller. */
  readonly compression: 'gzip' | 'xz';
  readonly output: string;
}

/** Gives the path of the package. */
export function buildDebian(tree: StagedTree, what: DebianPackage, options: BuildOptions): string {
  const { Package: name, Version: version, Architecture: architecture } = what.fields;
  const installed = tree.files();
  const kilobytes = installed.map((path) =>
    Math.ceil(lstatSync(join(tree.root, path)).size / 1024),
  );
  const size = kilobytes.reduce((sum, each) => sum + each, 0);
  const fields = Object.entries({ ...what.fields, 'Installed-Size': String(size) });
  tree.put('DEBIAN/control', fields.map(([field, value]) => `${field}: ${value}\n`).join(''));
  tree.put('DEBIAN/md5sums', sums(tree, installed));
  if (what.conffiles.length > 0) {
    tree.put('DEBIAN/conffiles', what.conffiles.map((path) => `${path}\n`).join(''));
  }
  for (const [script, text] of Object.entries(what.scripts)) {
    tree.put(`DEBIAN/${script}`, text, 0o755);
  }
  tree.settle(options.epochSeconds);
  const path = join(options.output, `${name}_${version}_${architecture}.deb`);
  run(
    'dpkg-deb',
    [
      ...['--build', '--root-owner-group', '--threads-max=1', '--uniform-compression'],
      ...[`-Z${options.compression}`, ...(options.compression === 'gzip' ? ['-z1'] : [])],
      ...[tree.root, path],
    ],
    { SOURCE_DATE_EPOCH: String(options.epochSeconds) },
  );
  return path;
}

/** As md5sum(1) prints them, for `dpkg --verify`; links have none. */
function sums(tree: StagedTree, paths: readonly string[]): string {
  const regular = paths.filter((path) => lstatSync(join(tree.root, path)).isFile());
  return regular
    .map((path) => {
      const sum = createHash('md5')
        .update(readFileSync(join(tree.root, path)))
        .digest('hex');
      return `${sum}  ${path}\n`;
    })
    .join('');
}
