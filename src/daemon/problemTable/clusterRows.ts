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
  split: {
    severity: 'error',
    isLasting: true,
    begins: 'both nodes had been MASTER, and the one that stays has merged the flows of this one',
    ends: '10 s later',
    remedy: 'find out why the nodes did not hear each other: keepstate history, docs/operations.md',
  },
  'master-rejected': {
    severity: 'error',
    begins:
      'this node is MASTER, and hears advertisements of another router of its VRID which it refuses',
    ends: 'no such advertisement came for three of its intervals',
    remedy: 'both may be MASTER: make the files of the routers equal (keepstate check --peer FILE)',
  },
  'no-master': {
    severity: 'error',
    begins: 'neither this node nor its peer is MASTER for 10 s and longer than master-down takes',
    ends: 'one of them is MASTER',
    remedy: 'see why on both nodes: maintenance and FAULT keep a node from the role',
  },
  'no-standby': {
    severity: 'error',
    begins:
      'this node is MASTER, and its sync peer is absent, in maintenance, in FAULT, or for 10 s not synchronised',
    ends: 'the peer could take the role without losing a connection',
    remedy: 'repair the peer: until then nothing replaces this node',
  },
  maintenance: {
    severity: 'warning',
    begins: 'this node is in maintenance: it never takes the role',
    ends: 'keepstate maintenance off',
    remedy: 'keepstate maintenance off, when the work on this node is done',
  },
  'peer-channel-silent': {
    severity: 'error',
    begins:
      'the peer is heard on the sync port, no longer on peer_port, and has been a keepstate before',
    ends: 'it is heard on peer_port, or keepstate acknowledge says that a conntrackd runs there now',
    remedy:
      'let UDP peer_port pass both ways; where a conntrackd runs now: keepstate acknowledge peer-channel-silent',
  },
} as const satisfies ProblemRows;
