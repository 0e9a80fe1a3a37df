/** Settings for tests: keepalived's defaults, with what a test cares about laid over them. */
import { parseIp, type IpAddress } from '../../../src/base/ipAddress.js';
import { microseconds, seconds } from '../../../src/base/time.js';
import type {
  Authentication,
  GarpSettings,
  InstanceSettings,
  VirtualAddress,
} from '../../../src/vrrp/settings.js';
import type { UnitSettings } from '../../../src/vrrp/machine/state.js';

export function ip(text: string): IpAddress {
  const address = parseIp(text);
  if (address === undefined) throw new Error(`not an address: ${text}`);
  return address;
}

export function password(text: string): Authentication {
  const bytes = new Uint8Array(8);
  bytes.set(new TextEncoder().encode(text).subarray(0, 8));
  return { kind: 'pass', bytes };
}

export function vip(text: string): VirtualAddress {
  const address = ip(text);
  return {
    spec: { interfaceName: 'eth0', address, prefixLength: address.family === 4 ? 24 : 64 },
    isTracked: true,
  };
}

export const defaultGarp: GarpSettings = {
  masterDelay: seconds(5),
  masterRepeat: 5,
  masterRefresh: microseconds(0),
  masterRefreshRepeat: 1,
  lowerPrioDelay: seconds(5),
  lowerPrioRepeat: 5,
  garpInterval: microseconds(0),
  gnaInterval: microseconds(0),
};

const defaults: InstanceSettings = {
  name: 'A',
  interfaceName: 'eth0',
  family: 4,
  version: 2,
  virtualRouterId: 51,
  priority: 100,
  initialState: 'BACKUP',
  advertInterval: seconds(1),
  authentication: { kind: 'none' },
  preempt: true,
  nopreemptDisarmed: false,
  preemptDelay: microseconds(0),
  downTimerAdverts: 3,
  trackSourceAddress: false,
  unicastPeers: [],
  checkUnicastSource: false,
  unicastTtl: 255,
  multicastGroup: ip('224.0.0.18'),
  virtualAddresses: [vip('10.0.0.100')],
  excludedAddresses: [],
  virtualRoutes: [],
  virtualRules: [],
  promoteSecondaries: false,
  garp: defaultGarp,
  lowerPrioNoAdvert: false,
  higherPrioSendAdvert: false,
  skipCheckAdvertAddresses: false,
  strict: false,
  accept: true,
  trackPrimary: true,
  tracking: { interfaces: [], scripts: [], files: [], processes: [] },
  notify: { priorityChanges: false },
};

export type InstanceOverrides = Partial<Omit<InstanceSettings, 'garp'>> & {
  readonly garp?: Partial<GarpSettings>;
};

export function instanceSettings(overrides: InstanceOverrides = {}): InstanceSettings {
  const { garp, ...rest } = overrides;
  return { ...defaults, ...rest, garp: { ...defaultGarp, ...garp } };
}

/** A lone instance, or with several members a sync group named G. */
export function unitSettings(
  members: readonly InstanceSettings[] = [instanceSettings()],
  overrides: Partial<UnitSettings> = {},
): UnitSettings {
  const isGroup = overrides.isGroup ?? members.length > 1;
  return {
    name: isGroup ? 'G' : (members[0]?.name ?? ''),
    isGroup,
    members,
    startupDelay: microseconds(0),
    commitBeforeVip: false,
    commitBeforePreempt: false,
    ...overrides,
  };
}
