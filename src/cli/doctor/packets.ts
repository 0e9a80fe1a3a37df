/**
 * The packets that a takeover needs: VRRP of each instance and the traffic of each sync link, both
 * ways. Pure.
 */
import { formatIp, inPrefix, isMulticast, parseIp, type IpAddress } from '../../base/ipAddress.js';
import type { NodeSettings } from '../../config/nodeSettings.js';
import { network, oneAddress, type Value } from './nft/domain.js';
import type { Packet } from './nft/packet.js';

export interface LinkAddress {
  readonly address: IpAddress;
  readonly prefixLength: number;
}

/** Addresses of this machine by interface. */
export type LinkAddresses = ReadonlyMap<string, readonly LinkAddress[]>;

export interface ExpectedPacket {
  readonly packet: Packet;
  readonly code: 'vrrp' | 'sync';
  readonly what: string;
  /** `arrives on lan` */
  readonly way: string;
  readonly consequence: string;
  /** A match of nft's that admits it. */
  readonly admits: string;
}

type Instance = NodeSettings['vrrp']['instances'][number];
type SyncLink = NonNullable<NodeSettings['sync']>['links'][number];

/** `moving`: virtual addresses, from which nobody sends VRRP. */
export function packetsOf(
  settings: NodeSettings,
  addresses: LinkAddresses,
  moving: ReadonlySet<string>,
): readonly ExpectedPacket[] {
  const own: LinkAddresses = new Map(
    [...addresses].map(([name, list]) => [
      name,
      list.filter(({ address }) => !moving.has(formatIp(address))),
    ]),
  );
  return [
    ...settings.vrrp.instances.flatMap((instance) => vrrpPackets(instance, own)),
    ...syncPackets(settings, own),
  ];
}

interface Ends {
  readonly here: readonly Value[];
  /** Each peer, or all that can be one. */
  readonly there: readonly Value[];
  readonly isOnLink: boolean;
  readonly group?: IpAddress;
}

type Base = Omit<Packet, 'direction' | 'sources' | 'destinations' | 'isMulticast' | 'isOnLink'>;

/** The packet as it comes from the other end, and as it goes there. */
function bothWays(base: Base, { here, there, isOnLink, group }: Ends): readonly Packet[] {
  const to = group === undefined ? undefined : [oneAddress(group)];
  const common = { ...base, isMulticast: group !== undefined, isOnLink };
  return [
    { ...common, direction: 'in', sources: there, destinations: to ?? here },
    { ...common, direction: 'out', sources: here, destinations: to ?? there },
  ];
}

function wayOf({ direction, interfaceName }: Packet): string {
  return `${direction === 'in' ? 'arrives' : 'leaves'} on ${interfaceName}`;
}

function vrrpPackets(instance: Instance, addresses: LinkAddresses): readonly ExpectedPacket[] {
  const { family, interfaceName, unicastPeers, sourceAddress, multicastGroup } = instance;
  const on = (addresses.get(interfaceName) ?? []).filter(
    ({ address }) => address.family === family,
  );
  const isUnicast = unicastPeers.length > 0;
  const here =
    sourceAddress === undefined ? ownSources(on, family, isUnicast) : [oneAddress(sourceAddress)];
  const ends: readonly Ends[] = isUnicast
    ? unicastPeers.map(({ address }) => ({
        here,
        there: [oneAddress(address)],
        isOnLink: isOnLink(address, on),
      }))
    : [{ here, there: neighbours(on, family), isOnLink: on.length > 0, group: multicastGroup }];
  const base: Base = {
    family,
    protocol: 'vrrp',
    interfaceName,
    connection: 'new',
    ...(isUnicast ? {} : { hopLimit: 255 }),
  };
  return ends
    .flatMap((one) => bothWays(base, one))
    .map((packet) => ({
      packet,
      code: 'vrrp',
      what: 'VRRP (IP protocol 112)',
      way: wayOf(packet),
      consequence: ': both nodes would be MASTER',
      admits: 'meta l4proto vrrp',
    }));
}

/** Multicast over IPv6 comes from link-local addresses. */
function ownSources(
  on: readonly LinkAddress[],
  family: 4 | 6,
  isUnicast: boolean,
): readonly Value[] {
  const usable = family === 6 && !isUnicast ? on.filter(({ address }) => isLinkLocal(address)) : on;
  return usable.map(({ address }) => oneAddress(address));
}

/** Where a peer on the same link can have its address. */
function neighbours(on: readonly LinkAddress[], family: 4 | 6): readonly Value[] {
  if (family === 6) return linkLocalNetwork === undefined ? [] : [network(linkLocalNetwork, 64)];
  return on
    .filter(({ prefixLength }) => prefixLength < 32)
    .map(({ address, prefixLength }) => network(address, prefixLength));
}

const linkLocalNetwork = parseIp('fe80::');

function isLinkLocal(address: IpAddress): boolean {
  return linkLocalNetwork !== undefined && inPrefix(address, linkLocalNetwork, 10);
}

function isOnLink(peer: IpAddress, on: readonly LinkAddress[]): boolean {
  return on.some(({ address, prefixLength }) => inPrefix(peer, address, prefixLength));
}

function syncPackets({ sync }: NodeSettings, addresses: LinkAddresses): readonly ExpectedPacket[] {
  const ports = (link: SyncLink): (readonly ['tcp' | 'udp', number])[] => [
    [link.kind === 'tcp' ? 'tcp' : 'udp', link.port],
    // The peer channel is UDP beside a TCP link, too.
    ...(sync?.peerPort === undefined ? [] : [['udp', sync.peerPort] as const]),
  ];
  return (sync?.links ?? []).flatMap((link) =>
    ports(link).flatMap(([protocol, port]) => {
      const base: Base = {
        family: link.family,
        protocol,
        interfaceName: link.interfaceName,
        connection: 'new',
        destinationPort: port,
      };
      return bothWays(base, endsOf(link, addresses)).map((packet): ExpectedPacket => ({
        packet,
        code: 'sync',
        what: `replication (${protocol.toUpperCase()} port ${port})`,
        way: wayOf(packet),
        consequence: '',
        admits: `${protocol} dport ${port}`,
      }));
    }),
  );
}

function endsOf(link: SyncLink, addresses: LinkAddresses): Ends {
  const { family, interfaceName, localAddress, destination } = link;
  const on = (addresses.get(interfaceName) ?? []).filter(
    ({ address }) => address.family === family,
  );
  const here =
    localAddress === undefined
      ? on.map(({ address }) => oneAddress(address))
      : [oneAddress(localAddress)];
  if (!isMulticast(destination)) {
    return { here, there: [oneAddress(destination)], isOnLink: isOnLink(destination, on) };
  }
  const local = family === 6 ? on.filter(({ address }) => !isLinkLocal(address)) : [];
  return {
    here: family === 6 ? [] : here,
    // A peer may choose either kind of its IPv6 addresses.
    there: [
      ...neighbours(on, family),
      ...local.map(({ address, prefixLength }) => network(address, prefixLength)),
    ],
    isOnLink: on.length > 0,
    group: destination,
  };
}
