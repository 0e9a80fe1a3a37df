/**
 * The releases of Node.js that are tested, as npm has them: the oldest, and each long-lived one.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fetchNode, nodeRelease } from '../../scripts/package/nodeRelease.js';
import { repositoryRoot } from '../lab/runTypescript.js';

const cache = join(repositoryRoot, 'dist-packages', '.cache');

const others = {
  20: {
    version: '20.20.2',
    integrity:
      'sha512-PeHQM8wAdmHtZA1mBocygZxs5LiUWtsJezQTkBd0iY987KpGrD1O2tVEydvMZiuXceRanxt7rjTnDEBwOPujoQ==',
  },
  22: {
    version: '22.23.5',
    integrity:
      'sha512-3jhC+wcoWxKZxcRqF2sUSl0c9HEXFnur/nuIPx6O6CWKV0jOUWQm7Htw5SuXqqlMCEhi0cJqybFPEb5hhcBiMw==',
  },
} as const;

export type NodeMajor = 20 | 22 | 24;
export const nodeMajors: readonly NodeMajor[] = [20, 22, 24];

/** The program; 24 is the one that stands in the Debian package. */
export function nodeProgram(major: NodeMajor): string {
  mkdirSync(cache, { recursive: true });
  if (major === 24) return nodeRelease('x64', cache).program;
  return fetchNode({ ...others[major], architecture: 'x64' }, cache).program;
}
