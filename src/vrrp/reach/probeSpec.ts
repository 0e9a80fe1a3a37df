/** From the settings of a target to what is asked of the kernel. Pure. */
import { formatIp } from '../../base/ipAddress.js';
import type { ProbeSpec } from '../../net/ports.js';
import type { TargetAddress, TrackTargetSettings } from '../settings.js';

/** `icmp 198.51.100.1`, `tcp 198.51.100.1 443`. */
export function addressText(address: TargetAddress): string {
  const text = `${address.kind} ${formatIp(address.address)}`;
  return address.kind === 'tcp' ? `${text} ${address.port}` : text;
}

export function specOf(settings: TrackTargetSettings, address: TargetAddress): ProbeSpec {
  const { interfaceName, source, ttl, size } = settings;
  const common = {
    address: address.address,
    ...(interfaceName === undefined ? {} : { interfaceName }),
    ...(source === undefined ? {} : { source }),
    ...(ttl === undefined ? {} : { ttl }),
  };
  switch (address.kind) {
    case 'icmp':
      return { ...common, kind: 'icmp', size };
    case 'arp':
      // The configuration refuses ARP without an interface.
      return { ...common, kind: 'arp', interfaceName: interfaceName ?? '' };
    case 'tcp':
      return { ...common, kind: 'tcp', port: address.port };
  }
}
