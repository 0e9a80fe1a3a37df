/** What each part of a node reads out of its settings. Pure. */
import type { CommandPolicy } from '../alert/alertSettings.js';
import type { NodeSettings } from '../config/nodeSettings.js';
import type { SyncMode, WorkerSettings } from '../sync/settings.js';
import type { InstanceSettings } from '../vrrp/settings.js';
import type { Bindings } from '../vrrp/machine/units.js';
import type { CoordinatorSettings } from '../coordinator/vocabulary.js';
import type { SyncPicture } from './worker/workerSupervisor.js';

export function coordinatorSettings(settings: NodeSettings): CoordinatorSettings {
  const { commitDeadline, commitLimit, preemptSyncTimeout } = settings.keepstate;
  const preempts = boundInstances(settings).some(({ preempt }) => preempt);
  return { commitDeadline, commitLimit, preemptSyncTimeout, preempts };
}

/** Instances whose role drives the sync engine; all of them where none does. */
function boundInstances({ binding, vrrp }: NodeSettings): readonly InstanceSettings[] {
  const { instances, groups } = vrrp;
  if (binding.kind === 'none') return instances;
  const members =
    binding.kind === 'instance'
      ? [binding.name]
      : groups.find(({ name }) => name === binding.name)?.members;
  return instances.filter(({ name }) => members?.includes(name));
}

export function bindingsOf({ binding, sync, keepstate }: NodeSettings): Bindings {
  if (binding.kind === 'none' || sync === undefined) return new Map();
  const { commitBeforeVip } = keepstate;
  return new Map([[binding.name, { commitBeforeVip, commitBeforePreempt: commitBeforeVip }]]);
}

/** Whom commands of alarms run as: as notify scripts. */
export function commandPolicy({ vrrp }: NodeSettings): CommandPolicy {
  const { scriptUser, enableScriptSecurity } = vrrp;
  return { ...(scriptUser === undefined ? {} : { scriptUser }), enableScriptSecurity };
}

/** undefined where nothing is replicated and no ended connection is logged: there is no worker. */
export function workerSettings({ sync, statistics }: NodeSettings): WorkerSettings | undefined {
  if (sync === undefined && statistics === undefined) return undefined;
  return {
    ...(sync === undefined ? {} : { sync }),
    ...(statistics === undefined ? {} : { statistics }),
  };
}

/** What the worker says of itself, for each of the two things that it does. */
export function workerViews(
  { sync, statistics }: NodeSettings,
  picture: SyncPicture | undefined,
): {
  readonly sync: (SyncPicture & { readonly mode: SyncMode }) | undefined;
  readonly statistics: (SyncPicture & { readonly json: boolean }) | undefined;
} {
  const isThere = picture !== undefined;
  return {
    sync: isThere && sync !== undefined ? { ...picture, mode: sync.mode } : undefined,
    statistics:
      isThere && statistics !== undefined ? { ...picture, json: statistics.json } : undefined,
  };
}
