/** `failover --stay`: the role that was handed over for a restart stays where it is after it. */
import type { VrrpRouter } from '../../vrrp/router.js';
import type { RoleMemory } from '../disk/roleMemory.js';

/**
 * To be called when the router has started; a preemption that is asked for already is withdrawn.
 */
export function holdAfterRestart(
  router: Pick<VrrpRouter, 'unitNames' | 'holdPreemption'>,
  { holds }: Pick<RoleMemory, 'holds'>,
): void {
  if (!holds) return;
  for (const unit of router.unitNames) {
    router.holdPreemption(unit, 'the role was handed over before the restart');
  }
}
