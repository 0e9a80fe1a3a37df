/** A short search finds nothing, and would find what is broken. */
import { apart, bothDead, settled } from './roots.js';
import type { ClusterState } from './clusterState.js';
import { brokenNow } from './invariants.js';
import { search, type SearchResult } from './search.js';
import { happen, outcomes } from './successors.js';
import { fingerprint, keyOf } from './stateKey.js';

/** All orders of so many events. */
function searchTo(depth: number, ...roots: readonly ClusterState[]): SearchResult {
  let reached = 0;
  return search({
    roots,
    mostStates: 100_000,
    goesOn: () => reached < depth,
    onDepth: (progress) => (reached = progress.depth),
  });
}

test('no order of five events of a cluster at rest leads to a state that is broken', () => {
  const { violation, depth, states } = searchTo(5, settled());
  expect(violation).toBeUndefined();
  expect(depth).toBe(5);
  expect(states).toBeGreaterThan(1_000);
});

test('no order of two events of two MASTERs, or of a cluster that starts, does', () => {
  const { violation, states } = searchTo(2, apart(), bothDead);
  expect(violation).toBeUndefined();
  expect(states).toBeGreaterThan(100);
});

test('the beginnings are what they are called', () => {
  expect(settled().nodes.map(({ unit, vips }) => [unit.role, vips.length])).toEqual([
    ['MASTER', 2],
    ['BACKUP', 0],
  ]);
  expect(apart().nodes.map(({ unit }) => unit.role)).toEqual(['MASTER', 'MASTER']);
});

test('a timer that was forgotten is found: nobody becomes MASTER again', () => {
  const dead = happen(settled(), { kind: 'crash', node: 0, due: 0 }, () => 0);
  const [master, backup] = dead.nodes;
  const { violation } = searchTo(1, { ...dead, nodes: [master, { ...backup, timers: {} }] });
  expect(violation?.because).toBe('nobody is MASTER, and stays so');
  expect(violation?.story).toHaveLength(1);
});

test('addresses without the role are found at once', () => {
  const state = settled();
  const [master, backup] = state.nodes;
  const wrong = { ...state, nodes: [master, { ...backup, vips: ['A'] }] } as ClusterState;
  expect(brokenNow(wrong)).toBe('node 1 has addresses as BACKUP');
});

test('a takeover whose commit is never reported is found', () => {
  const dead = happen(settled(), { kind: 'crash', node: 0, due: 0 }, () => 0);
  const silent = { ...dead.nodes[1].coordinator, worker: 'running', epoch: 1_000 } as const;
  const [, backup] = dead.nodes;
  // An epoch that no report has: the worker's word is dropped.
  const stuck: ClusterState = {
    ...dead,
    nodes: [dead.nodes[0], { ...backup, coordinator: silent, timers: {} }],
  };
  expect(searchTo(2, stuck).violation?.because).toMatch(/nobody is MASTER/);
});

test('each way in which a datagram may go is a state of its own', () => {
  const state = settled();
  const advert = Object.entries(state.nodes[0].timers).find(([key]) => key === 'advert A');
  const due = advert?.[1] ?? 0;
  const happening = { kind: 'timer', node: 0, key: 'advert A', due } as const;
  const delays = [...outcomes(state, happening)].map(({ messages, now }) =>
    messages.map((message) => message.due - now),
  );
  expect(delays).toEqual([[0], [], [500_000]]);
});

test('two states that differ in their clocks alone are the same', () => {
  const early = settled();
  const shifted = happen(bothDead, { kind: 'start', node: 0, due: 7_000_000 }, () => 0);
  const first = happen(bothDead, { kind: 'start', node: 0, due: 0 }, () => 0);
  expect(keyOf(shifted)).toBe(keyOf(first));
  expect(fingerprint(keyOf(early))).not.toBe(fingerprint(keyOf(first)));
});
