/** Which of the worker's reports the role coordinator hears, and as what. Pure. */
import { milliseconds } from '../../base/time.js';
import type { SyncReport } from '../../sync/messages.js';
import type { CoordinatorInput } from '../../coordinator/runner.js';

/** `masterHasResigned`: the MASTER of the bound unit said priority 0 within the last second. */
export function toCoordinator(
  report: SyncReport,
  masterHasResigned: () => boolean,
): CoordinatorInput | undefined {
  // The table's type pairs each kind with its report; TypeScript cannot follow the pairing through
  // the index.
  const translate = translations[report.kind] as (
    report: SyncReport,
    masterHasResigned: () => boolean,
  ) => CoordinatorInput | undefined;
  return translate(report, masterHasResigned);
}

type Translations = {
  readonly [Kind in SyncReport['kind']]: (
    report: Extract<SyncReport, { kind: Kind }>,
    masterHasResigned: () => boolean,
  ) => CoordinatorInput | undefined;
};

const notHeard = (): undefined => undefined;

const translations: Translations = {
  listening: notHeard,
  ready: () => ({ kind: 'workerReady' }),
  commitProgress: ({ kind, epoch }) => ({ kind, epoch }),
  committed: ({ kind, epoch, ...summary }) => ({ kind, epoch, summary }),
  caughtUp: ({ kind }) => ({ kind }),
  status: ({ status: { peer, state } }) => ({
    kind: 'peer',
    peerKind: peer.kind,
    isSynchronised: state === 'synchronised',
  }),
  result: ({ kind, id, ok, message }) => ({ kind, id, ok, message }),
  handoverOffered: (report) => ({ kind: report.kind, ...senderOf(report) }),
  handoverGranted: (report, masterHasResigned) => ({
    kind: report.kind,
    ...senderOf(report),
    hasResigned: masterHasResigned(),
  }),
  mergeProgress: ({ kind, epoch }) => ({ kind, epoch }),
  mergeReady: ({ kind, epoch }) => ({ kind, epoch }),
  mergeFailed: ({ kind, epoch }) => ({ kind, epoch }),
  merged: ({ kind, epoch, created, failed, durationMs }) => ({
    kind,
    epoch,
    summary: { created, failed, durationMs },
  }),
  peerYielded: (report) => ({
    kind: report.kind,
    name: report.name,
    masterFor: milliseconds(report.masterMs),
    ago: milliseconds(report.agoMs),
    ...senderOf(report),
  }),
  yieldAnswered: ({ kind }) => ({ kind }),
  yieldMerged: notHeard,
  takeoverDone: notHeard,
  targetsTold: notHeard,
  purged: notHeard,
  stopRequested: notHeard,
  statistics: notHeard,
  log: notHeard,
  recorded: notHeard,
  peerSealed: notHeard,
};

function senderOf({ from }: { readonly from?: string }): { readonly from?: string } {
  return from === undefined ? {} : { from };
}
