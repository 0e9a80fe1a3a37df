/**
 * Which address an instance sends from, and which addresses of the kernel are a configured VIP.
 * Pure.
 */
import { formatIp, ipEquals, type IpAddress } from '../../base/ipAddress.js';
import type { AddressSpec, AddressState, LinkState } from '../../net/ports.js';
import type { InstanceSettings, VrrpSettings } from '../settings.js';

/** IFA_F_SECONDARY, IFA_F_TENTATIVE, IFA_F_DADFAILED of linux/if_addr.h. */
const secondaryFlag = 0x01;
const dadFailedFlag = 0x08;
const tentativeFlag = 0x40;
/** RT_SCOPE_LINK of linux/rtnetlink.h. */
const linkScope = 253;

/**
 * IFA_PROTO of the addresses that we set, the number of RTPROT_KEEPALIVED, as newer keepalived
 * marks its own: `keepstate release` knows by it what a crash has left, even without the file.
 * Linux before 5.18 ignores it.
 */
export const keepalivedProtocol = 18;

/** What the kernel has now; snapshots of the NetworkWatch port. */
export interface KernelView {
  readonly links: readonly LinkState[];
  readonly addresses: readonly AddressState[];
}

/**
 * All addresses that move with a role: the VIPs and excluded VIPs of all instances, in configured
 * order.
 */
export function movingAddresses({ instances }: VrrpSettings): readonly AddressSpec[] {
  return instances.flatMap(({ virtualAddresses, excludedAddresses }) =>
    [...virtualAddresses, ...excludedAddresses].map(({ spec }) => spec),
  );
}

/**
 * The configured source, else the interface's first primary address that is not a VIP of ours, on
 * IPv6 its link-local address. undefined: the instance cannot speak (FAULT until an address
 * appears).
 */
export function chooseSource(
  instance: InstanceSettings,
  kernel: KernelView,
): IpAddress | { readonly missing: string } {
  if (instance.sourceAddress !== undefined) {
    const source = instance.sourceAddress;
    const isThere = kernel.addresses.some((one) => ipEquals(one.address, source));
    // mcast_src_ip: a multicast sender may use an address that the host does not have (keepalived
    // 2.2.7).
    const mustBeThere = instance.unicastPeers.length > 0 || instance.trackSourceAddress;
    if (isThere || !mustBeThere) return source;
    return { missing: `source address ${formatIp(source)} is not configured` };
  }
  const link = kernel.links.find((one) => one.name === instance.interfaceName);
  const found = kernel.addresses.find(
    (one) => one.linkIndex === link?.index && isPossibleSource(instance, one),
  );
  if (found !== undefined) return found.address;
  return { missing: `no IPv${instance.family} address on ${instance.interfaceName}` };
}

function isPossibleSource(instance: InstanceSettings, candidate: AddressState): boolean {
  if (candidate.address.family !== instance.family) return false;
  const vips = [...instance.virtualAddresses, ...instance.excludedAddresses];
  if (vips.some((vip) => ipEquals(vip.spec.address, candidate.address))) {
    // The owner's real address is the VIP.
    return instance.priority === 255;
  }
  if (instance.family === 4) return (candidate.flags & secondaryFlag) === 0;
  return candidate.scope === linkScope && (candidate.flags & (dadFailedFlag | tentativeFlag)) === 0;
}

/** Whether the kernel has this address on this interface with this prefix length. */
export function isPresent(spec: AddressSpec, kernel: KernelView): boolean {
  const link = kernel.links.find((one) => one.name === spec.interfaceName);
  return (
    link !== undefined &&
    kernel.addresses.some(
      (one) =>
        one.linkIndex === link.index &&
        one.prefixLength === spec.prefixLength &&
        ipEquals(one.address, spec.address),
    )
  );
}

/**
 * Where an address of ours is now: `spec`, unless its interface has another name since (it was
 * renamed while it was up). Known by keepalived's mark, which other programs' addresses do not
 * bear.
 */
export function whereNow(spec: AddressSpec, { links, addresses }: KernelView): AddressSpec {
  if (links.some((link) => link.name === spec.interfaceName)) return spec;
  const marked = addresses.find(
    (one) =>
      one.protocol === keepalivedProtocol &&
      one.prefixLength === spec.prefixLength &&
      ipEquals(one.address, spec.address),
  );
  const link = links.find(({ index }) => index === marked?.linkIndex);
  return link === undefined ? spec : { ...spec, interfaceName: link.name };
}

/** Answers `isPresent` for many specs at the price of one walk over the kernel's addresses. */
export type Presence = (spec: AddressSpec) => boolean;

export function presenceIn(kernel: KernelView): Presence {
  const names = new Map(kernel.links.map((link) => [link.index, link.name]));
  const keys = new Set(
    kernel.addresses.map(({ linkIndex, address, prefixLength }) => {
      const interfaceName = names.get(linkIndex) ?? '';
      return addressKey({ interfaceName, address, prefixLength });
    }),
  );
  return (spec) => keys.has(addressKey(spec));
}

/** One name for equal addresses on equal interfaces; what the kernel holds at most once. */
export function addressKey(spec: AddressSpec): string {
  return `${formatIp(spec.address)}/${spec.prefixLength} dev ${spec.interfaceName}`;
}
