/** What must hold in every state, and what must come of it once nothing more goes wrong. */
import { isAtRest } from '../../../src/sync/role/roleState.js';
import {
  memberNames,
  other,
  type ClusterState,
  type NodeIndex,
  type NodeState,
} from './clusterState.js';
import { dueNext, happen } from './successors.js';

/** Virtual time that the cluster gets: the longest wait is that of a preemption without a table. */
const calmTime = 45_000_000;
/** A calm second is some twenty events. */
const mostSteps = 4_000;
/** Timers and datagrams of one node; anything beyond is a leak. */
const mostWaiting = 40;
const indexes: readonly NodeIndex[] = [0, 1];

/** The sentence that an operator would say; undefined where all is well. */
export function brokenNow({ nodes, messages }: ClusterState): string | undefined {
  for (const index of indexes) {
    const node = nodes[index];
    if (!node.isAlive) continue;
    const { unit, coordinator, worker, vips, timers, reports } = node;
    for (const name of memberNames) {
      const state = unit.members[name]?.state;
      if (state !== unit.role)
        return `member ${name} of node ${index} is ${state}, its group ${unit.role}`;
    }
    if (coordinator.role !== unit.role) {
      return `the coordinator of node ${index} says ${coordinator.role}, VRRP ${unit.role}`;
    }
    if (vips.length > 0 && unit.role !== 'MASTER')
      return `node ${index} has addresses as ${unit.role}`;
    const { role } = worker;
    if (role.role === 'MASTER' && role.purge.stage !== 'none') {
      return `the worker of node ${index} purges as MASTER`;
    }
    if (Object.keys(timers).length + reports.length > mostWaiting) {
      return `node ${index} has ${Object.keys(timers).length} timers`;
    }
  }
  return messages.length > mostWaiting
    ? `${messages.length} datagrams are on their way`
    : undefined;
}

/** What a cluster must be when nothing has gone wrong for a while. */
function brokenAtRest({ nodes }: ClusterState): string | undefined {
  const alive = indexes.filter((index) => nodes[index].isAlive);
  const wanted = alive[0];
  if (wanted === undefined) return undefined;
  const masters = alive.filter((index) => nodes[index].unit.role === 'MASTER');
  if (masters.length !== 1) {
    return masters.length === 0 ? 'nobody is MASTER' : 'both nodes are MASTER';
  }
  // The first one has the higher priority, and preempts.
  if (masters[0] !== wanted) return `node ${wanted} may serve and does not`;
  const { vips, coordinator } = nodes[wanted];
  if (vips.length !== memberNames.length) return 'the MASTER lacks addresses';
  if (coordinator.takeover !== undefined) return 'the takeover never ends';
  if (coordinator.merge !== undefined) return 'the merge never ends';
  const backup = nodes[other(wanted)];
  if (backup.isAlive && backup.unit.role !== 'BACKUP') return `the other is ${backup.unit.role}`;
  return alive.map((index) => brokenWorker(nodes[index])).find((because) => because !== undefined);
}

/** What a worker must be when nothing has gone wrong for a while. */
function brokenWorker({ unit, worker: { role } }: NodeState): string | undefined {
  if (role.role !== unit.role) return `the worker says ${role.role}, VRRP ${unit.role}`;
  if (!isAtRest(role)) return `the worker never comes to rest: ${role.course.stage}`;
  if (role.stance !== 'own') return `the flows of a ${role.role} are not its own`;
  if (role.role === 'MASTER' && !role.isComplete) return 'the takeover of the worker never ends';
  return role.merge === undefined ? undefined : 'the merge of the worker never ends';
}

/** Runs on without faults; keys of states that came to rest are remembered. */
export class Calm {
  readonly #atRest = new Set<number>();
  readonly #keyOf: (state: ClusterState) => number;

  constructor(keyOf: (state: ClusterState) => number) {
    this.#keyOf = keyOf;
  }

  /** The sentence that an operator would say, with the state in which nothing moves any more. */
  broken(
    from: ClusterState,
  ): { readonly because: string; readonly last: ClusterState } | undefined {
    const passed: number[] = [];
    const end = from.now + calmTime;
    let state = from;
    let because: string | undefined = 'nothing happens';
    for (let i = 0; i < mostSteps; i++) {
      const key = this.#keyOf(state);
      because = brokenAtRest(state);
      if (this.#atRest.has(key) || (because === undefined && isSettled(state))) {
        for (const one of passed) this.#atRest.add(one);
        this.#atRest.add(key);
        return undefined;
      }
      passed.push(key);
      const next = dueNext(state)[0];
      if (next === undefined) {
        if (because === undefined) return undefined;
        break;
      }
      if (next.due > end) break;
      state = happen(state, next, () => 0);
      const broken = brokenNow(state);
      if (broken !== undefined) return { because: broken, last: state };
    }
    return { because: because ?? 'the cluster never comes to rest', last: state };
  }
}

/** Nothing is under way that could change a role. */
function isSettled({ nodes, messages, now }: ClusterState): boolean {
  const isQuiet = nodes.every(
    ({ isAlive, reports, coordinator }) =>
      !isAlive || (reports.length === 0 && coordinator.preparation === undefined),
  );
  return isQuiet && messages.every(({ due }) => due <= now);
}
