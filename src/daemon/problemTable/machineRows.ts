/** Problems of the machine and of the process on it. */
import type { ProblemRows } from './row.js';

export const machineRows = {
  late: {
    severity: 'warning',
    begins: 'the loop that sends advertisements ran half a second late',
    ends: 'no such lateness within the last second',
    remedy:
      'the machine is overloaded or suspends this process: set vrrp_rt_priority or vrrp_priority',
  },
  'reload-refused': {
    severity: 'error',
    begins: 'a reload was refused or failed: the daemon goes by the configuration of before',
    ends: 'a reload succeeds, or the file is again as it is applied',
    remedy: 'repair the file (keepstate check) and reload; some settings need a restart',
  },
  'http-refused': {
    severity: 'warning',
    begins: 'an address of the http block cannot be served: taken, or not on this machine',
    ends: 'it is served (tried again each 5 s)',
    remedy: 'free the port or correct listen; the text names the reason',
  },
  'readers-refused': {
    severity: 'warning',
    begins: 'the socket for control_read_group cannot be made: the group cannot read status',
    ends: 'it can, after a reload',
    remedy: 'create the group or correct control_read_group, and reload; the text names the reason',
  },
  'alert-failing': {
    severity: 'warning',
    begins:
      'an exec or webhook of an alert block, or the mail server, has refused three times in a row',
    ends: 'it takes an alarm (tried again each 30 s at least); nothing is lost until then',
    remedy: 'the text names the reason; repair it, or take the line out and reload',
  },
  'alert-lost': {
    severity: 'error',
    isLasting: true,
    begins: 'a sink took nothing for so long that the queue (3,584 alarms) had no room for more',
    ends: 'a minute after the last one that was lost',
    remedy: 'repair the sink; keepstate history and the numbers of the alarms tell what it missed',
  },
  'alert-not-kept': {
    severity: 'warning',
    begins: 'the queue of alarms in state_directory cannot be written, or was found damaged',
    ends: 'it is written again; a minute after the damage was found',
    remedy: 'make room, or make state_directory writable: a restart may lose or repeat alarms',
  },
  'config-broken': {
    severity: 'error',
    begins: 'the configuration file would not start: seen within 20 s of its change',
    ends: 'the file would start',
    remedy: 'repair it before the next restart: keepstate check --config FILE',
  },
  masquerade: {
    severity: 'warning',
    begins:
      'the ruleset has MASQUERADE, which uses an address that does not move (seen each minute)',
    ends: 'the rule is gone',
    remedy: 'use "snat to" a virtual address instead; keepstate doctor lists each such rule',
  },
  'snat-stays': {
    severity: 'warning',
    begins: 'the ruleset has SNAT to an address that is not virtual (seen each minute)',
    ends: 'the rule is gone',
    remedy: 'use a virtual address; keepstate doctor lists each such rule',
  },
  'conntrack-events': {
    severity: 'error',
    begins:
      'nf_conntrack_events is 0: the kernel tells of no flow, and none is replicated or logged (asked each minute)',
    ends: 'it is 1 or 2',
    remedy: 'sysctl -w net.netfilter.nf_conntrack_events=1, and keep it in /etc/sysctl.d',
  },
  'conntrack-max': {
    severity: 'warning',
    begins: 'nf_conntrack_max is less than half of HashLimit: a commit would stop at a full table',
    ends: 'it is at least half of HashLimit',
    remedy: 'sysctl -w net.netfilter.nf_conntrack_max, on both nodes',
  },
  'conntrack-full': {
    severity: 'error',
    begins: 'the flow table of the kernel has 90 % of nf_conntrack_max',
    ends: 'it has less',
    remedy: 'raise net.netfilter.nf_conntrack_max on both nodes',
  },
  'forwarding-off': {
    severity: 'error',
    begins: 'the ruleset forwards or translates, there is a Sync block, and forwarding is off',
    ends: 'forwarding is on',
    remedy: 'sysctl -w net.ipv4.ip_forward=1 (IPv6: net.ipv6.conf.all.forwarding=1)',
  },
  'rp-filter-strict': {
    severity: 'warning',
    begins: 'such a node filters reverse paths strictly on an interface of its roles',
    ends: 'rp_filter is 0 or 2 there, and for "all"',
    remedy: 'sysctl -w net.ipv4.conf.INTERFACE.rp_filter=2, unless all paths are symmetric',
  },
  'tcp-loose': {
    severity: 'warning',
    begins: 'such a node has tcp_loose on: a packet before its flow makes one with a wrong mapping',
    ends: 'tcp_loose is off',
    remedy: 'sysctl -w net.netfilter.nf_conntrack_tcp_loose=0 on both nodes',
  },
  'incumbent-running': {
    severity: 'error',
    begins: 'a keepalived or conntrackd runs in this network namespace and does the same work',
    ends: 'it has ended',
    remedy: 'systemctl disable --now keepalived conntrackd',
  },
  'incumbent-enabled': {
    severity: 'warning',
    begins:
      'systemd would start a keepalived or conntrackd that does the same work: the unit is enabled',
    ends: 'it is disabled or masked, or its configuration has no vrrp_instance or Sync',
    remedy: 'systemctl disable --now keepalived conntrackd',
  },
} as const satisfies ProblemRows;
