/**
 * Whose datagrams and connections are the peer's. On UDP and TCP: exactly the configured
 * destination, arriving by the link's device. On multicast: the addresses of `sync_peer`, or
 * without it up to four of the interface's network. While a sender is heard with TTL 255, nothing
 * with less is its own: it has crossed a router. While it is heard on the peer channel from a port
 * below 1024, nothing from a higher one is: a user of that machine made it. The others are counted
 * and named (refusedSenders.ts).
 */
import { networkInterfaces } from 'node:os';
import { inPrefix, ipEquals, parseIp, type IpAddress } from '../../base/ipAddress.js';
import type { Logger } from '../../base/logger.js';
import { seconds, subtractTime, type Clock, type Microseconds } from '../../base/time.js';
import type { DatagramOrigin } from '../../net/ports.js';
import { RefusedSenders, type Door, type Refusal } from './refusedSenders.js';
import type { SyncLink } from '../settings.js';

interface Network {
  readonly address: IpAddress;
  readonly prefixLength: number;
}

/** Somebody of whom a good message came. */
interface Sender {
  readonly address: IpAddress;
  /** When it was last heard with TTL 255 at an own address, and in groups, where many leave with 1. */
  readonly nearAt: { own?: Microseconds; group?: Microseconds };
  /** When it last spoke on the peer channel from a port below 1024. */
  privilegedAt: Microseconds | undefined;
  heardAt: Microseconds;
}

export interface LinkSourcesOptions {
  /** On the replication port alone: whoever speaks is the peer, as for conntrackd. */
  readonly acceptAny: boolean;
  /** Routers stand between the nodes, and a key says who is the peer. */
  readonly isMultihop?: boolean;
  /** It has shown a key, and can be no conntrackd later. */
  readonly isPeerSealed?: () => boolean;
  /** `sync_peer`: the senders on multicast links. */
  readonly multicastPeers?: readonly IpAddress[];
  readonly clock: Clock;
  readonly logger: Logger;
}

const readAgainAfter = seconds(1);
/** Of a group without `sync_peer`. */
const mostSenders = 4;
/** One that is silent for so long leaves its place to another. */
const senderTimeout = seconds(60);
const nearTtl = 255;
/**
 * A living peer says something each second. After such a silence a conntrackd may stand at the
 * address of a keepstate: a node that goes back to the pair, whose datagrams leave with TTL 64.
 * Where the peer has shown a key that cannot be: its TTL is remembered as long as this process lives.
 */
const nearMemory = seconds(10);

export class LinkSources {
  readonly refused: RefusedSenders;
  readonly #options: LinkSourcesOptions;
  readonly #senders: Sender[] = [];
  /** Addresses that have shown to be the cluster's other node. */
  readonly #peers: IpAddress[] = [];
  #networks: { readonly at: Microseconds; readonly byInterface: ReadonlyMap<string, Network[]> };

  constructor(options: LinkSourcesOptions) {
    this.#options = options;
    this.refused = new RefusedSenders(options.logger);
    this.#networks = { at: options.clock.now(), byInterface: interfaceNetworks() };
  }

