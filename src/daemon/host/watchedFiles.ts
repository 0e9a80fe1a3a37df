/**
 * Remembers which files a configuration was read from, and tells whether one of them is another one
 * now.
 */
import { statSync } from 'node:fs';
import type { ConfigFiles } from '../../config/loadPorts.js';

export interface WatchedFiles {
  readonly files: ConfigFiles;
  /** Another text where a file that was read, or a folder that was listed, has changed since. */
  readonly stamp: () => string;
  /** Before they are read anew: the names of the last reading count no more. */
  readonly forget: () => void;
}

export function watchFiles(files: ConfigFiles): WatchedFiles {
  const paths = new Set<string>();
  return {
    files: {
      read: (path) => {
        paths.add(path);
        return files.read(path);
      },
      list: (directory) => {
        paths.add(directory);
        return files.list(directory);
      },
    },
    stamp: () => [...paths].map(stampOf).join('\n'),
    forget: () => {
      paths.clear();
    },
  };
}

/** A pipe is read once: it never changes. */
function stampOf(path: string): string {
  try {
    const found = statSync(path);
    if (!found.isFile() && !found.isDirectory()) return `${path} special`;
    return `${path} ${found.ino} ${found.size} ${found.mtimeMs}`;
  } catch {
    return `${path} missing`;
  }
}
