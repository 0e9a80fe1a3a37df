/** Where searches begin. */
import type { Choose } from './nodeRun.js';
import { deadNode, type ClusterState } from './clusterState.js';
import { dueNext, happen } from './successors.js';

/** Both kernels are up, no process runs. */
export const bothDead: ClusterState = {
  now: 0,
  nodes: [deadNode(0, 0), deadNode(1, 0)],
  messages: [],
};

/** Both started at one moment and nothing went wrong for a while: node 0 is MASTER. */
export function settled(): ClusterState {
  let state = bothDead;
  for (const node of [0, 1] as const) {
    state = happen(state, { kind: 'start', node, due: 0 }, () => 0);
  }
  return calmUntil(state, 12_000_000);
}

/** Both are MASTER: neither has heard the other since it began. */
export function apart(): ClusterState {
  let state = bothDead;
  for (const node of [0, 1] as const) {
    state = happen(state, { kind: 'start', node, due: 0 }, () => 0);
  }
  // Every datagram is lost: of the choices of one its index is 1.
  return calmUntil(state, 6_000_000, (count) => (count === 3 ? 1 : 0));
}

function calmUntil(from: ClusterState, until: number, choose: Choose = () => 0): ClusterState {
  let state = from;
  for (let next = dueNext(state)[0]; next !== undefined && next.due <= until;) {
    state = happen(state, next, choose);
    next = dueNext(state)[0];
  }
  return state;
}
