/**
 * What the world says about one instance, as the machine takes it: trackers, interfaces, source,
 * socket. Pure.
 */
import type { IpAddress } from '../../base/ipAddress.js';
import { chooseSource, type KernelView } from '../addresses/interfaceAddresses.js';
import type { Conditions } from '../machine/events.js';
import type { InstanceSettings, VrrpSettings } from '../settings.js';
import { judgeTracking, type Observations } from './observations.js';
import { interfacesOf } from './trackers.js';
import { groupOf } from '../machine/units.js';

/**
 * Without the socket, which the executor opens with the source found here. `lingering`: an address
 * that has just gone, and may be replaced, counts as if it were there.
 */
export function conditionsOf(
  settings: VrrpSettings,
  instance: InstanceSettings,
  seen: Observations,
  kernel: KernelView,
  lingering?: IpAddress,
): Conditions {
  const tracked = judgeTracking(settings, instance, groupOf(settings, instance.name), seen);
  const down = [...interfacesOf(instance)].filter((name) => seen.interfaces.get(name) === 'bad');
  const faults = down.map((name) => `interface ${name} is down`);
  const found = chooseSource(instance, kernel);
  const source = 'missing' in found ? (lingering ?? found) : found;
  if ('missing' in source) faults.push(source.missing);
  return {
    faults: [...new Set([...faults, ...tracked.faults])],
    awaiting: tracked.awaiting,
    contributions: tracked.contributions,
    sourceAddress: 'missing' in source ? undefined : source,
  };
}

/** Whether a step would see any difference between the two. */
export function sameConditions(a: Conditions, b: Conditions): boolean {
  return JSON.stringify(plain(a)) === JSON.stringify(plain(b));
}

function plain(conditions: Conditions): unknown {
  const { sourceAddress, lostSource } = conditions;
  return {
    ...conditions,
    sourceAddress: sourceAddress?.bytes.join('.'),
    lostSource: lostSource?.bytes.join('.'),
  };
}
