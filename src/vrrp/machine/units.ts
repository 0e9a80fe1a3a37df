/**
 * Cuts the settings of a node into units: each sync group with its members, each instance in no
 * group. Pure.
 */
import type { InstanceSettings, SyncGroupSettings, VrrpSettings } from '../settings.js';
import type { UnitSettings } from './state.js';

/** What the role coordinator asks for one unit; see `UnitSettings`. */
export interface Binding {
  readonly commitBeforeVip: boolean;
  readonly commitBeforePreempt: boolean;
}

export const unbound: Binding = { commitBeforeVip: false, commitBeforePreempt: false };

/** Which units wait for the coordinator, by name of group or lone instance. */
export type Bindings = ReadonlyMap<string, Binding>;

/**
 * Groups first, then lone instances, each in configured order. A group without known members is no
 * unit.
 */
export function unitsOf(settings: VrrpSettings, bindings: Bindings): readonly UnitSettings[] {
  const taken = new Set<string>();
  const units: UnitSettings[] = [];
  const add = (name: string, isGroup: boolean, members: readonly InstanceSettings[]): void => {
    if (members.length === 0) return;
    const { startupDelay } = settings;
    units.push({ name, isGroup, members, startupDelay, ...(bindings.get(name) ?? unbound) });
  };
  for (const group of settings.groups) {
    const members = group.members.flatMap((name) => {
      const found = settings.instances.find((instance) => instance.name === name);
      return found === undefined || taken.has(name) ? [] : [found];
    });
    for (const member of members) taken.add(member.name);
    add(group.name, true, members);
  }
  for (const instance of settings.instances) {
    if (!taken.has(instance.name)) add(instance.name, false, [instance]);
  }
  return units;
}

/** The group that `instance` is a member of. */
export function groupOf(settings: VrrpSettings, instance: string): SyncGroupSettings | undefined {
  return settings.groups.find((group) => group.members.includes(instance));
}

/**
 * The unit that goes on as `unit` after a reload. undefined also where a member is now another
 * virtual router: what was won in one election says nothing about the other (keepalived 2.2.7
 * starts it anew as well).
 */
export function successorOf(
  unit: UnitSettings,
  wanted: readonly UnitSettings[],
): UnitSettings | undefined {
  const found = wanted.find((one) => one.name === unit.name && one.isGroup === unit.isGroup);
  const isOther = unit.members.some((before) =>
    found?.members.some((after) => after.name === before.name && !isSameRouter(before, after)),
  );
  return isOther ? undefined : found;
}

function isSameRouter(before: InstanceSettings, after: InstanceSettings): boolean {
  return (
    before.interfaceName === after.interfaceName &&
    before.family === after.family &&
    before.virtualRouterId === after.virtualRouterId &&
    before.unicastPeers.length > 0 === after.unicastPeers.length > 0
  );
}

/** Names of the instances that are no longer in it. */
export function leavingMembers(before: UnitSettings, after: UnitSettings): readonly string[] {
  const stay = new Set(after.members.map((member) => member.name));
  return before.members.map((member) => member.name).filter((name) => !stay.has(name));
}
