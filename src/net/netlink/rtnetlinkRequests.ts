/**
 * What keepstate asks of the kernel about addresses, routes and rules, as bytes after the nlmsghdr.
 * The structures and attribute numbers are those of the `netlink` package; what it does not know
 * (IFA_PROTO) or would leave out (zeros) is added here.
 */
import { AttrStream } from 'netlink/dist/structs';
import {
  formatAddressMessage,
  formatRouteMessage,
  formatRuleMessage,
  RuleAction,
  type AddressAttrs,
  type Route,
  type RouteAttrs,
  type RuleAttrs,
} from 'netlink/dist/rt/structs';
import type { IpAddress, IpFamily } from '../../base/ipAddress.js';
import type { AddressSpec, RouteSpec, RuleSpec } from '../ports.js';
import { AF_INET, AF_INET6 } from '../socket/sockaddr.js';

/** IFA_PROTO, linux/if_addr.h since Linux 5.18. */
const IFA_PROTO = 11;
/** INFINITY_LIFE_TIME. */
const forever = 0xffffffff;

const RT_TABLE_MAIN = 254;
const RTNH_F_ONLINK = 4;
const RT_SCOPE_UNIVERSE = 0;
const RT_SCOPE_LINK = 253;
const RT_SCOPE_NOWHERE = 255;
const RTN_UNICAST = 1;
const RTPROT_STATIC = 4;
const RTAX_MTU = 2;
/** Of `action` in struct fib_rule_hdr. */
const ruleActionOffset = 7;

/** RTM_NEWADDR. */
export function newAddressBody(spec: AddressSpec, linkIndex: number): Uint8Array {
  const lifetime = spec.preferredLifetimeSeconds;
  const attributes = present<AddressAttrs>({
    ...addressKey(spec),
    broadcast: bytesOf(spec.broadcast),
    // Labels exist on IPv4 only; the kernel would ignore one on IPv6.
    label: spec.address.family === 4 ? spec.label : undefined,
    flags: spec.flags === undefined ? undefined : { __unknown: spec.flags },
    cacheInfo: lifetime === undefined ? undefined : { ifaPrefered: lifetime, ifaValid: forever },
  });
  return addressBody(spec, linkIndex, attributes, spec.protocol);
}

/**
 * RTM_DELADDR: by address and prefix length alone, so that a changed label or scope does not
 * matter.
 */
export function deleteAddressBody(spec: AddressSpec, linkIndex: number): Uint8Array {
  return addressBody(spec, linkIndex, addressKey(spec), undefined);
}

function addressKey(spec: AddressSpec): { local: Buffer; address: Buffer } {
  return {
    local: Buffer.from(spec.address.bytes),
    address: Buffer.from((spec.peer ?? spec.address).bytes),
  };
}

function addressBody(
  spec: AddressSpec,
  linkIndex: number,
  attributes: AddressAttrs,
  protocol: number | undefined,
): Uint8Array {
  const out = new AttrStream();
  const data = {
    family: familyNumber(spec.address.family),
    prefixlen: spec.prefixLength,
    scope: spec.scope ?? 0,
    index: linkIndex,
  };
  formatAddressMessage({ kind: 'address', data, attrs: attributes }, out);
  if (protocol !== undefined) out.push(IFA_PROTO, Buffer.of(protocol));
  return finished(out);
}

/** RTM_NEWROUTE. `linkIndex` is that of `spec.interfaceName`, where one is given. */
export function newRouteBody(spec: RouteSpec, linkIndex: number | undefined): Uint8Array {
  const type = spec.type ?? RTN_UNICAST;
  const protocol = spec.protocol ?? RTPROT_STATIC;
  const scope = spec.scope ?? defaultScope(spec, type);
  return routeBody(spec, linkIndex, { type, protocol, scope }, metricsOf(spec));
}

/** RTAX_*. */
function metricsOf({ mtu, mtuIsLocked }: RouteSpec): RouteAttrs['metrics'] {
  if (mtu === undefined) return undefined;
  const lock = mtuIsLocked === true ? { lock: hostWord(1 << RTAX_MTU) } : {};
  return { ...lock, mtu: hostWord(mtu) };
}

