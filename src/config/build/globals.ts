/** `global_defs`, which may stand several times: one set of values with their defaults. */
import { formatIp, isMulticast, parseIp, type IpAddress } from '../../base/ipAddress.js';
import type { GarpSettings, VrrpVersion } from '../../vrrp/settings.js';
import { seconds } from '../../base/time.js';
import type { RootValues } from '../keywords/rootRows.js';
import type { globalRows } from '../keywords/globalRows.js';
import { last, type Located, type Values } from '../table/row.js';
import type { Acceptance } from '../acceptedWarnings.js';
import { valueOf, type BuildContext } from './context.js';

export type GlobalValues = Values<typeof globalRows>;

/** All `global_defs` blocks as one, later ones behind earlier ones. */
export function mergeGlobals(root: RootValues, rows: typeof globalRows): GlobalValues {
  const merged: Record<string, readonly Located<unknown>[]> = {};
  for (const name of Object.keys(rows) as (keyof typeof globalRows)[]) {
    merged[name] = root.global_defs.flatMap(
      ({ value }): readonly Located<unknown>[] => value.values[name],
    );
  }
  // Each key holds the values of its own row.
  return merged as GlobalValues;
}

export function acceptancesOf(globals: GlobalValues): readonly Acceptance[] {
  return globals.accept_warning.map(({ value }) => value);
}

/** What instances inherit. */
export interface InstanceDefaults {
  readonly version: VrrpVersion;
  readonly strict: boolean;
  readonly garp: GarpSettings;
  readonly lowerPrioNoAdvert: boolean;
  readonly higherPrioSendAdvert: boolean;
  readonly downTimerAdverts: number;
  readonly skipCheckAdvertAddresses: boolean;
  readonly checkUnicastSource: boolean;
  readonly multicastGroup4: IpAddress;
  readonly multicastGroup6: IpAddress;
  readonly notifyPriorityChanges: boolean;
}

/** The IPv4 and IPv6 groups of VRRP (RFC 5798 section 5.1). */
const group4: IpAddress = parseIp('224.0.0.18') ?? {
  family: 4,
  bytes: Uint8Array.of(224, 0, 0, 18),
};
const group6: IpAddress = parseIp('ff02::12') ?? { family: 6, bytes: new Uint8Array(16) };

export function instanceDefaults(globals: GlobalValues, context: BuildContext): InstanceDefaults {
  return {
    version: valueOf(globals.vrrp_version) === '3' ? 3 : 2,
    strict: valueOf(globals.vrrp_strict) ?? false,
    garp: garpDefaults(globals, context),
    lowerPrioNoAdvert: valueOf(globals.vrrp_lower_prio_no_advert) ?? false,
    higherPrioSendAdvert: valueOf(globals.vrrp_higher_prio_send_advert) ?? false,
    downTimerAdverts: valueOf(globals.vrrp_down_timer_adverts) ?? 3,
    skipCheckAdvertAddresses: valueOf(globals.vrrp_skip_check_adv_addr) ?? false,
    checkUnicastSource: valueOf(globals.vrrp_check_unicast_src) ?? false,
    multicastGroup4: group(globals.vrrp_mcast_group4, context) ?? group4,
    multicastGroup6: group(globals.vrrp_mcast_group6, context) ?? group6,
    notifyPriorityChanges: valueOf(globals.vrrp_notify_priority_changes) ?? false,
  };
}

/** Advertisements to anything else than a group would reach one host, or none. */
function group(
  values: readonly Located<IpAddress>[],
  { problems }: BuildContext,
): IpAddress | undefined {
  const located = last(values);
  if (located === undefined || isMulticast(located.value)) return located?.value;
  const { value, at, keyword } = located;
  problems.error(at, 'bad-address', `${formatIp(value)} of '${keyword}' is no multicast group`, {
    expected: value.family === 4 ? '224.0.0.0/4' : 'ff02::/16',
  });
  return undefined;
}

/**
 * Defaults of keepalived 2.2.7: two blocks of 5, 5 seconds apart; lower_prio_* follow the master
 * values.
 */
function garpDefaults(globals: GlobalValues, context: BuildContext): GarpSettings {
  const isMinimal = valueOf(globals.vrrp_min_garp) ?? false;
  const delay = valueOf(globals.vrrp_garp_master_delay) ?? (isMinimal ? 0 : 5);
  const repeat = atLeastOne(globals.vrrp_garp_master_repeat, context) ?? (isMinimal ? 1 : 5);
  return {
    masterDelay: seconds(delay),
    masterRepeat: repeat,
    masterRefresh: seconds(valueOf(globals.vrrp_garp_master_refresh) ?? 0),
    masterRefreshRepeat: atLeastOne(globals.vrrp_garp_master_refresh_repeat, context) ?? 1,
    lowerPrioDelay: seconds(valueOf(globals.vrrp_garp_lower_prio_delay) ?? delay),
    lowerPrioRepeat: valueOf(globals.vrrp_garp_lower_prio_repeat) ?? repeat,
    garpInterval: seconds(valueOf(globals.vrrp_garp_interval) ?? 0),
    gnaInterval: seconds(valueOf(globals.vrrp_gna_interval) ?? 0),
  };
}

/** 0 packets would announce nothing: raised to 1, as keepalived does. */
export function atLeastOne(
  values: readonly Located<number>[],
  { problems }: BuildContext,
): number | undefined {
  const located = values.at(-1);
  if (located === undefined || located.value > 0) return located?.value;
  const message = `'${located.keyword} 0' is taken as 1: no packet would announce nothing`;
  problems.warning(located.at, 'out-of-range', message, {
    expected: 'at least 1',
    fix: { kind: 'line', line: `${located.keyword} 1` },
  });
  return 1;
}
