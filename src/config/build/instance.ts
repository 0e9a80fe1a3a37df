/**
 * One `vrrp_instance`: values, defaults and the corrections that keepalived makes, none of them
 * silent.
 */
import { isLinkLocal, type IpAddress, type IpFamily } from '../../base/ipAddress.js';
import type { InstanceSettings } from '../../vrrp/settings.js';
import type { AddressEntry } from '../keywords/addressEntry.js';
import { last, type Located } from '../table/row.js';
import {
  buildAddresses,
  buildRoutes,
  buildRules,
  warnDuplicateAddresses,
} from './addressSettings.js';
import { buildAuthentication } from './authentication.js';
import { allItems, optional, valueOf, type BuildContext } from './context.js';
import { buildGarp, type GarpPacing } from './garp.js';
import type { InstanceDefaults } from './globals.js';
import type { InstanceBlock, InstanceValues } from './instanceBlock.js';
import { buildHmac } from './hmac.js';
import { buildNotify } from './notify.js';
import { buildStrictPart } from './strictMode.js';
import { advertInterval, roles, versionOf } from './roles.js';
import { nameOf, buildTracking, type Trackers } from './trackers.js';
import { buildTransport } from './transport.js';

export interface InstanceInputs {
  readonly defaults: InstanceDefaults;
  readonly trackers: Trackers;
  readonly pacing: ReadonlyMap<string, GarpPacing>;
  /** This instance, or its group, drives the sync engine. */
  readonly isBound: (name: string) => boolean;
}

/** undefined where something is missing without which nothing can be said (and reported). */
export function buildInstance(
  block: InstanceBlock,
  inputs: InstanceInputs,
  context: BuildContext,
): InstanceSettings | undefined {
  const { values } = block.value;
  const name = nameOf(block.value);
  const interfaceName = required(values.interface, 'interface', block, context);
  const virtualRouterId = required(values.virtual_router_id, 'virtual_router_id', block, context);
  const addresses = allItems(values.virtual_ipaddress);
  const family = familyOf(values, addresses);
  const version = versionOf(values, family, inputs.defaults, context);
  const strict = valueOf(values.strict_mode) ?? inputs.defaults.strict;
  checkAddresses(block, addresses, family, { version, strict }, context);
  noteInterface(values, context);
  const defaults = inputs.defaults;
  const role = roles(block, strict, context);
  const interval = advertInterval(values, version, context);
  const authentication = buildAuthentication(last(values.authentication), version, strict, context);
  const interfaceOrNone = interfaceName ?? '';
  // Built in any case: what is missing here must not hide the instance's other problems.
  const built: InstanceSettings = {
    name,
    interfaceName: interfaceOrNone,
    family,
    version,
    virtualRouterId: virtualRouterId ?? 0,
    ...role,
    ...buildStrictPart(values, { strict, version, priority: role.priority }, defaults, context),
    advertInterval: interval,
    authentication,
    ...optional(
      'hmac',
      buildHmac(
        last(values.auth_hmac),
        { advertInterval: interval, authentication, strict },
        context,
      ),
    ),
    ...buildTransport(block, family, strict, defaults, context),
    virtualAddresses: buildAddresses(addresses, interfaceOrNone, context),
    excludedAddresses: buildAddresses(
      allItems(values.virtual_ipaddress_excluded),
      interfaceOrNone,
      context,
    ),
    virtualRoutes: buildRoutes(allItems(values.virtual_routes), context),
    virtualRules: buildRules(allItems(values.virtual_rules)),
    promoteSecondaries: valueOf(values.promote_secondaries) ?? false,
    garp: buildGarp(values, defaults.garp, strict, inputs.pacing.get(interfaceOrNone), context),
    skipCheckAdvertAddresses:
      valueOf(values.skip_check_adv_addr) ?? defaults.skipCheckAdvertAddresses,
    strict,
    trackPrimary: !(valueOf(values.dont_track_primary) ?? false),
    tracking: buildTracking(values, inputs.trackers, interfaceName, context),
    notify: buildNotify(values, inputs.isBound(name), defaults.notifyPriorityChanges, context),
    ...optional('receiveBufferBytes', receiveBufferBytes(values)),
  };
  return interfaceName === undefined || virtualRouterId === undefined ? undefined : built;
}

