/** A `vrrp_track_target` that answers whatever happens, or never can. */
import { formatIp, inPrefix, ipEquals, type IpAddress } from '../../base/ipAddress.js';
import type { TargetAddress, TrackTargetSettings, VirtualAddress } from '../../vrrp/settings.js';
import { nameOf } from '../build/trackers.js';
import type { Position } from '../problem.js';
import type { WarningCode } from '../warningCodes.js';
import type { WarningInputs } from './warningInputs.js';

interface Verdict {
  readonly code: WarningCode;
  readonly message: string;
  readonly expected: string;
}

export function warnAboutTargets(inputs: WarningInputs): void {
  const known = addressesIn(inputs);
  for (const target of inputs.settings.vrrp.targets ?? []) {
    const block = inputs.root.vrrp_track_target.find(({ value }) => nameOf(value) === target.name);
    if (block === undefined) continue;
    const { icmp, icmp6, arp, tcp } = block.value.values;
    const places = [...icmp, ...icmp6, ...arp, ...tcp].map(({ at }) => at);
    target.addresses.forEach((address, i) => {
      const verdict = judge(address, target, known);
      if (verdict !== undefined) warn(verdict, places[i] ?? block.at, inputs);
    });
    const source = judgeSource(target, known);
    if (source !== undefined) warn(source, block.value.values.source[0]?.at ?? block.at, inputs);
  }
}

function warn({ code, message, expected }: Verdict, at: Position, inputs: WarningInputs): void {
  inputs.problems.warning(at, code, message, { expected });
}

interface KnownAddresses {
  readonly own: readonly IpAddress[];
  readonly peers: readonly IpAddress[];
  readonly virtual: readonly VirtualAddress[];
}

function addressesIn({ settings: { vrrp, sync } }: WarningInputs): KnownAddresses {
  const links = sync?.links ?? [];
  return {
    own: [
      ...vrrp.instances.flatMap(({ sourceAddress }) => sourceAddress ?? []),
      ...links.flatMap(({ localAddress }) => localAddress ?? []),
    ],
    peers: [
      ...vrrp.instances.flatMap(({ unicastPeers }) => unicastPeers.map(({ address }) => address)),
      ...links.flatMap(({ kind, destination }) => (kind === 'multicast' ? [] : destination)),
      ...(sync?.multicastPeers ?? []),
    ],
    virtual: vrrp.instances.flatMap((instance) => [
      ...instance.virtualAddresses,
      ...instance.excludedAddresses,
    ]),
  };
}

function judge(
  { kind, address }: TargetAddress,
  { name, interfaceName }: TrackTargetSettings,
  known: KnownAddresses,
): Verdict | undefined {
  const text = formatIp(address);
  const is = (other: IpAddress): boolean => ipEquals(other, address);
  if (known.virtual.some(({ spec }) => is(spec.address))) {
    return {
      code: 'target-virtual-address',
      message: `'${name}' asks ${text}, a virtual address: the MASTER answers itself`,
      expected: 'an address behind the gateway',
    };
  }
  if (known.own.some(is)) {
    return {
      code: 'target-own-address',
      message: `'${name}' asks ${text}, an address of this node, which always answers`,
      expected: 'an address behind the gateway',
    };
  }
  if (known.peers.some(is)) {
    return {
      code: 'target-is-peer',
      message: `'${name}' asks the other node (${text}): its end would look like a dead provider`,
      expected: 'an address that both nodes reach by their own way',
    };
  }
  if (interfaceName === undefined) return undefined;
  const lies = liesBeyond(kind, address, interfaceName, known.virtual);
  if (lies === undefined) return undefined;
  return {
    code: 'target-beyond-interface',
    message: `'${name}' asks ${text} by '${interfaceName}', but ${lies}`,
    expected: 'the interface behind which the address is',
  };
}

/** By the networks of virtual addresses, the only ones that the configuration tells. */
function liesBeyond(
  kind: TargetAddress['kind'],
  address: IpAddress,
  interfaceName: string,
  virtual: readonly VirtualAddress[],
): string | undefined {
  const networks = virtual.filter(({ spec }) => spec.address.family === address.family);
  const holders = networks
    .filter(({ spec }) => spec.prefixLength < spec.address.bytes.length * 8)
    .filter(({ spec }) => inPrefix(address, spec.address, spec.prefixLength))
    .map(({ spec }) => spec.interfaceName);
  if (holders.includes(interfaceName)) return undefined;
  if (holders[0] !== undefined) return `its network is on '${holders[0]}'`;
  const here = networks.some(
    ({ spec }) =>
      spec.interfaceName === interfaceName && spec.prefixLength < spec.address.bytes.length * 8,
  );
  return kind === 'arp' && here ? 'it is in no network there, and ARP ends there' : undefined;
}

function judgeSource(
  { name, source }: TrackTargetSettings,
  { virtual }: KnownAddresses,
): Verdict | undefined {
  if (source === undefined || !virtual.some(({ spec }) => ipEquals(spec.address, source))) {
    return undefined;
  }
  return {
    code: 'target-virtual-source',
    message: `'${name}' asks from ${formatIp(source)}, a virtual address: as BACKUP this node cannot ask, and its peer waits for its word in vain`,
    expected: 'an address that the node always has, or no source',
  };
}
