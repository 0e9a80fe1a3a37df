/**
 * One packet as far as it is known before it comes, and what each part that a rule can ask for has
 * in it.
 */
import type { IpFamily } from '../../../base/ipAddress.js';
import { fieldsOf, textOf, type NftFields } from '../../../net/netlink/nftJson.js';
import {
  absentDomain,
  known,
  named,
  numbered,
  unknownDomain,
  type Domain,
  type Value,
} from './domain.js';

export interface Packet {
  readonly family: IpFamily;
  readonly protocol: 'vrrp' | 'udp' | 'tcp';
  /** Where it arrives or leaves; of what is forwarded, nothing is known. */
  readonly interfaceName: string;
  readonly direction: 'in' | 'out' | 'through';
  /** What connection tracking makes of it. */
  readonly connection: 'new' | 'invalid';
  /** Empty: not known. */
  readonly sources: readonly Value[];
  readonly destinations: readonly Value[];
  readonly isMulticast: boolean;
  /** Of VRRP: TTL or hop limit. */
  readonly hopLimit?: number;
  readonly destinationPort?: number;
  /** Each source is on the link's own network. */
  readonly isOnLink: boolean;
}

/** What stands beside the packet while a chain looks at it. */
export interface Situation {
  readonly hook: string;
  readonly connection: readonly ConnectionState[];
  /** A rule may have given it a mark. */
  readonly maybeMarked: boolean;
}

/** `invalid` is also what a chain sees that runs before connection tracking. */
export type ConnectionState = 'new' | 'untracked' | 'invalid';

/** IP protocols that a rule names by matching one of their fields. */
const protocolNumbers: Readonly<Record<string, number>> = {
  icmp: 1,
  igmp: 2,
  tcp: 6,
  udp: 17,
  dccp: 33,
  gre: 47,
  esp: 50,
  ah: 51,
  icmpv6: 58,
  comp: 108,
  sctp: 132,
  udplite: 136,
};
/** These travel in UDP. */
const insideUdp: readonly string[] = ['vxlan', 'geneve'];

const ownNumbers = { vrrp: 112, udp: 17, tcp: 6 } as const;

/** What the left side of a match is in this packet. */
export function domainOf(left: unknown, packet: Packet, situation: Situation): Domain {
  const fields = fieldsOf(left) ?? {};
  const payload = fieldsOf(fields['payload']);
  if (payload !== undefined) return payloadDomain(payload, packet);
  const meta = fieldsOf(fields['meta']);
  if (meta !== undefined) return metaDomain(textOf(meta['key']), packet, situation);
  const ct = fieldsOf(fields['ct']);
  if (ct !== undefined) return connectionDomain(textOf(ct['key']), packet, situation);
  const fib = fieldsOf(fields['fib']);
  if (fib !== undefined) return routeDomain(fib, packet, situation);
  const extra = ['exthdr', 'ip option'].find((name) => name in fields);
  if (extra !== undefined) return withoutHeader(fields[extra]);
  const option = ['tcp option', 'sctp chunk', 'dccp option'].find((name) => name in fields);
  if (option !== undefined) return protocolOf(option.split(' ')[0] ?? '', packet, unknownDomain);
  const masked = fields['&'];
  if (Array.isArray(masked)) {
    const [inner, mask] = masked as readonly unknown[];
    return withMask(domainOf(inner, packet, situation), mask);
  }
  return unknownDomain;
}

/**
 * A header or option that these packets do not have: not there when asked for, and without fields.
 */
function withoutHeader(header: unknown): Domain {
  return fieldsOf(header)?.['field'] === undefined ? known([named('false')]) : absentDomain;
}

/** `inner` where the packet is of that protocol, else nothing to look at. */
function protocolOf(name: string, packet: Packet, inner: Domain): Domain {
  const number = insideUdp.includes(name) ? ownNumbers.udp : protocolNumbers[name];
  if (number === undefined) return unknownDomain;
  return number === ownNumbers[packet.protocol] ? inner : absentDomain;
}

function payloadDomain(payload: NftFields, packet: Packet): Domain {
  const protocol = textOf(payload['protocol']);
  const field = textOf(payload['field']);
  switch (protocol) {
    case 'ip':
      return packet.family === 4 ? networkDomain(field, packet) : absentDomain;
    case 'ip6':
      return packet.family === 6 ? networkDomain(field, packet) : absentDomain;
    case 'arp':
      return absentDomain;
    case 'ether':
      return field === 'type' ? known([networkProtocol(packet)]) : unknownDomain;
    case 'th':
      // Of another protocol these are bytes that nobody knows.
      return packet.protocol === 'vrrp' ? unknownDomain : portDomain(field, packet);
    case 'tcp':
    case 'udp':
      return protocolOf(protocol, packet, portDomain(field, packet));
    default:
      return protocolOf(protocol, packet, unknownDomain);
  }
}

