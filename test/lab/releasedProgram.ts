/**
 * The program of a released commit, built in a temporary folder from the repository's own history,
 * as the peer of the present one. What it is built with (node_modules) is the present state's.
 */
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.js';
import type { Lab } from './lab.js';
import { repositoryRoot } from './runTypescript.js';

/**
 * Version 0.1.0 as it was first given away: its peers and its state files are to be understood for
 * good.
 */
export const firstRelease = '25dc65a';

/**
 * Builds in a folder of the laboratory and gives its root, for KeepstateNode. Rejects where the
 * history is not there (a shallow clone: `git fetch --unshallow`).
 */
export async function buildReleased(commit: string, lab: Lab): Promise<string> {
  const root = join(lab.directory, `released-${commit}`);
  mkdirSync(root);
  symlinkSync(join(repositoryRoot, 'node_modules'), join(root, 'node_modules'));
  await bash('set -o pipefail; git archive "$1" | tar -x -C "$2"', repositoryRoot, commit, root);
  await bash('. scripts/provision.sh; with_headers npm run --silent build:native', root);
  await bash('npm run --silent build:ts', root);
  return root;
}

function bash(script: string, directory: string, ...args: string[]): Promise<string> {
  const command = ['bash', '-c', `cd "$0" && { ${script}; }`, directory, ...args];
  return run(command, { timeoutMilliseconds: 1_200_000 });
}
