/** What stands below a benchmark's table in docs/figures.md: what was measured, and what the profile shows. */
export const notes: Readonly<Record<string, string>> = {
  'sync-burst': `CPU of the whole daemon, all its threads and the kernel's work for it, from the first event until
both caches are empty again; keepstate's includes VRRP and the control socket. A profile of the sender (perf, all
threads) gives half of its time to the kernel, which hands over one event per \`recvmmsg\` entry and takes the datagrams,
40 % to compiled JavaScript (decoding 9 %, hash index and table 10 %, writing messages 6 %, queues and
acknowledgements 6 %), and the rest to the runtime. conntrackd's first half is the same work of the kernel, so the goal
for the sender leaves less than 1 us per event for everything else. Not a single function stands out any more; caches
shared with other programs weigh on both halves.`,
  'sync-1000-per-second': `At everyday rates the wake-up is the cost, 60-80 us for a thread of Node.js and some 20-45 us for
conntrackd. After a light batch keepstate rests 5 ms, so that five events share one; the lag below contains this rest.`,
  'sync-idle': `What is left are timers: the loop's watch at 5 to 10 Hz, the engine's tick at 10 Hz, one
advert, hello and digest each per second.`,
  'sync-lag': `The receiver runs with DisableExternalCache, so that the peer's flow appears in its kernel; both kernels
note the time of creation (\`nf_conntrack_timestamp\`), and nobody else watches. keepstate's figure is its rest after
light batches; conntrackd wakes for each event and pays for it above.`,
  'sync-overload': `Both run as real-time threads, as conntrackd does by default, and may thus interrupt the injector: a
reader that takes turns with it loses nothing. What keepstate lost came back by its comparison with the kernel, which
starts at once.`,
  'failover-million': `The kernel's table of this machine has 262,144 buckets, the two nodes of the laboratory share it, and
2,000,000 flows in it make each insertion slow. Lateness is the time between two adverts beyond the interval.`,
  'vrrp-500-instances': `A wake-up per advert costs keepstate some 50 us; the picture of 500 instances that the daemon takes
once a second, 5 ms.`,
  failover: `Both daemons got the same lines \`vrrp_priority -20\` and \`Scheduler { Type RR; Priority 99 }\`. What keepstate needs
beyond its master-down time is the commit, which comes before the VIPs and the gratuitous ARP; the pair raises its VIPs
first and commits behind them. On a busy machine the commit waits for a core.`,
  'failover-faults': `One cluster of each program goes through all faults. Each figure spans the fault and the return of
the node, which preempts; where the master falls silent the outage is VRRP's master-down time of 3.6 s, less the time since its
last advertisement.`,
  'failover-planned': `From the request to the first advert of the other node: the replication is drained and the flows are
committed in between, while the old master goes on forwarding. The outage is that of the probe.`,
  start: `Half a second goes to Node.js, to reading the configuration and to the sockets; the worker thread starts after that
and reads the kernel's table with code that no compiler has seen yet.`,
  'vrrp-under-load': `keepstate's reader, its VRRP thread and the program that makes the events share two cores.`,
  'sync-churn': `The search stops at the first rate at which an event was lost or the program that makes them did not keep up,
so on a busy machine it ends early for either daemon.`,
  memory: `Resident memory beyond what the daemon had after 20,000 flows came and went. HashSize is 1,048,576 for both, which
conntrackd allocates at its start.`,
};
