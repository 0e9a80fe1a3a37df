/**
 * Which address of a unit is announced first. While one side's neighbours send to the new MASTER
 * and the other side's still to the old one, flows run through both kernels, and each sees half of
 * them. The old kernel calls what it sees INVALID. In its forward chain that is dropped and sent
 * again; but what is for an address that NAT uses is for the node itself, which answers with a
 * reset. So addresses that NAT uses move first, the others in configured order.
 */
import { formatIp } from '../../base/ipAddress.js';
import type { AddressSpec } from '../../net/ports.js';
import type { UnitAction } from '../machine/actions.js';
import type { InstanceSettings } from '../settings.js';

type IsTranslated = (address: string) => boolean;
type Announce = Extract<UnitAction, { kind: 'announce' }>;

/** Addresses of one instance, in the order in which they are announced. */
export function announcedAddresses(
  instance: Pick<InstanceSettings, 'virtualAddresses' | 'excludedAddresses'>,
  isTranslated: IsTranslated,
): readonly AddressSpec[] {
  const specs = [...instance.virtualAddresses, ...instance.excludedAddresses].map(
    (vip) => vip.spec,
  );
  const rank = (spec: AddressSpec): number => (isTranslated(formatIp(spec.address)) ? 0 : 1);
  return [...specs].sort((a, b) => rank(a) - rank(b));
}

/** `actions` with the announcements exchanged among their places. */
export function translatedFirst(
  actions: readonly UnitAction[],
  members: readonly InstanceSettings[],
  isTranslated: IsTranslated,
): readonly UnitAction[] {
  const announcements = actions.filter((action) => action.kind === 'announce');
  const kinds = actions.map(({ kind }) => kind);
  // What is announced must stand.
  const allStand = kinds.lastIndexOf('addVips') < kinds.indexOf('announce');
  if (announcements.length < 2 || !allStand) return actions;
  const rank = ({ instance }: Announce): number => {
    const at = members.findIndex(({ name }) => name === instance);
    const address = members[at] && announcedAddresses(members[at], isTranslated)[0]?.address;
    const isFirst = address !== undefined && isTranslated(formatIp(address));
    return isFirst ? at : at + members.length;
  };
  const sorted = announcements.sort((a, b) => rank(a) - rank(b));
  return actions.map((action) =>
    action.kind === 'announce' ? (sorted.shift() ?? action) : action,
  );
}