function portDomain(field: string, { destinationPort }: Packet): Domain {
  return field === 'dport' && destinationPort !== undefined
    ? known([numbered(destinationPort)])
    : unknownDomain;
}

function networkDomain(field: string, packet: Packet): Domain {
  switch (field) {
    case 'saddr':
      return known(packet.sources);
    case 'daddr':
      return known(packet.destinations);
    case 'protocol':
    case 'nexthdr':
      return known([transportProtocol(packet)]);
    case 'ttl':
    case 'hoplimit':
      return packet.hopLimit === undefined ? unknownDomain : known([numbered(packet.hopLimit)]);
    case 'version':
      return known([numbered(packet.family)]);
    case 'frag-off':
      // Never a fragment; «don't fragment» may be set.
      return known([numbered(0), numbered(0x4000)]);
    default:
      return unknownDomain;
  }
}

function transportProtocol({ protocol }: Packet): Value {
  const others = protocol === 'vrrp' ? ['carp'] : [];
  return numbered(ownNumbers[protocol], protocol, ...others);
}

function networkProtocol({ family }: Packet): Value {
  return family === 4 ? numbered(0x0800, 'ip') : numbered(0x86dd, 'ip6');
}

function metaDomain(key: string, packet: Packet, situation: Situation): Domain {
  const incoming = packet.direction === 'in';
  switch (key) {
    case 'l4proto':
      return known([transportProtocol(packet)]);
    case 'nfproto':
      return known([packet.family === 4 ? numbered(2, 'ipv4') : numbered(10, 'ipv6')]);
    case 'protocol':
      return known([networkProtocol(packet)]);
    case 'iifname':
    case 'iif':
      return situation.hook === 'bridge' ? unknownDomain : interfaceDomain(incoming, packet);
    case 'oifname':
    case 'oif':
      return situation.hook === 'bridge' ? unknownDomain : interfaceDomain(!incoming, packet);
    case 'mark':
      return situation.maybeMarked ? unknownDomain : known([numbered(0)]);
    case 'pkttype':
      return incoming ? known([packetType(packet)]) : unknownDomain;
    default:
      return unknownDomain;
  }
}

function packetType({ isMulticast }: Packet): Value {
  return isMulticast ? named('multicast') : named('host', 'unicast');
}

/** A hook that has no such interface sees an empty name. */
function interfaceDomain(hasOne: boolean, { interfaceName, direction }: Packet): Domain {
  if (direction === 'through') return unknownDomain;
  return known([named(hasOne ? interfaceName : '')]);
}

function connectionDomain(key: string, packet: Packet, situation: Situation): Domain {
  const { connection } = situation;
  if (key === 'state') return known(connection.map((state) => named(state)));
  const isTracked = connection.every((state) => state === 'new');
  if (!isTracked) return connection.includes('new') ? unknownDomain : absentDomain;
  switch (key) {
    case 'mark':
      return situation.maybeMarked ? unknownDomain : known([numbered(0)]);
    case 'direction':
      return known([numbered(0, 'original')]);
    case 'protocol':
      return known([transportProtocol(packet)]);
    case 'l3proto':
      return known([packet.family === 4 ? numbered(2, 'ipv4') : numbered(10, 'ipv6')]);
    default:
      return unknownDomain;
  }
}

/** `fib daddr type` of what comes in, and the reverse path of a neighbour. */
function routeDomain(fib: NftFields, packet: Packet, { hook }: Situation): Domain {
  const flags: unknown = fib['flags'];
  const words: readonly unknown[] = Array.isArray(flags) ? flags : [flags];
  if (packet.direction !== 'in' || !['prerouting', 'input'].includes(hook)) return unknownDomain;
  if (fib['result'] === 'type' && words.includes('daddr')) {
    return known([named(packet.isMulticast ? 'multicast' : 'local')]);
  }
  if (fib['result'] === 'oif' && words.includes('saddr') && packet.isOnLink) {
    return known([named('true', packet.interfaceName)]);
  }
  return unknownDomain;
}

function withMask(inner: Domain, mask: unknown): Domain {
  if (inner.kind !== 'known') return inner;
  if (typeof mask !== 'number') return unknownDomain;
  const masked = inner.alternatives.map(({ range }) =>
    range !== undefined && range[0] === range[1]
      ? numbered(Number(range[0] & BigInt(mask)))
      : undefined,
  );
  const alternatives = masked.filter((one) => one !== undefined);
  return alternatives.length === masked.length ? known(alternatives) : unknownDomain;
}
