/**
 * Links and addresses of one kernel. What happens is done at once; each thread of the product is
 * told, and answered, in a turn of its own (networkPorts.ts).
 */
import { formatIp, ipEquals, parseIp, type IpAddress } from '../../../src/base/ipAddress.js';
import type { AddressState, LinkState, NetworkEvent, RouteSpec } from '../../../src/net/ports.js';
import type { KernelNetwork, KernelThread, NetworkPorts } from './kernelPorts.js';
import { ThreadNetwork } from './networkPorts.js';

/** IFA_F_*. */
const flag = { secondary: 0x01, permanent: 0x80 } as const;

export interface NetworkParts {
  /** MASQUERADE: mappings of an interface, or to an address of it, are over. */
  readonly masqueradeEnds: (isMeant: (interfaceName: string, address: string) => boolean) => void;
}

export class Network implements KernelNetwork {
  readonly #parts: NetworkParts;
  #links: LinkState[] = [];
  #addresses: AddressState[] = [];
  /** Routes that were added, by text. */
  readonly routes = new Map<string, RouteSpec>();
  /** Rules that were added, by priority. */
  readonly rules = new Set<number>();
  readonly #threads = new Map<KernelThread, ThreadNetwork>();
  #nextIndex = 2;

  constructor(parts: NetworkParts) {
    this.#parts = parts;
  }

  // ---- what happens

