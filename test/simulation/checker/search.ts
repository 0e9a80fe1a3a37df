/** Breadth-first over all states that can be reached from where a cluster starts. */
import { brokenNow, Calm } from './invariants.js';
import type { ClusterState, Report } from './clusterState.js';
import { fingerprint, keyOf } from './stateKey.js';
import { dueNext, faults, outcomes, type Happening } from './successors.js';

export interface SearchOptions {
  readonly roots: readonly ClusterState[];
  /** States that are kept at once; the search ends where the next depth would need more. */
  readonly mostStates: number;
  /** Asked between two states: false ends the search. */
  readonly goesOn: () => boolean;
  /** After each depth. */
  readonly onDepth?: (progress: Progress) => void;
}

export interface Progress {
  /** Events from a root; every order of so many has been looked at. */
  readonly depth: number;
  readonly states: number;
  readonly transitions: number;
  /** States of the depth that comes next. */
  readonly frontier: number;
}

/** What was done in which order, and what is wrong then. */
export interface Violation {
  readonly because: string;
  readonly story: readonly string[];
  readonly state: ClusterState;
}

export interface SearchResult extends Progress {
  /** `whole`: nothing new can be reached. */
  readonly end: 'whole' | 'time' | 'memory' | 'violation';
  readonly violation?: Violation;
}

interface Reached {
  readonly state: ClusterState;
  readonly before: Reached | undefined;
  readonly happening: Happening | undefined;
}

const fingerprintOf = (state: ClusterState): number => fingerprint(keyOf(state));

export function search(options: SearchOptions): SearchResult {
  const known = new Set<number>();
  const calm = new Calm(fingerprintOf);
  let transitions = 0;
  let depth = 0;
  let frontier: Reached[] = [];
  const result = (end: SearchResult['end']): SearchResult => {
    return { depth, states: known.size, transitions, frontier: frontier.length, end };
  };
  for (const state of options.roots) {
    const root: Reached = { state, before: undefined, happening: undefined };
    known.add(fingerprintOf(state));
    frontier.push(root);
    const violation = violationIn(root, calm);
    if (violation !== undefined) return { ...result('violation'), violation };
  }
  while (frontier.length > 0) {
    const next: Reached[] = [];
    for (const reached of frontier) {
      if (!options.goesOn()) return result('time');
      if (known.size > options.mostStates) return result('memory');
      for (const happening of possible(reached.state)) {
        for (const state of outcomes(reached.state, happening)) {
          transitions++;
          const key = fingerprintOf(state);
          if (known.has(key)) continue;
          known.add(key);
          const found: Reached = { state, before: reached, happening };
          const violation = violationIn(found, calm);
          if (violation !== undefined) return { ...result('violation'), violation };
          next.push(found);
        }
      }
    }
    depth++;
    frontier = next;
    options.onDepth?.({ depth, states: known.size, transitions, frontier: frontier.length });
  }
  return result('whole');
}

function possible(state: ClusterState): Happening[] {
  return [...dueNext(state), ...faults(state)];
}

function violationIn(found: Reached, calm: Calm): Violation | undefined {
  const { state } = found;
  const now = brokenNow(state);
  if (now !== undefined) return { because: now, story: storyOf(found), state };
  const later = calm.broken(state);
  if (later === undefined) return undefined;
  return { because: `${later.because}, and stays so`, story: storyOf(found), state: later.last };
}

/** From the root to here, with both nodes beside each event. */
function storyOf(found: Reached): string[] {
  const lines: string[] = [];
  for (let at: Reached | undefined = found; at !== undefined; at = at.before) {
    lines.push(lineOf(at));
  }
  return lines.reverse();
}

function lineOf({ state, happening }: Reached): string {
  const time = (state.now / 1_000_000).toFixed(2).padStart(7);
  const nodes = state.nodes.map((node) =>
    node.isAlive ? `${node.unit.role}${node.vips.length > 0 ? '*' : ''}` : 'dead',
  );
  return `${time} s  ${nodes.map((text) => text.padEnd(8)).join(' ')} ${whatOf(happening)}`;
}

function whatOf(happening: Happening | undefined): string {
  switch (happening?.kind) {
    case undefined:
      return 'the beginning';
    case 'timer':
      return `node ${happening.node}: ${happening.key} rings`;
    case 'report':
      return `node ${happening.node}: ${reportText(happening.report)}`;
    case 'datagram': {
      const { to, member, datagram } = happening.message;
      return `node ${to} hears priority ${datagram.payload[2] ?? 0} for ${member}`;
    }
    case 'crash':
      return `node ${happening.node} crashes`;
    case 'start':
      return `node ${happening.node} starts`;
  }
}

function reportText(report: Report): string {
  return report.to === 'table' ? 'the table of the peer' : `${report.event.kind}, ${report.to}`;
}
