/** Problems that are about two nodes together. */
import type { ProblemRows } from './row.js';

export const clusterRows = {
  'two-masters': {
    severity: 'error',
    isLasting: true,
    begins:
      'this node is MASTER and another router claims to be it, by VRRP or over the peer channel',
    ends: 'one of the two is no longer MASTER',
    remedy:
      'VRRP was cut between the nodes, or a process stood still: keepstate doctor, docs/operations.md',
  },
} as const satisfies ProblemRows;