  addLink(name: string, mac = Uint8Array.of(2, 0, 0, 0, 0, this.#nextIndex)): void {
    const link: LinkState = {
      index: this.#nextIndex++,
      name,
      mac,
      mtu: 1500,
      isUp: true,
      isRunning: true,
      isLoopback: name === 'lo',
      carrierDownCount: 0,
    };
    this.#links = [...this.#links, link];
    this.#tell({ kind: 'link', link });
  }

  removeLink(name: string): void {
    const link = this.linkByName(name);
    if (link === undefined) return;
    this.setUp(name, false);
    for (const address of this.#addressesOn(link)) this.#drop(address);
    this.#links = this.#links.filter((other) => other.index !== link.index);
    this.#tell({ kind: 'linkGone', link });
  }

  setRunning(name: string, isRunning: boolean): void {
    const link = this.linkByName(name);
    if (link === undefined || link.isRunning === isRunning) return;
    const downs = (link.carrierDownCount ?? 0) + (isRunning ? 0 : 1);
    this.#replace({ ...link, isRunning, carrierDownCount: downs });
  }

  setUp(name: string, isUp: boolean): void {
    const link = this.linkByName(name);
    if (link === undefined || link.isUp === isUp) return;
    this.#replace({ ...link, isUp, isRunning: isUp });
    if (isUp) return;
    this.#parts.masqueradeEnds((interfaceName) => interfaceName === name);
    for (const address of this.#addressesOn(link)) {
      if (address.address.family === 6) this.#drop(address);
    }
    for (const [text, route] of this.routes) {
      if (route.interfaceName === name) this.routes.delete(text);
    }
  }

  isUsable(name: string): boolean {
    const link = this.linkByName(name);
    return link?.isUp === true && link.isRunning;
  }

  addAddress(name: string, address: string, prefixLength: number): boolean {
    const parsed = parseIp(address);
    const link = this.linkByName(name);
    if (parsed === undefined || link === undefined) return false;
    return this.give(link, { address: parsed, prefixLength });
  }

  /** False where the address is there already. */
  give(
    link: LinkState,
    given: Pick<AddressState, 'address' | 'prefixLength'> & Partial<AddressState>,
  ): boolean {
    if (this.#find(link, given.address) !== undefined) return false;
    const isSecondary = this.#addressesOn(link).some(
      (other) => other.address.family === 4 && sameSubnet(other, given),
    );
    const state: AddressState = {
      peer: undefined,
      broadcast: undefined,
      label: given.address.family === 4 ? link.name : undefined,
      scope: 0,
      protocol: undefined,
      ...given,
      linkIndex: link.index,
      flags: (given.flags ?? 0) | flag.permanent | (isSecondary ? flag.secondary : 0),
    };
    this.#addresses = [...this.#addresses, state];
    this.#tell({ kind: 'address', address: state });
    return true;
  }

  deleteAddress(address: string): boolean {
    const parsed = parseIp(address);
    if (parsed === undefined) return false;
    const found = this.#addresses.filter((one) => ipEquals(one.address, parsed));
    for (const one of found) this.take(one);
    return found.length > 0;
  }

  /** With a primary address its secondaries go (promote_secondaries is 0). */
  take(address: AddressState): void {
    const { linkIndex, flags } = address;
    const isPrimary = address.address.family === 4 && (flags & flag.secondary) === 0;
    this.#drop(address);
    if (!isPrimary) return;
    for (const other of this.#addresses) {
      const isOnLink = other.linkIndex === linkIndex && (other.flags & flag.secondary) !== 0;
      if (isOnLink && sameSubnet(other, address)) this.#drop(other);
    }
  }

  hasAddress(address: string): boolean {
    return this.#addresses.some((one) => formatIp(one.address) === address);
  }

  addressesOf(name: string): readonly string[] {
    const link = this.linkByName(name);
    if (link === undefined) return [];
    return this.#addressesOn(link).map((one) => formatIp(one.address));
  }

  // ---- what is there

  get links(): readonly LinkState[] {
    return this.#links;
  }

  get addresses(): readonly AddressState[] {
    return this.#addresses;
  }

  linkByName(name: string): LinkState | undefined {
    return this.#links.find((link) => link.name === name);
  }

  /** By address and prefix length, as RTM_DELADDR wants it. */
  find(linkIndex: number, address: IpAddress, prefixLength: number): AddressState | undefined {
    return this.#addresses.find(
      (one) =>
        one.linkIndex === linkIndex &&
        one.prefixLength === prefixLength &&
        ipEquals(one.address, address),
    );
  }

  // ---- threads

  portsOf(thread: KernelThread): NetworkPorts {
    const known = this.#threads.get(thread);
    if (known !== undefined) return known.ports;
    const made = new ThreadNetwork(this, thread.timers);
    this.#threads.set(thread, made);
    return made.ports;
  }

  threadEnded(thread: KernelThread): void {
    this.#threads.get(thread)?.close();
    this.#threads.delete(thread);
  }

  powerOff(): void {
    for (const thread of [...this.#threads.keys()]) this.threadEnded(thread);
  }

  #find(link: LinkState, address: IpAddress): AddressState | undefined {
    return this.#addressesOn(link).find((one) => ipEquals(one.address, address));
  }

  #addressesOn(link: LinkState): readonly AddressState[] {
    return this.#addresses.filter(({ linkIndex }) => linkIndex === link.index);
  }

  #replace(link: LinkState): void {
    this.#links = this.#links.map((other) => (other.index === link.index ? link : other));
    this.#tell({ kind: 'link', link });
  }

  #drop(address: AddressState): void {
    if (!this.#addresses.includes(address)) return;
    this.#addresses = this.#addresses.filter((other) => other !== address);
    const name = this.#links.find(({ index }) => index === address.linkIndex)?.name;
    const text = formatIp(address.address);
    this.#parts.masqueradeEnds((interfaceName, to) => interfaceName === name && to === text);
    this.#tell({ kind: 'addressGone', address });
  }

  #tell(event: NetworkEvent): void {
    for (const thread of this.#threads.values()) thread.happened(event);
  }
}

function sameSubnet(
  a: Pick<AddressState, 'address' | 'prefixLength'>,
  b: Pick<AddressState, 'address' | 'prefixLength'>,
): boolean {
  if (a.prefixLength !== b.prefixLength || a.address.family !== b.address.family) return false;
  const mask = a.prefixLength === 0 ? 0 : ~0 << (32 - a.prefixLength);
  return (ipv4Number(a.address) & mask) === (ipv4Number(b.address) & mask);
}

function ipv4Number({ bytes }: IpAddress): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getInt32(0);
}
