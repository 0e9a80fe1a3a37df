/** Which reports the coordinator hears, and as what. */
import { milliseconds } from '../../../src/base/time.js';
import { toCoordinator } from '../../../src/daemon/worker/syncReports.js';
import { nothingCommitted, type SyncReport } from '../../../src/sync/messages.js';
import { sampleSync } from '../../support/daemon/statusSamples.js';

const merge = { created: 1, failed: 2, durationMs: 3 };

const heard: readonly (readonly [SyncReport, unknown])[] = [
  [{ kind: 'ready', filled: 1, durationMs: 1 }, { kind: 'workerReady' }],
  [
    { kind: 'commitProgress', epoch: 4, committed: 7 },
    { kind: 'commitProgress', epoch: 4 },
  ],
  [
    { kind: 'committed', epoch: 4, ...nothingCommitted },
    { kind: 'committed', epoch: 4, summary: nothingCommitted },
  ],
  [{ kind: 'caughtUp', entries: 9 }, { kind: 'caughtUp' }],
  [
    { kind: 'status', status: { ...sampleSync, state: 'synchronising' } },
    { kind: 'peer', peerKind: sampleSync.peer.kind, isSynchronised: false },
  ],
  [
    { kind: 'result', id: -2, ok: false, message: 'no', counts: {}, durationMs: 1 },
    { kind: 'result', id: -2, ok: false, message: 'no' },
  ],
  [
    { kind: 'handoverOffered', from: '10.0.0.2' },
    { kind: 'handoverOffered', from: '10.0.0.2' },
  ],
  [{ kind: 'handoverGranted' }, { kind: 'handoverGranted', hasResigned: true }],
  [
    { kind: 'mergeReady', epoch: 5 },
    { kind: 'mergeReady', epoch: 5 },
  ],
  [
    { kind: 'merged', epoch: 5, ...merge },
    { kind: 'merged', epoch: 5, summary: merge },
  ],
  [
    { kind: 'peerYielded', name: 'fw2', masterMs: 1_500, agoMs: 20 },
    {
      kind: 'peerYielded',
      name: 'fw2',
      masterFor: milliseconds(1_500),
      ago: milliseconds(20),
    },
  ],
  [{ kind: 'yieldAnswered' }, { kind: 'yieldAnswered' }],
];

test.each(heard.map(([report, event]) => [report.kind, report, event] as const))(
  '%s is an event',
  (_kind, report, event) => {
    expect(toCoordinator(report, () => true)).toEqual(event);
  },
);

test.each<SyncReport>([
  { kind: 'takeoverDone', epoch: 1, bulkEntries: 1 },
  { kind: 'purged' },
  { kind: 'stopRequested' },
  { kind: 'yieldMerged', ...merge },
  { kind: 'log', level: 'info', message: 'm', fields: {} },
])('$kind is for the node alone', (report) => {
  expect(toCoordinator(report, () => true)).toBeUndefined();
});
