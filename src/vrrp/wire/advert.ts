/** What an instance says about itself: settings and a priority make the advertisement. */
import type { IpAddress } from '../../base/ipAddress.js';
import { advertisementType, authenticationTypes, type Advert } from './packet.js';
import type { InstanceSettings } from '../settings.js';

/**
 * The advertisement of `settings` with `priority` (effective, or 0 when leaving). Lists every
 * `virtual_ipaddress` in configured order, never the excluded ones (keepalived 2.2.7).
 */
export function advertOf(settings: InstanceSettings, priority: number): Advert {
  const fields = {
    type: advertisementType,
    virtualRouterId: settings.virtualRouterId,
    priority,
    addresses: listedAddresses(settings),
  };
  if (settings.version === 3) {
    return { version: 3, ...fields, intervalCentiseconds: intervalOnWire(settings) };
  }
  const hasPassword = settings.authentication.kind === 'pass';
  return {
    version: 2,
    ...fields,
    authenticationType: hasPassword ? authenticationTypes.simplePassword : authenticationTypes.none,
    intervalSeconds: intervalOnWire(settings),
    authenticationData: authenticationData(settings),
  };
}

export function listedAddresses(settings: InstanceSettings): readonly IpAddress[] {
  return settings.virtualAddresses.map((vip) => vip.spec.address);
}

/** Whole seconds in version 2, centiseconds in version 3. */
export function intervalOnWire(settings: InstanceSettings): number {
  return Math.round(settings.advertInterval / (settings.version === 2 ? 1_000_000 : 10_000));
}

function authenticationData(settings: InstanceSettings): Uint8Array {
  if (settings.family === 6) return new Uint8Array(0);
  return settings.authentication.kind === 'pass'
    ? settings.authentication.bytes
    : new Uint8Array(8);
}
