/**
 * One item out of the kernel. An address goes by the index of the interface on which it was set,
 * which may have another name by now; addresses of others that the kernel deletes with it are put
 * back.
 */
import { formatIp } from '../../base/ipAddress.js';
import type {
  AddressSpec,
  AddressState,
  KernelOutcome,
  NetworkControl,
  NetworkWatch,
} from '../../net/ports.js';
import { isOneNetwork } from './addressLosses.js';
import { whereNow } from './interfaceAddresses.js';
import type { Item } from './holdingItems.js';

/** IFA_F_SECONDARY, IFA_F_PERMANENT of linux/if_addr.h. */
const secondaryFlag = 0x01;
const permanentFlag = 0x80;

export interface KernelItemPorts {
  readonly network: NetworkWatch;
  readonly control: NetworkControl;
}

export class KernelItems {
  readonly #ports: KernelItemPorts;

  constructor(ports: KernelItemPorts) {
    this.#ports = ports;
  }

  /**
   * `linkIndex`: where an address was set. `isHeld`: whether an address is one of keepstate's own.
   */
  async delete(
    item: Item,
    linkIndex?: number,
    isHeld: (address: AddressState) => boolean = () => true,
  ): Promise<KernelOutcome> {
    const { control } = this.#ports;
    switch (item.kind) {
      case 'address':
        return this.#deleteAddress(item.spec, linkIndex, isHeld);
      case 'route':
        return control.deleteRoute(item.spec);
      case 'rule':
        return control.deleteRule(item.spec);
    }
  }

  indexOf(interfaceName: string): number | undefined {
    return this.#ports.network.linkByName(interfaceName)?.index;
  }

  async #deleteAddress(
    spec: AddressSpec,
    linkIndex: number | undefined,
    isHeld: (address: AddressState) => boolean,
  ): Promise<KernelOutcome> {
    const { network, control } = this.#ports;
    const kernel = { links: network.links(), addresses: network.addresses() };
    const isLinkThere = kernel.links.some(({ index }) => index === linkIndex);
    const where =
      linkIndex !== undefined && isLinkThere
        ? { ...spec, interfaceIndex: linkIndex }
        : whereNow(spec, kernel);
    const index = linkIndex ?? this.indexOf(where.interfaceName);
    const others = kernel.addresses.filter(
      (one) => one.linkIndex === index && isBehind(spec, one) && !isHeld(one),
    );
    const outcome = await control.deleteAddress(where);
    const link = network.links().find((one) => one.index === index);
    if (outcome.kind !== 'done' || link === undefined) return outcome;
    // With promote_secondaries they are still there, which is an answer like any other.
    for (const one of others) await control.addAddress(specOf(one, link.name));
    return outcome;
  }
}

/**
 * The kernel deletes it with the first address of its network; one with a lifetime belongs to a
 * DHCP client.
 */
function isBehind(first: AddressSpec, { flags, ...address }: AddressState): boolean {
  return (
    (flags & secondaryFlag) !== 0 &&
    (flags & permanentFlag) !== 0 &&
    isOneNetwork(first, address) &&
    formatIp(first.address) !== formatIp(address.address)
  );
}

function specOf(state: AddressState, interfaceName: string): AddressSpec {
  const { address, prefixLength, peer, broadcast, label, scope, protocol } = state;
  return {
    interfaceName,
    address,
    prefixLength,
    scope,
    ...(peer === undefined ? {} : { peer }),
    ...(broadcast === undefined ? {} : { broadcast }),
    ...(label === undefined ? {} : { label }),
    ...(protocol === undefined ? {} : { protocol }),
  };
}
