/**
 * The dedicated links: all are listened on, one is sent on. The active one is the `Default`, then whichever
 * stays usable, then the one the peer was last heard on, so that both ends meet on the same link
 * (conntrackd 1.4.7). Datagrams that are not the peer's are dropped and counted here.
 */
import { networkInterfaces } from 'node:os';
import { formatIp, inPrefix, ipEquals, parseIp, type IpAddress } from '../base/ipAddress.js';
import type { Logger } from '../base/logger.js';
import { seconds, subtractTime, type Clock, type Microseconds } from '../base/time.js';
import type { Channel, ChannelSpec } from '../net/ports.js';
import type { LinkStatus } from './messages.js';
import type { SyncLink } from './settings.js';
import { roomForMessages } from './wire/datagramBuilder.js';

export type OpenChannel = (link: SyncLink) => Channel | { readonly refused: string };

export interface LinksOptions {
  readonly links: readonly SyncLink[];
  readonly open: OpenChannel;
  readonly acceptAnySource: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A datagram of the peer; true where it held a good message. */
  readonly receive: (datagram: Uint8Array) => boolean;
  /** The active link changed: datagrams have this much room now. */
  readonly room: (bytes: number) => void;
  /** After `isBlocked`: the kernel has room again. */
  readonly writable: () => void;
}

interface Link {
  readonly settings: SyncLink;
  channel: Channel | undefined;
  isUsable: boolean;
  bytesSent: number;
  bytesReceived: number;
  datagramsSent: number;
  datagramsReceived: number;
  sendErrors: number;
  receiveErrors: number;
  /** Datagrams that the kernel had no room for, in order; it calls back when it has. */
  readonly waiting: Uint8Array[];
}

interface Network {
  readonly address: IpAddress;
  readonly prefixLength: number;
}

const reopenPause = seconds(1);
const ordinaryMtu = 1_500;
const EAGAIN = 11;
/** What one run of the pump can make, and some. */
const mostWaiting = 512;

export class Links {
  /** Datagrams from elsewhere, and the last such address. */
  strangers = 0;
  lastStranger: string | undefined;
  readonly #options: LinksOptions;
  readonly #links: readonly Link[];
  #active = 0;
  #networks: { readonly at: Microseconds; readonly byInterface: ReadonlyMap<string, Network[]> };
  #triedAt: Microseconds | undefined;

