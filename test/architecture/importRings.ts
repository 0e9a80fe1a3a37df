/**
 * Files that import each other in a ring, type-only imports included: such files are one file in
 * several pieces.
 */
import type { Import } from './sourceImports.js';

/**
 * One line per ring: of each set of files that all reach each other, the shortest way around from
 * the first of them by name.
 */
export function importRings(imports: readonly Import[]): string[] {
  const graph = new Map<string, Set<string>>();
  for (const { from, to } of imports) {
    if (to === undefined) continue;
    graph.set(from, (graph.get(from) ?? new Set()).add(to));
  }
  const rings: string[] = [];
  const inRing = new Set<string>();
  for (const start of [...graph.keys()].sort()) {
    if (inRing.has(start)) continue;
    const way = shortestWayBack(graph, start);
    if (way === undefined) continue;
    rings.push(way.join(' -> '));
    const from = reachable(graph, start);
    for (const path of from) if (reachable(graph, path).has(start)) inRing.add(path);
  }
  return rings;
}

type Graph = ReadonlyMap<string, ReadonlySet<string>>;

function reachable(graph: Graph, start: string): Set<string> {
  const seen = new Set<string>();
  const waiting = [start];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    for (const next of graph.get(path) ?? []) {
      if (seen.has(next)) continue;
      seen.add(next);
      waiting.push(next);
    }
  }
  return seen;
}

function shortestWayBack(graph: Graph, start: string): string[] | undefined {
  const before = new Map<string, string>();
  const waiting = [start];
  for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
    for (const next of [...(graph.get(path) ?? [])].sort()) {
      if (next === start) return wayTo(before, path, start).concat(start);
      if (before.has(next)) continue;
      before.set(next, path);
      waiting.push(next);
    }
  }
  return undefined;
}

function wayTo(before: ReadonlyMap<string, string>, end: string, start: string): string[] {
  const way = [end];
  for (let path = end; path !== start;) {
    path = before.get(path) ?? start;
    way.unshift(path);
  }
  return way;
}
