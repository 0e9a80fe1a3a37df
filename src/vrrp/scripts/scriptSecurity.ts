/** `enable_script_security`: a script that runs as root must not be replaceable by anybody else. */
import { realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

const groupWritable = 0o020;
const othersWritable = 0o002;
const stickyBit = 0o1000;

/** One component of the path of a script, as stat(2) gives it. */
export interface PathPart {
  readonly path: string;
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
  readonly isDirectory: boolean;
}

/** Why these parts can be changed by others than root; undefined when they cannot. */
export function insecureBecause(parts: readonly PathPart[]): string | undefined {
  for (const part of parts) {
    if (part.uid !== 0) return `${part.path} belongs to user ${part.uid}`;
    // Where the sticky bit stands, others cannot rename what root owns.
    if (part.isDirectory && (part.mode & stickyBit) !== 0) continue;
    if ((part.mode & othersWritable) !== 0) return `${part.path} is writable by everybody`;
    if ((part.mode & groupWritable) !== 0 && part.gid !== 0) {
      return `${part.path} is writable by group ${part.gid}`;
    }
  }
  return undefined;
}

/** The script, its directories up to the root, and the same for what its links lead to. */
export function pathParts(path: string): readonly PathPart[] {
  const paths = new Set<string>();
  for (const start of [path, realpathSync(path)]) {
    for (let at = start; ; at = dirname(at)) {
      paths.add(at);
      if (at === dirname(at)) break;
    }
  }
  return [...paths].map((at) => {
    const { uid, gid, mode } = statSync(at);
    return { path: at, uid, gid, mode, isDirectory: (mode & 0o170000) === 0o040000 };
  });
}