  constructor(options: LinksOptions) {
    this.#options = options;
    this.#links = options.links.map((settings) => ({
      settings,
      channel: undefined,
      isUsable: true,
      bytesSent: 0,
      bytesReceived: 0,
      datagramsSent: 0,
      datagramsReceived: 0,
      sendErrors: 0,
      receiveErrors: 0,
      waiting: [],
    }));
    this.#networks = { at: options.clock.now(), byInterface: interfaceNetworks() };
    // The last link marked Default wins, as in conntrackd.
    this.#links.forEach((link, i) => {
      if (link.settings.isDefault) this.#active = i;
    });
  }

  /** Index of the link that is sent on; the order is that of the settings. */
  get active(): number {
    return this.#active;
  }

  /** Opens what is not open. A link that cannot be opened yet is tried again by `tick`. */
  open(): void {
    this.#triedAt = this.#options.clock.now();
    for (const link of this.#links) {
      if (link.channel !== undefined) continue;
      const opened = this.#options.open(link.settings);
      if ('refused' in opened) {
        this.#options.logger.log('error', 'cannot open the sync link', {
          interface: link.settings.interfaceName,
          because: opened.refused,
        });
        continue;
      }
      link.channel = opened;
      opened.onDatagram((datagram, source) => {
        this.#received(link, datagram, source);
      });
    }
    this.#tellRoom();
  }

  /** The kernel's send buffer is full: more should wait for `writable`. */
  get isBlocked(): boolean {
    return (this.#links[this.#active]?.waiting.length ?? 0) > 0;
  }

  send(datagram: Uint8Array): void {
    const link = this.#links[this.#active];
    if (link === undefined) return;
    if (link.waiting.length > 0) this.#keep(link, datagram);
    else this.#transmit(link, datagram);
  }

  linkState(interfaceName: string, isUsable: boolean): void {
    for (const link of this.#links) {
      if (link.settings.interfaceName === interfaceName) link.isUsable = isUsable;
    }
    if (this.#links[this.#active]?.isUsable === true) return;
    const next = this.#links.findIndex((link) => link.isUsable);
    if (next < 0) this.#options.logger.log('error', 'no dedicated links available', {});
    else this.#activate(next, 'the link before it failed');
  }

  tick(now: Microseconds): void {
    const isMissing = this.#links.some(({ channel }) => channel === undefined);
    if (!isMissing) return;
    if (this.#triedAt === undefined || subtractTime(now, this.#triedAt) >= reopenPause) this.open();
  }

  status(): readonly LinkStatus[] {
    return this.#links.map((link, i) => ({
      interfaceName: link.settings.interfaceName,
      kind: link.settings.kind,
      isActive: i === this.#active,
      isUsable: link.isUsable && link.channel !== undefined,
      bytesSent: link.bytesSent,
      bytesReceived: link.bytesReceived,
      datagramsSent: link.datagramsSent,
      datagramsReceived: link.datagramsReceived,
      sendErrors: link.sendErrors,
      receiveErrors: link.receiveErrors,
    }));
  }

  close(): void {
    for (const link of this.#links) {
      link.channel?.close();
      link.channel = undefined;
      link.waiting.length = 0;
    }
  }

  /** The peer's address, or one in a network of the link's interface. */
  isFromPeer(settings: SyncLink, source: IpAddress): boolean {
    if (this.#options.acceptAnySource) return true;
    if (settings.kind !== 'multicast' && ipEquals(settings.destination, source)) return true;
    const networks = this.#networks.byInterface.get(settings.interfaceName) ?? [];
    return networks.some(({ address, prefixLength }) => inPrefix(source, address, prefixLength));
  }

  /** False where the kernel had no room; the datagram then waits. */
  #transmit(link: Link, datagram: Uint8Array): boolean {
    const outcome = link.channel?.send(datagram);
    if (outcome?.kind === 'done') {
      link.datagramsSent++;
      link.bytesSent += datagram.length;
      return true;
    }
    const isFull = outcome?.kind === 'refused' && outcome.errno === EAGAIN;
    if (!isFull || link.channel?.onceWritable === undefined) {
      link.sendErrors++;
      return true;
    }
    this.#keep(link, datagram);
    link.channel.onceWritable(() => {
      this.#resume(link);
    });
    return false;
  }

  #keep(link: Link, datagram: Uint8Array): void {
    if (link.waiting.length < mostWaiting) link.waiting.push(datagram.slice());
    else link.sendErrors++;
  }

  #resume(link: Link): void {
    const waiting = link.waiting.splice(0);
    for (const [index, datagram] of waiting.entries()) {
      if (this.#transmit(link, datagram)) continue;
      link.waiting.push(...waiting.slice(index + 1));
      return;
    }
    this.#options.writable();
  }

  #received(link: Link, datagram: Uint8Array, source: IpAddress): void {
    link.datagramsReceived++;
    link.bytesReceived += datagram.length;
    if (!this.isFromPeer(link.settings, source) && !this.#isFromPeerNow(link.settings, source)) {
      this.strangers++;
      this.lastStranger = formatIp(source);
      return;
    }
    const isGood = this.#options.receive(datagram);
    const index = this.#links.indexOf(link);
    if (isGood && index !== this.#active) this.#activate(index, 'the peer uses it');
  }

  /** The interface's addresses may have changed since; looked up again once a second at most. */
  #isFromPeerNow(settings: SyncLink, source: IpAddress): boolean {
    const now = this.#options.clock.now();
    if (subtractTime(now, this.#networks.at) < reopenPause) return false;
    this.#networks = { at: now, byInterface: interfaceNetworks() };
    return this.isFromPeer(settings, source);
  }

  #activate(index: number, because: string): void {
    if (index === this.#active) return;
    this.#active = index;
    this.#options.logger.log('notice', 'sync link became active', {
      interface: this.#links[index]?.settings.interfaceName,
      because,
    });
    this.#tellRoom();
  }

  #tellRoom(): void {
    const link = this.#links[this.#active];
    if (link === undefined) return;
    const { family, kind } = link.settings;
    this.#options.room(roomForMessages(link.channel?.mtu ?? ordinaryMtu, family, kind === 'tcp'));
  }
}

/** The same link on another port: for the peer channel. */
export function onPort(link: SyncLink, port: number): SyncLink {
  return { ...link, kind: link.kind === 'tcp' ? 'udp' : link.kind, port };
}

/** What a UDP or multicast link asks of the network room. */
export function channelSpecOf(link: SyncLink): ChannelSpec | undefined {
  if (link.kind === 'tcp') return undefined;
  return {
    kind: link.kind,
    family: link.family,
    interfaceName: link.interfaceName,
    ...(link.localAddress === undefined ? {} : { localAddress: link.localAddress }),
    destination: link.destination,
    port: link.port,
    ...(link.sendBufferBytes === undefined ? {} : { sendBufferBytes: link.sendBufferBytes }),
    ...(link.receiveBufferBytes === undefined
      ? {}
      : { receiveBufferBytes: link.receiveBufferBytes }),
    checksum: link.checksum,
  };
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
