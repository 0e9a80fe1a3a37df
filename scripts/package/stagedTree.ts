/**
 * A tree that becomes a package: each file is put with its mode, and all of them get one time at the
 * end, so that equal content gives equal bytes.
 */
import {
  chmodSync,
  cpSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  lutimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';

export class StagedTree {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
    mkdirSync(root, { recursive: true });
  }

  /** `path` is absolute in the package. */
  put(path: string, content: string | Buffer, mode = 0o644): void {
    const to = this.#place(path);
    writeFileSync(to, content);
    chmodSync(to, mode);
  }

  copy(from: string, path: string, mode = 0o644): void {
    const to = this.#place(path);
    cpSync(from, to);
    chmodSync(to, mode);
  }

  /** Regular files below `from` that `isWanted` (path relative to `from`). */
  copyTree(from: string, path: string, isWanted: (name: string) => boolean): void {
    for (const name of filesBelow(from)) {
      if (isWanted(name)) this.copy(join(from, name), join(path, name));
    }
  }

  link(path: string, target: string): void {
    symlinkSync(target, this.#place(path));
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), 'utf8');
  }

  /** Paths of files and links, relative to the root, in the order of their bytes. */
  files(): readonly string[] {
    return filesBelow(this.root);
  }

  /** Modes of folders, and `epochSeconds` as the time of everything. */
  settle(epochSeconds: number): void {
    const settle = (path: string): void => {
      if (lstatSync(path).isDirectory()) {
        chmodSync(path, 0o755);
        for (const name of readdirSync(path)) settle(join(path, name));
      }
      lutimesSync(path, epochSeconds, epochSeconds);
    };
    settle(this.root);
  }

  #place(path: string): string {
    const to = join(this.root, path);
    mkdirSync(dirname(to), { recursive: true });
    return to;
  }
}

function filesBelow(root: string): readonly string[] {
  const found: string[] = [];
  const walk = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) walk(path);
      else found.push(relative(root, path));
    }
  };
  walk(root);
  return found.sort((a, b) => (a < b ? -1 : 1));
}
