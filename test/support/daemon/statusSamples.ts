/** Parts of a healthy MASTER's status: monotonic time 1,000 s, wall clock 1,700,000,000 s. */
import { microseconds, seconds } from '../../../src/base/time.js';
import type { SyncStatus } from '../../../src/sync/messages.js';
import { zeroCounters } from '../../../src/vrrp/machine/counters.js';
import type { InstanceSnapshot, UnitSnapshot } from '../../../src/vrrp/status/snapshot.js';

const wallClock = seconds(1_700_000_000);

export const sampleInstance: InstanceSnapshot = {
  name: 'VI',
  unit: 'VI',
  state: 'MASTER',
  since: microseconds(wallClock - 5_000_000),
  reason: 'no master was heard',
  interface: 'eth0',
  family: 4,
  version: 2,
  vrid: 51,
  priority: 100,
  effectivePriority: 100,
  sourceAddress: '10.0.0.1',
  vips: [{ text: '10.0.0.9/24 dev eth1', state: 'set', isPresent: true, isExcluded: false }],
  routes: [],
  master: undefined,
  faults: [],
  awaiting: [],
  vipsWait: false,
  counters: zeroCounters,
  problems: [],
  lastAdvertSent: undefined,
  masterAdvertInterval: seconds(1),
};

export const sampleUnit: UnitSnapshot = {
  name: 'VI',
  isGroup: false,
  state: 'MASTER',
  since: sampleInstance.since,
  reason: sampleInstance.reason,
  epoch: 1,
  members: ['VI'],
  preemption: 'free',
  heldBecause: undefined,
  inMaintenance: false,
};

export const sampleCounts = {
  entries: 10,
  expectations: 0,
  created: 0,
  createFailed: 0,
  updated: 0,
  updateFailed: 0,
  destroyed: 0,
  destroyFailed: 0,
  limit: 100,
};

export const sampleSync: SyncStatus = {
  state: 'synchronised',
  mode: 'FTFW',
  internal: sampleCounts,
  external: sampleCounts,
  commitInProgress: false,
  lastCommit: {
    entries: 5,
    failed: 0,
    expectations: 0,
    durationMs: 2,
    ...{ cancelled: false, tableFull: false, untried: 0, expectationsFailed: 0 },
    at: seconds(990),
  },
  overruns: 0,
  netlinkBufferBytes: 1,
  resyncs: 0,
  events: { received: 0, filtered: 0, own: 0, malformed: 0, unknownAttributes: 0 },
  peer: {
    kind: 'keepstate',
    name: 'fw2',
    lastHeard: seconds(999),
    lost: 0,
    before: 0,
    malformed: 0,
    malformedBy: {},
    strangers: 0,
    unknownAttributes: 0,
  },
  parity: 'equal',
  links: [],
  queues: { transmit: 0, resend: 0, resendLimit: 1, resendDropped: 0 },
  lateness: { p50Ms: 0, p99Ms: 0, maxMs: 0 },
  memoryBytes: { tables: 0, rss: 0 },
};
