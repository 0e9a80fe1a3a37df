/** Packages of this build for tests: gzip, since xz takes its time and holds the same files. */
import { join } from 'node:path';
import { run } from '../lab/command.js';

export interface PackageMake {
  readonly version: string;
  readonly only: readonly ('deb' | 'nodejs' | 'tgz')[];
  /**
   * The Node.js inside: `pinned` is fetched where it is not there yet, `own` is the one that runs
   * this.
   */
  readonly node?: 'pinned' | 'own';
  readonly compression?: 'gzip' | 'xz';
  readonly architecture?: 'arm64';
}

export async function makePackages(output: string, make: PackageMake): Promise<void> {
  const { version, only, node = 'own', compression = 'gzip', architecture } = make;
  await run(
    [
      process.execPath,
      ...['-r', './scripts/typescript.cjs', 'scripts/package/main.ts'],
      ...['--compression', compression, '--version', version, '--output', output],
      ...only.flatMap((kind) => ['--only', kind]),
      ...(node === 'own' ? ['--node', process.execPath] : []),
      ...(architecture === undefined ? [] : ['--architecture', architecture]),
    ],
    { timeoutMilliseconds: 1_800_000 },
  );
}

/** A package of the version whose daemon ends at once: its start fails as a broken one does. */
export async function makeBroken(from: string, folder: string, version: string): Promise<string> {
  const tree = join(folder, 'broken');
  const script = `
    dpkg-deb --raw-extract "$1" "$2"
    sed -i "s/^Version: .*/Version: $3/" "$2/DEBIAN/control"
    echo 'throw new Error("a part is missing");' >"$2/usr/lib/keepstate/app/dist/bundle/run.js"
    dpkg-deb --build -Zgzip -z1 "$2" "$2.deb"`;
  await run(['bash', '-ec', script, 'bash', from, tree, version]);
  return `${tree}.deb`;
}
