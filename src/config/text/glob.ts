/** File name patterns of `include`: `*`, `?`, `[...]` in each path part, and `{a,b}`. */
import type { ConfigFiles } from '../loadPorts.js';

export function hasWildcard(pattern: string): boolean {
  return /[*?[]/.test(pattern);
}

/** More alternatives than this are not an include line that a person wrote. */
const alternativeLimit = 1_000;

/** `a{b,c}d` becomes abd and acd; nested braces too. */
export function expandBraces(pattern: string): readonly string[] {
  let patterns = [pattern];
  for (;;) {
    const index = patterns.findIndex((candidate) => /\{[^{}]*,[^{}]*\}/.test(candidate));
    const candidate = patterns[index];
    if (candidate === undefined || patterns.length > alternativeLimit) return patterns;
    const match = /\{([^{}]*,[^{}]*)\}/.exec(candidate);
    const before = candidate.slice(0, match?.index);
    const after = candidate.slice((match?.index ?? 0) + (match?.[0].length ?? 0));
    const expanded = (match?.[1] ?? '').split(',').map((part) => before + part + after);
    patterns = [...patterns.slice(0, index), ...expanded, ...patterns.slice(index + 1)];
  }
}

/**
 * Paths that match an absolute pattern without braces, sorted; a pattern without wildcard is
 * itself.
 */
export function matchFiles(pattern: string, files: ConfigFiles): readonly string[] {
  if (!hasWildcard(pattern)) return [pattern];
  let paths = [''];
  for (const part of pattern.split('/').slice(1)) {
    if (!hasWildcard(part)) {
      paths = paths.map((path) => `${path}/${part}`);
      continue;
    }
    const wanted = partPattern(part);
    paths = paths.flatMap((path) =>
      files
        .list(path === '' ? '/' : path)
        .filter((name) => wanted.test(name) && (part.startsWith('.') || !name.startsWith('.')))
        .map((name) => `${path}/${name}`),
    );
  }
  return paths.sort();
}

function partPattern(part: string): RegExp {
  const source = part.replace(/\[(!?)([^\]]*)\]|[*?]|[.+^${}()|\\[\]]/g, (match, not, set) => {
    if (match === '*') return '.*';
    if (match === '?') return '.';
    if (match.length > 1) {
      return `[${not === '!' ? '^' : ''}${String(set).replace(/[\\\]^]/g, '\\$&')}]`;
    }
    return `\\${match}`;
  });
  try {
    return new RegExp(`^${source}$`);
  } catch {
    // A range that runs backwards, [9-1], matches nothing, as in glob(7).
    return /(?!)/;
  }
}
