/** Which of the worker's reports the role coordinator hears, and as what. Pure. */
import { milliseconds } from '../../base/time.js';
import type { SyncReport } from '../../sync/messages.js';
import type { CoordinatorInput } from '../../coordinator/runner.js';

/** `masterHasResigned`: the MASTER of the bound unit said priority 0 within the last second. */
export function toCoordinator(
  report: SyncReport,
  masterHasResigned: () => boolean,
): CoordinatorInput | undefined {
  switch (report.kind) {
    case 'ready':
      return { kind: 'workerReady' };
    case 'commitProgress':
      return { kind: 'commitProgress', epoch: report.epoch };
    case 'committed': {
      const { kind, epoch, ...summary } = report;
      return { kind, epoch, summary };
    }
    case 'caughtUp':
      return { kind: 'caughtUp' };
    case 'status':
      return {
        kind: 'peer',
        peerKind: report.status.peer.kind,
        isSynchronised: report.status.state === 'synchronised',
      };
    case 'result': {
      const { id, ok, message } = report;
      return { kind: 'result', id, ok, message };
    }
    case 'handoverOffered':
      return { kind: report.kind, ...senderOf(report) };
    case 'handoverGranted':
      return { kind: report.kind, ...senderOf(report), hasResigned: masterHasResigned() };
    case 'takeoverDone':
    case 'purged':
    case 'stopRequested':
    case 'log':
      return undefined;
    default:
      return ofSplit(report);
  }
}

type SplitReport = Extract<
  SyncReport,
  {
    kind:
      | 'mergeProgress'
      | 'mergeReady'
      | 'mergeFailed'
      | 'merged'
      | 'peerYielded'
      | 'yieldAnswered'
      | 'yieldMerged';
  }
>;

function ofSplit(report: SplitReport): CoordinatorInput | undefined {
  switch (report.kind) {
    case 'mergeProgress':
    case 'mergeReady':
    case 'mergeFailed':
      return { kind: report.kind, epoch: report.epoch };
    case 'merged': {
      const { epoch, created, failed, durationMs } = report;
      return { kind: 'merged', epoch, summary: { created, failed, durationMs } };
    }
    case 'peerYielded': {
      const { name, masterMs, agoMs } = report;
      const [masterFor, ago] = [milliseconds(masterMs), milliseconds(agoMs)];
      return { kind: 'peerYielded', name, masterFor, ago, ...senderOf(report) };
    }
    case 'yieldAnswered':
      return { kind: 'yieldAnswered' };
    case 'yieldMerged':
    default:
      return undefined;
  }
}

function senderOf({ from }: { readonly from?: string }): { readonly from?: string } {
  return from === undefined ? {} : { from };
}
