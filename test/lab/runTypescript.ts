/** The command that runs a TypeScript file of this repository in Node.js without a build. */
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** The folder with package.json. */
export const repositoryRoot = findRoot(__dirname);

export function typescriptCommand(file: string): string[] {
  const hook = join(repositoryRoot, 'test/lab/typescriptHook.cjs');
  return [process.execPath, '--require', hook, resolve(repositoryRoot, file)];
}

function findRoot(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : findRoot(dirname(folder));
}