/** 0 leaves the size to the system (keepalived 2.2.7). */
function receiveBufferBytes({ kernel_rx_buf_size }: InstanceValues): number | undefined {
  const bytes = valueOf(kernel_rx_buf_size);
  return bytes === 0 ? undefined : bytes;
}

function required<T>(
  values: readonly Located<T>[],
  keyword: string,
  block: InstanceBlock,
  { problems }: BuildContext,
): T | undefined {
  const value = valueOf(values);
  if (value === undefined && !block.value.mentioned.has(keyword)) {
    const message = `vrrp_instance '${nameOf(block.value)}' lacks '${keyword}'`;
    problems.error(block.at, 'missing-keyword', message, { expected: `a line ${keyword} ...` });
  }
  return value;
}

function noteInterface(values: InstanceValues, context: BuildContext): void {
  const located = last(values.interface);
  if (located !== undefined) {
    context.uses.push({ kind: 'interface', name: located.value, at: located.at });
  }
}

/** The first VIP decides; without one, the addresses of the transport do. */
function familyOf(values: InstanceValues, addresses: readonly Located<AddressEntry>[]): IpFamily {
  const hints: (IpAddress | undefined)[] = [
    addresses[0]?.value.address,
    valueOf(values.unicast_src_ip),
    allItems(values.unicast_peer)[0]?.value.address,
    valueOf(values.mcast_src_ip),
  ];
  return hints.find((hint) => hint !== undefined)?.family ?? 4;
}

function checkAddresses(
  block: InstanceBlock,
  addresses: readonly Located<AddressEntry>[],
  family: IpFamily,
  { version, strict }: Pick<InstanceSettings, 'version' | 'strict'>,
  context: BuildContext,
): void {
  const { problems } = context;
  warnDuplicateAddresses(addresses, context);
  for (const { value, at } of addresses) {
    if (value.address.family === family) continue;
    problems.error(at, 'bad-address', `this address is not of the family of the first one`, {
      expected: `an IPv${family} address, or virtual_ipaddress_excluded`,
    });
  }
  // Addresses that fit into an advertisement at an MTU of 1500, the count field being one byte.
  const limit = family === 4 ? 255 : 90;
  const beyond = addresses[limit];
  if (beyond !== undefined) {
    const message = `an advertisement holds at most ${limit} IPv${family} addresses`;
    problems.error(beyond.at, 'out-of-range', message, {
      expected: 'virtual_ipaddress_excluded for the others',
    });
  }
  if (strict) checkFirstIsLinkLocal(addresses[0], context);
  const mayBeEmpty = valueOf(block.value.values.no_virtual_ipaddress) ?? false;
  if (block.value.mentioned.has('virtual_ipaddress') && problems.hasErrors) return;
  if (addresses.length > 0 || (mayBeEmpty && version === 2 && !strict)) return;
  const message = `vrrp_instance '${nameOf(block.value)}' has no virtual_ipaddress`;
  const expected = 'at least one address';
  if (version === 3 || strict) problems.error(block.at, 'no-address', message, { expected });
  else {
    problems.warning(block.at, 'no-address', message, {
      expected: `${expected}, or no_virtual_ipaddress`,
      fix: { kind: 'add', where: 'inside', lines: ['no_virtual_ipaddress'] },
    });
  }
}

/** RFC 5798 section 5.2.9. */
function checkFirstIsLinkLocal(
  first: Located<AddressEntry> | undefined,
  { problems }: BuildContext,
): void {
  if (first?.value.address.family !== 6 || isLinkLocal(first.value.address)) return;
  const message = 'strict mode: the first IPv6 address should be link-local (RFC 5798 5.2.9)';
  problems.warning(first.at, 'strict-link-local', message, {
    expected: 'an address of fe80::/10 first, or strict_mode off',
  });
}
