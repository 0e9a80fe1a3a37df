/**
 * The items an owner holds in the kernel, as one list of plain data with a text for people. Pure.
 */
import { formatIp } from '../../base/ipAddress.js';
import type {
  AddressSpec,
  KernelOutcome,
  NetworkControl,
  RouteSpec,
  RuleSpec,
} from '../../net/ports.js';
import { keepalivedProtocol } from './interfaceAddresses.js';
import type { VirtualAddress, VirtualRoute, VirtualRule, VrrpSettings } from '../settings.js';

export type Item =
  | {
      readonly kind: 'address';
      readonly spec: AddressSpec;
      readonly text: string;
      readonly isTracked: boolean;
      readonly isExcluded: boolean;
    }
  | {
      readonly kind: 'route';
      readonly spec: RouteSpec;
      readonly text: string;
      readonly isTracked: boolean;
    }
  | {
      readonly kind: 'rule';
      readonly spec: RuleSpec;
      readonly text: string;
      readonly isTracked: boolean;
    };

/** An instance's settings have this shape; the static items of a node are put into it. */
export interface ItemSource {
  readonly virtualAddresses: readonly VirtualAddress[];
  readonly excludedAddresses: readonly VirtualAddress[];
  readonly virtualRoutes: readonly VirtualRoute[];
  readonly virtualRules: readonly VirtualRule[];
}

/** `static_ipaddress`, `static_routes` and `static_rules` of a node. */
export function staticItems(settings: VrrpSettings): ItemSource {
  return {
    virtualAddresses: settings.staticAddresses,
    excludedAddresses: [],
    virtualRoutes: settings.staticRoutes,
    virtualRules: settings.staticRules,
  };
}

/** In the order in which they are set: VIPs, excluded VIPs, routes, rules (keepalived 2.2.7). */
export function itemsOf(source: ItemSource): readonly Item[] {
  const addresses = (list: readonly VirtualAddress[], isExcluded: boolean): Item[] =>
    list.map(({ spec, isTracked }) => ({
      kind: 'address',
      spec,
      text: addressText(spec),
      isTracked,
      isExcluded,
    }));
  return [
    ...addresses(source.virtualAddresses, false),
    ...addresses(source.excludedAddresses, true),
    ...source.virtualRoutes.map((route): Item => ({ kind: 'route', ...route })),
    ...source.virtualRules.map((rule): Item => ({ kind: 'rule', ...rule })),
  ];
}

/**
 * Equal for the kernel: everything asked for is the same, whether or not it is tracked or excluded.
 */
export function sameItem(a: Item, b: Item): boolean {
  if (a.spec === b.spec) return true;
  return a.kind === b.kind && fingerprint(a.spec) === fingerprint(b.spec);
}

/** What a reload takes away and what it brings; items on both sides stay untouched. */
export function changedItems(
  before: readonly Item[],
  after: readonly Item[],
): { readonly removed: readonly Item[]; readonly added: readonly Item[] } {
  return {
    removed: before.filter((old) => !after.some((item) => sameItem(old, item))),
    added: after.filter((item) => !before.some((old) => sameItem(old, item))),
  };
}

/** As in keepalived's dump: `10.0.0.3/24 dev eth0 scope global`. */
export function addressText(spec: AddressSpec): string {
  const words = [`${formatIp(spec.address)}/${spec.prefixLength}`];
  if (spec.peer !== undefined) words.push('peer', formatIp(spec.peer));
  if (spec.broadcast !== undefined) words.push('brd', formatIp(spec.broadcast));
  words.push('dev', spec.interfaceName, 'scope', scopeText(spec.scope ?? 0));
  if (spec.label !== undefined) words.push('label', spec.label);
  return words.join(' ');
}

/** RT_SCOPE_* of linux/rtnetlink.h. */
function scopeText(scope: number): string {
  const names: Readonly<Record<number, string>> = {
    0: 'global',
    200: 'site',
    253: 'link',
    254: 'host',
    255: 'nowhere',
  };
  return names[scope] ?? String(scope);
}

function fingerprint(spec: AddressSpec | RouteSpec | RuleSpec): string {
  return JSON.stringify(spec, (_key, value: unknown) =>
    value instanceof Uint8Array ? Array.from(value) : value,
  );
}

/** Asks the kernel for one item; an address bears keepalived's mark. */
export function addItem(item: Item, control: NetworkControl): Promise<KernelOutcome> {
  switch (item.kind) {
    case 'address':
      return control.addAddress({ ...item.spec, protocol: keepalivedProtocol });
    case 'route':
      return control.addRoute(item.spec);
    case 'rule':
      return control.addRule(item.spec);
  }
}
