/** Address, route and rule entries become what the kernel is asked for. */
import { formatIp, ipEquals, isMulticast } from '../../base/ipAddress.js';
import type { AddressSpec } from '../../net/ports.js';
import type { VirtualAddress, VirtualRoute, VirtualRule } from '../../vrrp/settings.js';
import { autojoin, type AddressEntry } from '../keywords/addressEntry.js';
import type { RouteEntry } from '../keywords/routeEntry.js';
import type { RuleEntry } from '../keywords/ruleEntry.js';
import type { Located } from '../table/row.js';
import { optional, type BuildContext } from './context.js';

/** IFA_F_NODAD (linux/if_addr.h): keepalived sets IPv6 VIPs without duplicate address detection. */
const noDuplicateDetection = 0x02;

export function buildAddresses(
  entries: readonly Located<AddressEntry>[],
  defaultInterface: string,
  context: BuildContext,
): readonly VirtualAddress[] {
  return entries.map((entry) => {
    const { value, at } = entry;
    checkIsHostAddress(entry, context);
    if (value.interfaceName !== undefined) {
      context.uses.push({ kind: 'interface', name: value.interfaceName, at });
    }
    return { spec: addressSpec(value, defaultInterface), isTracked: !value.noTrack };
  });
}

/**
 * The kernel refuses a group as address, unless it is joined (autojoin), and keepalived says
 * nothing before; network and broadcast addresses it takes, and nobody reaches them.
 */
function checkIsHostAddress(
  { value: { address, prefixLength, flags }, at }: Located<AddressEntry>,
  { problems }: BuildContext,
): void {
  const text = formatIp(address);
  const expected = 'an address that a host can have';
  if (isMulticast(address) || address.bytes.every((byte) => byte === 0)) {
    if (isMulticast(address) && (flags & autojoin) !== 0) return;
    const message = `${text} cannot be the address of a host: the kernel will refuse it`;
    problems.warning(at, 'unusual-address', message, { expected });
    return;
  }
  if (address.family === 6 || prefixLength >= 31) return;
  const hostBits = 0xffff_ffff >>> prefixLength;
  const host = Buffer.from(address.bytes).readUInt32BE() & hostBits;
  if (host !== 0 && host >>> 0 !== hostBits) return;
  const what = host === 0 ? 'the address' : 'the broadcast address';
  const message = `${text} is ${what} of its network /${prefixLength}: hosts do not answer for it`;
  problems.warning(at, 'unusual-address', message, { expected: `${expected}, or another length` });
}

function addressSpec(entry: AddressEntry, defaultInterface: string): AddressSpec {
  const isIpv6 = entry.address.family === 6;
  const flags = entry.flags | (isIpv6 && !entry.detectDuplicates ? noDuplicateDetection : 0);
  // A /128 is deprecated from the start, so that the kernel does not choose it as a source.
  const lifetime =
    entry.preferredLifetimeSeconds ?? (isIpv6 && entry.prefixLength === 128 ? 0 : undefined);
  return {
    interfaceName: entry.interfaceName ?? defaultInterface,
    address: entry.address,
    prefixLength: entry.prefixLength,
    ...optional('peer', entry.peer),
    ...optional('broadcast', entry.broadcast),
    ...optional('label', entry.label),
    ...optional('scope', entry.scope),
    ...optional('flags', flags === 0 ? undefined : flags),
    ...optional('preferredLifetimeSeconds', lifetime),
  };
}

/** A second entry with the same address on the same interface says nothing new. */
export function warnDuplicateAddresses(
  entries: readonly Located<AddressEntry>[],
  context: BuildContext,
): void {
  entries.forEach(({ value, at }, i) => {
    const isRepeated = entries
      .slice(0, i)
      .some(
        ({ value: earlier }) =>
          ipEquals(earlier.address, value.address) && earlier.interfaceName === value.interfaceName,
      );
    if (!isRepeated) return;
    const message = `${formatIp(value.address)} stands twice; it travels twice in each advertisement`;
    context.problems.warning(at, 'duplicate-address', message, { expected: 'one of them' });
  });
}

export function buildRoutes(
  entries: readonly Located<RouteEntry>[],
  context: BuildContext,
): readonly VirtualRoute[] {
  return entries.map(({ value: { spec, noTrack, words }, at }) => {
    if (spec.interfaceName !== undefined) {
      context.uses.push({ kind: 'interface', name: spec.interfaceName, at });
    }
    return { spec, isTracked: !noTrack, text: words.join(' ') };
  });
}

export function buildRules(entries: readonly Located<RuleEntry>[]): readonly VirtualRule[] {
  return entries.map(({ value: { spec, noTrack, words } }) => ({
    spec,
    isTracked: !noTrack,
    text: words.join(' '),
  }));
}
