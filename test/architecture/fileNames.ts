/**
 * A file is called by its name alone when people speak of it, so that the name must lead to one
 * place.
 */
import { basename } from 'node:path';
import type { Import } from './sourceImports.js';

/** Names that say the same in each place. */
const conventional = new Set(['settings.ts', 'machine.ts', 'runner.ts']);

/**
 * One line per name that stands twice inside a room, or in two rooms although other rooms import
 * one of the files. `paths` are relative to the tree.
 */
export function ambiguousNames(paths: readonly string[], imports: readonly Import[]): string[] {
  const byName = new Map<string, string[]>();
  for (const path of paths) {
    const name = basename(path);
    byName.set(name, [...(byName.get(name) ?? []), path]);
  }
  const importedElsewhere = new Set(
    imports.flatMap(({ from, to }) =>
      to !== undefined && roomOf(from) !== roomOf(to) ? [to] : [],
    ),
  );
  return [...byName].flatMap(([name, places]) => {
    if (places.length === 1 || conventional.has(name)) return [];
    const rooms = new Set(places.map(roomOf));
    const isPublic = places.some((path) => importedElsewhere.has(path));
    return rooms.size < places.length || isPublic ? [`${name}: ${places.join(', ')}`] : [];
  });
}

function roomOf(path: string): string {
  return path.split('/')[0] ?? '';
}
