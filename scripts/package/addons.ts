/**
 * Native parts for another machine or another Node.js than the one that builds. Ours is N-API and
 * fits every Node.js; raw-socket is built for one version of it.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from './run.js';

const triplets: Readonly<Record<string, string>> = {
  x64: 'x86_64-linux-gnu',
  arm64: 'aarch64-linux-gnu',
};

/** `strip` or `g++` for `architecture`. Throws where the cross-compiler is not installed. */
export function toolFor(tool: 'strip' | 'g++', architecture: string): string {
  if (architecture === process.arch) return tool;
  const cross = `${triplets[architecture] ?? architecture}-${tool}`;
  if (spawnSync(cross, ['--version']).error === undefined) return cross;
  throw new Error(`${cross} is missing: apt-get install g++-aarch64-linux-gnu`);
}

const flags = ['-shared', '-fPIC', '-O2', '-std=c++17', '-D_GNU_SOURCE'];

/** keepstate_native.node from its sources, stripped; the headers are those of this Node.js. */
export function compileOwnAddon(checkout: string, architecture: string, to: string): void {
  const folder = join(checkout, 'src/net/native');
  const sources = readdirSync(folder).filter((name) => name.endsWith('.cc'));
  run(toolFor('g++', architecture), [
    ...[...flags, '-s', '-DNAPI_VERSION=8', '-DNODE_GYP_MODULE_NAME=keepstate_native'],
    ...['-DBUILDING_NODE_EXTENSION', `-ffile-prefix-map=${checkout}=.`],
    ...['-I', headersOf(dirname(dirname(process.execPath))), '-o', to],
    ...sources.sort().map((name) => join(folder, name)),
  ]);
}

/** The addon of the package raw-socket for the Node.js whose headers stand below `prefix`. */
export function compileRawSocket(
  checkout: string,
  architecture: string,
  prefix: string,
  to: string,
): void {
  run(toolFor('g++', architecture), [
    // Node.js 24's headers ask for C++20.
    ...flags.map((flag) => flag.replace('c++17', 'c++20')),
    ...['-s', '-w', '-DNODE_GYP_MODULE_NAME=raw', '-DBUILDING_NODE_EXTENSION'],
    ...[`-ffile-prefix-map=${checkout}=.`, '-I', headersOf(prefix)],
    ...['-I', join(checkout, 'node_modules/nan'), '-o', to],
    join(checkout, 'node_modules/raw-socket/src/raw.cc'),
  ]);
}

function headersOf(prefix: string): string {
  const folder = join(prefix, 'include', 'node');
  if (existsSync(join(folder, 'node_api.h'))) return folder;
  throw new Error(`no headers of Node.js in ${folder}`);
}
