/** garp_* of an instance over the global ones (keepalived 2.2.7, chapter on gratuitous ARP). */
import { seconds, type Microseconds } from '../../base/time.js';
import type { GarpSettings } from '../../vrrp/settings.js';
import type { RootValues } from '../keywords/rootRows.js';
import { allItems, valueOf, type BuildContext } from './context.js';
import { atLeastOne } from './globals.js';
import type { InstanceValues } from './instanceBlock.js';

/** `garp_group`: pacing of one interface. */
export interface GarpPacing {
  readonly garpInterval?: Microseconds;
  readonly gnaInterval?: Microseconds;
}

/** Pacing by interface name. */
export function garpPacing(
  root: RootValues,
  { problems }: BuildContext,
): ReadonlyMap<string, GarpPacing> {
  const pacing = new Map<string, GarpPacing>();
  for (const { value, at } of root.garp_group) {
    const { values } = value;
    const garp = valueOf(values.garp_interval);
    const gna = valueOf(values.gna_interval);
    const names = allItems(values.interfaces).flatMap((located) => located.value);
    for (const name of [...values.interface.map((located) => located.value), ...names]) {
      if (pacing.has(name)) {
        const message = `'${name}' stands in a garp_group already; the first one counts`;
        problems.warning(at, 'garp-group-twice', message, {
          expected: 'one garp_group for each interface',
        });
        continue;
      }
      pacing.set(name, {
        ...(garp === undefined ? {} : { garpInterval: seconds(garp) }),
        ...(gna === undefined ? {} : { gnaInterval: seconds(gna) }),
      });
    }
  }
  return pacing;
}

/** garp_lower_prio_* fall back to the global values, not to the instance's own garp_master_*. */
export function buildGarp(
  values: InstanceValues,
  defaults: GarpSettings,
  strict: boolean,
  pacing: GarpPacing | undefined,
  context: BuildContext,
): GarpSettings {
  const delay = (value: number | undefined, otherwise: Microseconds): Microseconds =>
    value === undefined ? otherwise : seconds(value);
  return {
    masterDelay: delay(valueOf(values.garp_master_delay), defaults.masterDelay),
    masterRepeat: atLeastOne(values.garp_master_repeat, context) ?? defaults.masterRepeat,
    masterRefresh: delay(valueOf(values.garp_master_refresh), defaults.masterRefresh),
    masterRefreshRepeat:
      atLeastOne(values.garp_master_refresh_repeat, context) ?? defaults.masterRefreshRepeat,
    lowerPrioDelay: strict
      ? seconds(0)
      : delay(valueOf(values.garp_lower_prio_delay), defaults.lowerPrioDelay),
    lowerPrioRepeat: strict
      ? 0
      : (valueOf(values.garp_lower_prio_repeat) ?? defaults.lowerPrioRepeat),
    garpInterval: pacing?.garpInterval ?? defaults.garpInterval,
    gnaInterval: pacing?.gnaInterval ?? defaults.gnaInterval,
  };
}
