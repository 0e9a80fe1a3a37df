/** Short advertisement intervals need a scheduler that serves them at once. Pure. */
import { toMilliseconds } from '../../base/time.js';
import type { NodeSettings } from '../nodeSettings.js';
import { machineWarning, type MachineFinding } from './finding.js';

/** Below this, busy neighbours of the process make false masters (docs/decisions/scheduling.md). */
const shortInterval = 50;

type Instance = NodeSettings['vrrp']['instances'][number];

/** Instances that advertise more often than an ordinary process is surely served. */
export function hastyInstances({ vrrp, scheduling }: NodeSettings): readonly Instance[] {
  if (scheduling?.vrrp.realtime !== undefined) return [];
  return vrrp.instances.filter(
    ({ advertInterval }) => toMilliseconds(advertInterval) < shortInterval,
  );
}

/** What `check` and doctor say of one. */
export function hasteText({ name, advertInterval }: Instance): string {
  return (
    `${name} advertises every ${toMilliseconds(advertInterval)} ms without real-time scheduling: ` +
    'on a busy machine the peer takes the role for a moment'
  );
}

export const hasteRemedy = 'vrrp_rt_priority 50 in global_defs, or advert_int 0.05 and more';

export function withoutRealTime(settings: NodeSettings): readonly MachineFinding[] {
  return hastyInstances(settings).map((instance) =>
    machineWarning('fast-adverts', hasteText(instance), hasteRemedy, instance.name),
  );
}
