/** What each part of a node reads out of its settings. Pure. */
import type { IpAddress } from '../base/ipAddress.js';
import type { NodeSettings } from '../config/nodeSettings.js';
import type { VrrpSettings } from '../vrrp/settings.js';
import type { Bindings } from '../vrrp/machine/units.js';
import type { CoordinatorSettings } from '../coordinator/vocabulary.js';

/** All addresses that move with a role. */
export function virtualAddresses(vrrp: VrrpSettings): readonly IpAddress[] {
  return vrrp.instances.flatMap((instance) =>
    [...instance.virtualAddresses, ...instance.excludedAddresses].map((vip) => vip.spec.address),
  );
}

export function coordinatorSettings({ keepstate }: NodeSettings): CoordinatorSettings {
  const { commitDeadline, commitLimit, preemptSyncTimeout } = keepstate;
  return { commitDeadline, commitLimit, preemptSyncTimeout };
}

export function bindingsOf({ binding, sync, keepstate }: NodeSettings): Bindings {
  if (binding.kind === 'none' || sync === undefined) return new Map();
  const { commitBeforeVip } = keepstate;
  return new Map([[binding.name, { commitBeforeVip, commitBeforePreempt: commitBeforeVip }]]);
}
