/** What each part of a node reads out of its settings. Pure. */
import type { NodeSettings } from '../config/nodeSettings.js';
import type { InstanceSettings } from '../vrrp/settings.js';
import type { Bindings } from '../vrrp/machine/units.js';
import type { CoordinatorSettings } from '../coordinator/vocabulary.js';

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
