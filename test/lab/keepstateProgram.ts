/** The command that runs keepstate as it is installed: bin/keepstate and the compiled files. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from './runTypescript.js';

let isFresh = false;

/**
 * `preloads` are loaded before the program. Throws where the build is missing or older than the
 * sources.
 */
export function keepstateCommand(...preloads: readonly string[]): string[] {
  isFresh ||= requireBuild();
  return keepstateCommandOf(repositoryRoot, ...preloads);
}

/** The same of a build that stands in another folder. */
export function keepstateCommandOf(root: string, ...preloads: readonly string[]): string[] {
  const requires = preloads.flatMap((file) => ['--require', join(repositoryRoot, file)]);
  return [process.execPath, ...requires, join(root, 'bin/keepstate')];
}

/** `npm run build:ts` touches the mark, also where nothing was to be written. */
function requireBuild(): true {
  const built = timeOf(join(repositoryRoot, 'dist/.built'));
  const sources = join(repositoryRoot, 'src');
  const changed = readdirSync(sources, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .some((name) => timeOf(join(sources, name)) > built);
  if (changed) throw new Error('dist/ is missing or older than src/: npm run build:ts');
  return true;
}

function timeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