  /** Whoever is refused is counted. */
  admits(settings: SyncLink, door: Door, origin: DatagramOrigin): boolean {
    if (this.#options.acceptAny && door === 'sync') return true;
    const reason = this.#refusalOf(settings, door, origin);
    if (reason === undefined) return true;
    const { source, arrival } = origin;
    const device = arrival?.strangeDevice;
    this.refused.note(
      {
        source,
        reason,
        door,
        interfaceName: settings.interfaceName,
        ...(device === undefined ? {} : { device }),
      },
      this.#options.clock.now(),
    );
    return false;
  }

  /** What was admitted held a good message. */
  heard(settings: SyncLink, door: Door, { source, port, arrival }: DatagramOrigin): void {
    const now = this.#options.clock.now();
    const known = this.#senderOf(source);
    const near = arrival?.ttl === nearTtl ? { [pathOf(settings)]: now } : {};
    const privilegedAt = door === 'peer' && isPrivilegedPort(port) ? now : undefined;
    if (known !== undefined) {
      known.heardAt = now;
      Object.assign(known.nearAt, near);
      known.privilegedAt = privilegedAt ?? known.privilegedAt;
      return;
    }
    const place = this.#senders.length < mostSenders ? this.#senders.length : this.#silentOne(now);
    // Only where any source is accepted there can be none left.
    if (place < 0) return;
    const address = { family: source.family, bytes: source.bytes.slice() };
    this.#senders[place] = { address, nearAt: near, privilegedAt, heardAt: now };
  }

  /** Its hello on the peer channel bears a virtual router of this node's. */
  recognise({ family, bytes }: IpAddress): void {
    const address = { family, bytes: bytes.slice() };
    if (this.isPeer(address) || this.#peers.length >= mostSenders) return;
    this.#peers.push(address);
  }

  /** Whether the address was recognised. */
  isPeer(source: IpAddress): boolean {
    return this.#peers.some((peer) => ipEquals(peer, source));
  }

  /** Whether the configuration names this very address. */
  isNamed(settings: SyncLink, source: IpAddress): boolean {
    const { multicastPeers } = this.#options;
    if (settings.kind !== 'multicast') return ipEquals(settings.destination, source);
    return multicastPeers?.some((peer) => ipEquals(peer, source)) === true;
  }

  #refusalOf(
    settings: SyncLink,
    door: Door,
    { source, port, arrival }: DatagramOrigin,
  ): Refusal | undefined {
    if (!this.#isPeerAddress(settings, source)) return 'address';
    if (arrival?.strangeDevice !== undefined) return 'device';
    const sender = this.#senderOf(source);
    if (arrival !== undefined && arrival.ttl !== nearTtl && this.#isNear(sender, settings)) {
      return 'ttl';
    }
    if (door === 'peer' && !isPrivilegedPort(port) && this.#isPrivileged(sender)) return 'port';
    if (sender !== undefined || this.isNamed(settings, source)) return undefined;
    const isFull = this.#senders.length >= mostSenders;
    return isFull && this.#silentOne(this.#options.clock.now()) < 0 ? 'senders' : undefined;
  }

  #isPeerAddress(settings: SyncLink, source: IpAddress): boolean {
    if (settings.kind !== 'multicast' || this.#options.multicastPeers !== undefined) {
      return this.isNamed(settings, source);
    }
    return this.#isInNetwork(settings, source) || this.#isInNetworkNow(settings, source);
  }

  #isInNetwork(settings: SyncLink, source: IpAddress): boolean {
    const networks = this.#networks.byInterface.get(settings.interfaceName) ?? [];
    return networks.some(({ address, prefixLength }) => inPrefix(source, address, prefixLength));
  }

  /** Looked up again once a second at most. */
  #isInNetworkNow(settings: SyncLink, source: IpAddress): boolean {
    const now = this.#options.clock.now();
    if (subtractTime(now, this.#networks.at) < readAgainAfter) return false;
    this.#networks = { at: now, byInterface: interfaceNetworks() };
    return this.#isInNetwork(settings, source);
  }

  #isNear(sender: Sender | undefined, settings: SyncLink): boolean {
    const nearAt = sender?.nearAt[pathOf(settings)];
    if (nearAt === undefined || this.#options.isMultihop === true) return false;
    if (this.#options.isPeerSealed?.() === true) return true;
    return subtractTime(this.#options.clock.now(), nearAt) < nearMemory;
  }

  /** It was heard from a port that only a privileged program can have. */
  #isPrivileged(sender: Sender | undefined): boolean {
    if (sender?.privilegedAt === undefined) return false;
    return subtractTime(this.#options.clock.now(), sender.privilegedAt) < nearMemory;
  }

  #senderOf(source: IpAddress): Sender | undefined {
    return this.#senders.find(({ address }) => ipEquals(address, source));
  }

  /** -1 where each of them spoke lately. */
  #silentOne(now: Microseconds): number {
    return this.#senders.findIndex(({ heardAt }) => subtractTime(now, heardAt) >= senderTimeout);
  }
}

function pathOf({ kind }: SyncLink): 'own' | 'group' {
  return kind === 'multicast' ? 'group' : 'own';
}

/** Without a privilege nobody has it, unless ip_unprivileged_port_start is lower (ip-sysctl). */
function isPrivilegedPort(port: number): boolean {
  return port > 0 && port < 1_024;
}

function interfaceNetworks(): ReadonlyMap<string, Network[]> {
  const networks = new Map<string, Network[]>();
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    const list: Network[] = [];
    for (const { cidr } of addresses ?? []) {
      const [text = '', length = ''] = (cidr ?? '').split('/');
      const address = parseIp(text);
      if (address !== undefined) list.push({ address, prefixLength: Number(length) });
    }
    networks.set(name, list);
  }
  return networks;
}
