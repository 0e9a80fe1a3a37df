/**
 * Which settings of a running engine can be adopted in place, and what a new engine takes over from
 * the old one.
 */
import type { SyncSettings } from '../settings.js';

/** A change of one of these cannot. */
const restartingKeys = [
  'mode',
  'links',
  'resendQueueSize',
  'ackWindowSize',
  'disableExternalCache',
  'disableInternalCache',
  'refreshTimeSeconds',
  'expectationSync',
  'hashLimit',
  'netlinkBufferBytes',
  'netlinkBufferMaxGrowthBytes',
  'netlinkEventsReliable',
  'pollSeconds',
  'filter',
  'tcpWindowTracking',
  'commitTimeoutSeconds',
  'peerPort',
  'nodeName',
  'acceptAnySource',
  'multicastPeers',
] as const satisfies readonly (keyof SyncSettings)[];

/** Whether the engine must be started afresh, which fills its caches again. */
export function needsRestart(before: SyncSettings, after: SyncSettings): boolean {
  // Keys change in place: a rotation costs no event.
  if (before.seal?.encrypts !== after.seal?.encrypts) return true;
  if (before.seal?.isMultihop !== after.seal?.isMultihop) return true;
  return restartingKeys.some((key) => JSON.stringify(after[key]) !== JSON.stringify(before[key]));
}

/** Whether the external cache stays: it depends on nothing else. */
export function canInherit(before: SyncSettings, after: SyncSettings): boolean {
  return (
    before.mode === after.mode &&
    before.hashLimit === after.hashLimit &&
    !before.disableExternalCache &&
    !after.disableExternalCache
  );
}