/** RTM_DELROUTE: type, protocol and scope narrow the match only where they are given. */
export function deleteRouteBody(spec: RouteSpec, linkIndex: number | undefined): Uint8Array {
  const kind = {
    type: spec.type ?? 0,
    protocol: spec.protocol ?? 0,
    scope: spec.scope ?? RT_SCOPE_NOWHERE,
  };
  return routeBody(spec, linkIndex, kind, undefined);
}

function routeBody(
  spec: RouteSpec,
  linkIndex: number | undefined,
  kind: { type: number; protocol: number; scope: number },
  metrics: RouteAttrs['metrics'],
): Uint8Array {
  const table = spec.table ?? RT_TABLE_MAIN;
  const out = new AttrStream();
  const attributes = present<RouteAttrs>({
    dst: bytesOf(spec.destination),
    gateway: bytesOf(spec.gateway),
    oif: linkIndex,
    priority: spec.metric,
    prefsrc: bytesOf(spec.source),
    metrics,
    table,
  });
  const data: Route = {
    family: familyNumber(spec.family),
    dstLen: spec.destination === undefined ? 0 : spec.prefixLength,
    tos: spec.tos ?? 0,
    table: tableInHeader(table),
    flags: spec.onlink === true ? { __unknown: RTNH_F_ONLINK } : {},
  };
  formatRouteMessage({ kind: 'route', data, attrs: attributes }, out);
  const bytes = finished(out);
  // rtm_protocol, rtm_scope, rtm_type: any number, where the package's enumerations name some.
  bytes.set([kind.protocol, kind.scope, kind.type], 5);
  return bytes;
}

/** RTM_NEWRULE, RTM_DELRULE. */
export function ruleBody(spec: RuleSpec): Uint8Array {
  // A rule that ends the look-up names no table, as in ip-rule(8).
  const table = spec.action === undefined ? (spec.table ?? RT_TABLE_MAIN) : 0;
  const out = new AttrStream();
  const attributes = present<RuleAttrs>({
    dst: bytesOf(spec.to?.address),
    src: bytesOf(spec.from?.address),
    iifname: spec.inputInterface,
    oifname: spec.outputInterface,
    priority: spec.priority,
    fwmark: spec.fwmark,
    fwmask: spec.fwmask,
    table: spec.action === undefined ? table : undefined,
    protocol: spec.protocol,
  });
  const data = {
    family: familyNumber(spec.family),
    dstLen: spec.to?.prefixLength ?? 0,
    srcLen: spec.from?.prefixLength ?? 0,
    table: tableInHeader(table),
    action: RuleAction.toTbl,
  };
  formatRuleMessage({ kind: 'rule', data, attrs: attributes }, out);
  const bytes = finished(out);
  if (spec.action !== undefined) bytes[ruleActionOffset] = spec.action;
  return bytes;
}

/** As ip-route(8) chooses it: IPv4 device routes are of link scope. IPv6 has no route scopes. */
function defaultScope(spec: RouteSpec, type: number): number {
  const isDeviceRoute = spec.family === 4 && spec.gateway === undefined && type === RTN_UNICAST;
  return isDeviceRoute ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
}

/** Tables above 255 stand in the attribute only. */
function tableInHeader(table: number): number {
  return table > 255 ? 0 : table;
}

/** Leaves out what is undefined. */
function present<T extends object>(fields: { [K in keyof T]: T[K] | undefined }): T {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  // What is left has the types of T: only optional fields of T may be undefined.
  return Object.fromEntries(entries) as T;
}

function bytesOf(address: IpAddress | undefined): Buffer | undefined {
  return address === undefined ? undefined : Buffer.from(address.bytes);
}

function familyNumber(family: IpFamily): number {
  return family === 4 ? AF_INET : AF_INET6;
}

function hostWord(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function finished(out: AttrStream): Uint8Array {
  const bytes = Buffer.concat(out.bufs);
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
}
