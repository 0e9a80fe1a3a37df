/** What stands below a benchmark's table in docs/figures.md: what was measured, and what the profile shows. */
export const notes: Readonly<Record<string, string>> = {
  'sync-burst': `CPU of the whole daemon, all its threads and the kernel's work for it, from the first event until
both caches are empty again; keepstate's includes VRRP and the control socket. A profile of the sender (perf, all threads, 2.1 us
per event): \`recvmmsg\` 40 %, one message of the kernel after the other, most of it for bytes that another core has just written and for
giving their memory back; \`sendmsg\` 4 %, the peer's receiving included, since both nodes share a kernel; JavaScript 45 to 50 %, more
than half of it waiting for memory: with hot caches the JavaScript of an event, from decoding to datagram, takes 0.39 us, in the
daemon 0.95, because the kernel's buffers pass through the same caches and the record of a flow and its place in the index are touched
at birth, death and acknowledgement. The goal of 0.45 leaves 1.7 us; 0.8 of them is the kernel's part, which a C program that does nothing
but \`recvmmsg\` pays too. Tried without gain: fetching the places of a whole batch ahead (0 to 4 %), huge pages for tables or for Node.js,
batches of 64 and 128, more inlining by the compiler, an index of few large arrays, a ring in place of the linked resend queue. The ratio moves between 0.46 and 0.60, from burst to burst of one process, because
the machine shares its last cache with others: a walk through 13 MiB takes 32 ns a step at one time and 165 at another (the same program,
a minute apart), which keepstate's share of waiting follows and conntrackd's system calls do not. Where the scheduler puts the program that
makes the events on the sender's core, conntrackd costs 6.4 us and keepstate 2.0 (0.31); with the events on one core and both daemons of a
pair on the other, keepstate costs 1.7 to 1.9 and conntrackd 3.4 to 4.4. Machines of the same kind differ: on another one a whole run gave
1.69 against 4.86 us (0.35; receiver 0.30) at 100,000 flows, 0.46 and 0.59 at 1,000 events per second, 0.21 and 0.49 at 5,000.`,
  'sync-1000-per-second': `At everyday rates the wake-up is the cost, 60-80 us for a thread of Node.js and some 20-45 us for
conntrackd. After a light batch keepstate rests 5 ms, so that five events share one; the lag below contains this rest.`,
  'sync-idle': `What is left are some thirteen wake-ups a second, each of which finds cold caches: four looks at the roles, one
advert and the file that remembers it, four ticks of the engine, one hello, digest and status each. After events the
engine ticks ten times a second for two seconds.`,
  'statistics-ended': `A connection begins and ends, so that each line has two events. The program that makes them runs before all threads, and
both daemons at real-time priority, as conntrackd does by itself. CPU is per line that is in the file at the end. conntrackd writes each line by
itself, and where a core is not enough for it, it loses events; keepstate writes what came meanwhile at once.`,
  'busy-loops': `The program that makes the flows runs before all threads, as the kernel's work on packets does; the loops are of
ordinary priority. The time counts from the last flow until both caches hold all. keepstate notices by the drop counter of its socket what the
reliable events did not tell, and compares with the kernel; a conntrackd compares never, and what it lacks then it lacks for good.`,
  'sync-lag': `The receiver runs with DisableExternalCache, so that the peer's flow appears in its kernel; both kernels
note the time of creation (\`nf_conntrack_timestamp\`), and nobody else watches. keepstate's figure is its rest after
light batches; conntrackd wakes for each event and pays for it above.`,
  'sync-overload': `Both run as real-time threads, as conntrackd does by default, and may thus interrupt the injector: a
reader that takes turns with it loses nothing. What keepstate lost came back by its comparison with the kernel, which
starts at once.`,
  'failover-million': `The kernel's table of this machine has 262,144 buckets, the two nodes of the laboratory share it, and
2,000,000 flows in it make each insertion slow. Lateness is the time between two adverts beyond the interval.`,
  'vrrp-500-instances': `A wake-up per advert costs keepstate some 40 us, half of it the machine's step and a sixth the packet; the
picture of the roles that the daemon takes once a second, 0.3 ms, and the file that remembers them as much.`,
  failover: `Both daemons got the same lines \`vrrp_priority -20\` and \`Scheduler { Type RR; Priority 50 }\`; client, server
and probe run before both, since they stand for other machines. keepstate
commits an advertisement interval before its master-down time is over, while the master is silent, so that the VIPs wait for nothing
but what is left of it; the pair raises its VIPs first and commits behind them.`,
  'failover-faults': `One cluster of each program goes through all faults. Each figure spans the fault and the return of
the node, which preempts; where the master falls silent the outage is VRRP's master-down time of 3.6 s, less the time since its
last advertisement.`,
  'failover-planned': `From the request to the first advert of the other node: the replication is drained and the flows are
committed in between, while the old master goes on forwarding. The outage is that of the probe. No priorities are set. Nine tenths of the
commit are the kernel's work, a quarter of it events that it builds only because both nodes share a kernel
(docs/decisions/flow-injection.md).`,
  start: `Half a second goes to Node.js, to reading the configuration and to the sockets; the worker thread starts after that
and reads the kernel's table with code that no compiler has seen yet.`,
  'conntrack-dump': `A pause of the loop is its own work or the wait for a core; the CPU that it used itself is stated beside it. One
\`recvmsg\` of a dump hands over at most 32 KiB.`,
  'vrrp-under-load': `keepstate's reader, its VRRP thread and the program that makes the events share two cores.`,
  'sync-churn': `A rate is borne where nothing was lost, the program that makes the events kept its pace and the peer's cache is empty
afterwards; each is tried three times. Both daemons run before ordinary programs and share two cores with the one that makes the
events: what ends the search is, for either, the pace of that program, which needs 4 us of a core per event and makes 240,000 to 250,000 a
second at most beside any listener. conntrackd bears that too, so there is no room for twice as many on this machine; a machine on
which a program makes more events than conntrackd bears has more cores than two. What each costs at a rate that both bear is
stated instead: cores of both nodes together.`,
  memory: `Resident memory beyond what the daemon had after 20,000 flows came and went. HashSize is 1,048,576 for both, which
conntrackd allocates at its start.`,
};
