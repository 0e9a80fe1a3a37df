/** Problems of replication and of the log of ended connections: engine, links, tables, peer. */
import { refusals } from '../../sync/links/refusedSenders.js';
import type { ProblemRows } from './row.js';

export const syncRows = {
  'sync-down': {
    severity: 'error',
    begins: 'the sync engine has ended',
    ends: 'it runs again',
    remedy: 'it is restarted by itself; see the log if it does not stay',
  },
  'sync-peer-lost': {
    severity: 'error',
    begins: 'nothing of the sync peer was accepted for 4 s',
    ends: 'the peer is heard again',
    remedy: 'check the sync link, the peer daemon, and that the sync port may pass both ways',
  },
  'commit-incomplete': {
    severity: 'error',
    isLasting: true,
    begins: 'a takeover could not put all flows into the kernel, because its table was full',
    ends: 'a minute later, or at the next takeover',
    remedy: 'raise net.netfilter.nf_conntrack_max on both nodes; these connections are lost',
  },
  parity: {
    severity: 'warning',
    begins: 'the comparison, on either node, says that one holds other flows than the other sent',
    ends: 'a later comparison says that they are equal',
    remedy: 'a resync is asked for by itself; "keepstate sync bulk" on the MASTER does it now',
  },
  'cache-differs': {
    severity: 'warning',
    begins:
      'the kernel and the internal cache part by more than 1 % and 100 flows for three seconds, or the cache was emptied',
    ends: 'a comparison of content has mended it: by itself at most once a minute, at once after a verb emptied the cache',
    remedy:
      'it is mended by itself; "keepstate sync resync" does it now, and the log says why it fails',
  },
  'table-full': {
    severity: 'warning',
    begins: 'a cache has 90 % of HashLimit; an error when it is full',
    ends: 'it has less',
    remedy: 'raise HashLimit (and nf_conntrack_max) on both nodes',
  },
  'sync-link-down': {
    severity: 'error',
    begins: 'the interface of a sync link is down or not there',
    ends: 'it is up again',
    remedy: 'bring the interface up; replication goes on over another link if there is one',
  },
  'sync-link-unconnected': {
    severity: 'error',
    begins: 'a TCP sync link has no connection to the peer',
    ends: 'the connection stands',
    remedy: 'the peer must listen there, and its filter must admit the port',
  },
  'sync-link-refused': {
    severity: 'error',
    begins: 'the socket of a sync link cannot be opened, most of all because its port is in use',
    ends: 'it is open; it is tried once a second',
    remedy: 'end the process that the problem names, or give the link another port on both nodes',
  },
  'peer-channel-refused': {
    severity: 'error',
    begins:
      'the socket of the peer channel cannot be opened, most of all because its port is in use',
    ends: 'it is open; it is tried every few seconds',
    remedy: 'end the process that the problem names, or set another peer_port on both nodes',
  },
  'sync-stranger': {
    severity: 'warning',
    begins:
      'somebody speaks on a sync link or the peer channel and is refused: another address than the peer\u2019s, another device than the link\u2019s, through a router, or from a second socket beside the peer\u2019s',
    ends: 'a minute after it spoke last',
    remedy: refusals.address.remedy,
  },
  'sync-not-sealed': {
    severity: 'warning',
    begins: 'sync_auth is permissive, and the peer has shown no key for 10 s',
    ends: 'the peer has shown a key',
    remedy:
      'give the peer the same sync_key; then write sync_auth enforce on both nodes and reload them',
  },
  'sync-seal-refused': {
    severity: 'warning',
    begins:
      'datagrams on a sync link or the peer channel are not sealed, or not with a key of this node',
    ends: 'a minute after the last one',
    remedy:
      'compare sync_key and sync_active_key on both nodes by the fingerprints in status; if they are equal, somebody forges',
  },
  'sync-key-unknown': {
    severity: 'error',
    begins: 'sync_auth is enforce, and no peer with a key of this node was heard for 10 s',
    ends: 'it was heard',
    remedy: 'give both nodes the same sync_key; sync_auth permissive lets them speak meanwhile',
  },
  'peer-hears-nothing': {
    severity: 'error',
    begins: 'the peer is heard, and says for 10 s that it hears nothing of this node',
    ends: 'it hears this node again, or is not heard any more',
    remedy:
      'look for what drops the datagrams on the way to the peer: a rule there, a path that works one way only, or a sync_active_key that the peer has not',
  },
  'zones-not-replicated': {
    severity: 'warning',
    begins:
      'flows with a zone in one direction ("ct original zone set") are told to a conntrackd, which has no place for it',
    ends: 'the peer is a keepstate, or the daemon or its sync engine starts again',
    remedy:
      'run keepstate on both nodes, use "ct zone set" for both directions, or filter these flows',
  },
  'resend-overflow': {
    severity: 'warning',
    begins: 'the resend queue overflowed: the peer acknowledges too slowly',
    ends: 'a restart of the daemon or of its sync engine',
    remedy: 'raise ResendQueueSize, or give the sync link more bandwidth',
  },
  'statistics-down': {
    severity: 'error',
    begins: 'the thread that logs the connections that ended (Stats) has ended',
    ends: 'it runs again',
    remedy: 'it is restarted by itself; see the log if it does not stay',
  },
  'statistics-not-written': {
    severity: 'warning',
    begins:
      'the log of ended connections (Stats) cannot be written for 5 s, or lines were lost because memory had no room for more',
    ends: 'it is written again, and a minute after the last line that was lost',
    remedy:
      'make room on the disk, or let the reader of the pipe read faster; what waits in memory is written then, what was lost is counted',
  },
} as const satisfies ProblemRows;
