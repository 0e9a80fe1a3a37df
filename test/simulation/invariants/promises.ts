/**
 * The promises of the cluster, each as an operator would say it. A life that breaks one names it by
 * its key.
 */
export const promises = {
  'no-crash': 'no thread of keepstate ends by an error of its own',
  'flow-kept': 'a flow that both ends want stays in a kernel, unless the world itself took it',
  lifetime: 'a flow keeps at least its remaining lifetime across a takeover',
  'flow-answered': 'no flow dies that could have lived: at rest each is answered',
  'commit-first': 'when the addresses appear, the kernel there holds the flows of the other node',
  'no-master': 'never no MASTER while a node that may serve can',
  'two-masters': 'two nodes hold the addresses no longer than the network keeps them apart',
  'unit-agrees': 'the addresses of a unit are on one node, all of them or none',
  'target-lost-by-both': 'a target that both nodes lose at once moves no role',
  'one-master': 'at rest one node is MASTER and the other BACKUP',
  'cache-is-kernel': 'at rest the internal cache equals its kernel',
  'caches-equal': 'at rest the external cache equals the internal one of the peer',
  'status-true': 'at rest status says what is so: role, peer, parity',
  'no-false-problem': 'at rest no problem is named that is not there',
  answered: 'every command is answered',
  bounded: 'memory, queues and timers are bounded',
} as const;

export type PromiseName = keyof typeof promises;
