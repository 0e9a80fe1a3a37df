/**
 * The dedicated links: all are listened on, one is sent on. The active one is the `Default`, then
 * whichever can carry, then the one the peer was last heard on, so that both ends meet on the same
 * link (conntrackd 1.4.7). Beyond conntrackd: where the peer is heard nowhere although it should
 * speak, the next link is tried, because a dead path can have carrier. What is not the peer's is
 * dropped and counted here.
 */
import type { IpAddress } from '../../base/ipAddress.js';
import type { Logger } from '../../base/logger.js';
import { seconds, subtractTime, type Clock, type Microseconds } from '../../base/time.js';
import type { Channel, ChannelSpec, DatagramOrigin, StreamSpec } from '../../net/ports.js';
import { Link } from './link.js';
import { LinkSources } from './linkSources.js';
import type { LinkStatus } from '../messages.js';
import type { SyncLink } from '../settings.js';
import { StreamGuard, type Speaker } from './streamGuard.js';
import { roomForMessages } from '../wire/datagramBuilder.js';

/** A socket that a link asks for. */
export type WantedChannel = SyncLink & {
  /** It sends from a port below 1024, where this process may have one. */
  readonly fromPrivilegedPort?: true;
};

export type OpenChannel = (link: WantedChannel) => Channel | { readonly refused: string };

export interface LinksOptions {
  readonly links: readonly SyncLink[];
  readonly open: OpenChannel;
  readonly acceptAnySource: boolean;
  /** `peer_multihop`. */
  readonly isMultihop?: boolean;
  /** The peer has shown a key: no conntrackd stands at its address later. */
  readonly isPeerSealed?: () => boolean;
  /** `sync_peer`. */
  readonly multicastPeers?: readonly IpAddress[];
  /** A peer that lives speaks once a second at least. */
  readonly peerSpeaks: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A datagram of the peer; true where it held a good message. */
  readonly receive: (datagram: Uint8Array) => boolean;
  /** Whether it goes on where the stream stands. */
  readonly continues: (datagram: Uint8Array) => boolean;
  /**
   * After `receive`: the peer sends from another socket than before, as after its restart. Not on
   * streams.
   */
  readonly peerMoved: () => void;
  /** Another host of the group is the peer from now on: nothing of the stream before counts. */
  readonly hostChanged: () => void;
  /** The active link changed, or its MTU: datagrams have this much room now. */
  readonly room: (bytes: number) => void;
  /** After `isBlocked`: there is room again. */
  readonly writable: () => void;
  /**
   * The link changed or was cut, and the peer is heard: either side may lack what was under way.
   */
  readonly recovered: () => void;
}

const reopenPause = seconds(1);
/** In this time a peer that lives speaks several times. */
const longestSilence = seconds(4);
/** A connection that comes and goes is logged once in this time. */
const logPause = seconds(10);

export class Links {
  readonly #options: LinksOptions;
  readonly #links: readonly Link[];
  /** Whose datagrams are the peer's, also on the peer channel. */
  readonly sources: LinkSources;
  readonly #guard = new StreamGuard();
  #active = 0;
  #triedAt: Microseconds | undefined;
  /** When the peer was heard last, or a link was given its chance. */
  #quietSince: Microseconds;
  /** Links were tried in vain since the peer was heard. */
  #isSearching = false;
  #needsRepair = false;
  readonly #logged = new Map<string, Microseconds>();

  constructor(options: LinksOptions) {
    this.#options = options;
    this.#links = options.links.map((settings) => new Link(settings, options.writable));
    const { multicastPeers, isMultihop, isPeerSealed } = options;
    this.sources = new LinkSources({
      acceptAny: options.acceptAnySource,
      isMultihop: isMultihop === true,
      ...(isPeerSealed === undefined ? {} : { isPeerSealed }),
      ...(multicastPeers === undefined ? {} : { multicastPeers }),
      clock: options.clock,
      logger: options.logger,
    });
    this.#quietSince = options.clock.now();
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
      if (link.channel === undefined) this.#openLink(link);
    }
    this.#announceRoom();
  }

  /** More should wait for `writable`. */
  get isBlocked(): boolean {
    return this.#links[this.#active]?.isBlocked === true;
  }

  send(datagram: Uint8Array): void {
    this.#links[this.#active]?.send(datagram);
  }

  /** Datagrams of `size` bytes each, end to end; the last may be shorter. */
  sendRun(datagrams: Uint8Array, size: number): void {
    this.#links[this.#active]?.sendRun(datagrams, size);
  }

  /** `mtu` in bytes, where it is known; `index` of the interface, where there is one. */
  linkState(interfaceName: string, isUsable: boolean, mtu?: number, index?: number): void {
    const concerned = this.#links.filter(
      ({ settings }) => settings.interfaceName === interfaceName,
    );
    for (const link of concerned) {
      const isBack = isUsable && !link.isUp;
      link.isUp = isUsable;
      link.reportedMtu = mtu ?? link.reportedMtu;
      if (isBack && link.channel?.stream?.isSending === false) link.channel.stream.restart();
    }
    this.#announceRoom();
    if (this.#links[this.#active]?.isUp !== true) this.#leaveFailed();
    // Only now: what waits has moved to the next link.
    for (const link of concerned) this.#followInterface(link, index);
  }

  #leaveFailed(): void {
    const carrying = this.#links.findIndex((link) => link.canCarry);
    const next = carrying < 0 ? this.#links.findIndex((link) => link.isUp) : carrying;
    if (next < 0) this.#options.logger.log('error', 'no dedicated links available', {});
    else this.#activate(next, 'the link before it failed');
  }

  tick(now: Microseconds): void {
    const isMissing = this.#links.some(({ channel }) => channel === undefined);
    if (
      isMissing &&
      (this.#triedAt === undefined || this.#isOver(this.#triedAt, reopenPause, now))
    ) {
      this.open();
    }
    const active = this.#links[this.#active];
    if (active?.channel?.stream?.isSending === false) this.#tryNext('its connection ended');
    else if (this.#options.peerSpeaks && this.#isOver(this.#quietSince, longestSilence, now)) {
      this.#quietSince = now;
      this.#tryNext('the peer is not heard');
    }
  }

  status(): readonly LinkStatus[] {
    return this.#links.map((link, i) => link.status(i === this.#active));
  }

  close(): void {
    for (const link of this.#links) link.close();
  }

  /**
   * Sockets of an interface that is gone are closed; `tick` opens others, and at once where one has
   * come back.
   */
  #followInterface(link: Link, index: number | undefined): void {
    if (link.interfaceIs(index)) {
      if (link === this.#links[this.#active]) this.#needsRepair = true;
      const { interfaceName } = link.settings;
      this.#options.logger.log('notice', 'the interface of a sync link is gone or was made anew', {
        interface: interfaceName,
      });
      // Nothing waits for the closed sockets any more.
      this.#options.writable();
    }
    if (index !== undefined && link.channel === undefined) this.#triedAt = undefined;
  }

  #openLink(link: Link): void {
    const opened = this.#options.open(link.settings);
    if ('refused' in opened) {
      if (link.refused === opened.refused) return;
      link.refused = opened.refused;
      this.#options.logger.log('error', 'cannot open the sync link', {
        interface: link.settings.interfaceName,
        reason: opened.refused,
      });
      return;
    }
    link.refused = undefined;
    link.channel = opened;
    const index = this.#links.indexOf(link);
    opened.screen?.((origin) => this.sources.admits(link.settings, 'sync', origin));
    opened.onDatagram((datagram, source, port, arrival) => {
      link.received(datagram.length);
      // A connection was judged when it came in.
      if (opened.stream !== undefined) this.#received(index, datagram, port);
      else this.#judged({ link: index, source, port, arrival }, datagram);
    });
    opened.stream?.watch({
      admits: (source) => this.sources.admits(link.settings, 'sync', { source, port: 0 }),
      changed: (direction, isConnected, because) => {
        this.#connectionChanged(link, direction, isConnected, because);
      },
    });
  }

  /** Not on streams. */
  #judged(speaker: Speaker & DatagramOrigin, datagram: Uint8Array): void {
    const { clock, peerSpeaks } = this.#options;
    const { link: index, port } = speaker;
    const link = this.#links[index];
    if (link === undefined) return;
    const isScreened = link.channel?.screen !== undefined;
    if (!isScreened && !this.sources.admits(link.settings, 'sync', speaker)) return;
    const now = clock.now();
    const isHolderDead = (holder: Speaker): boolean =>
      this.#links[holder.link]?.isUp !== true ||
      (holder.link !== index && this.#options.continues(datagram));
    const isPeer = (address: IpAddress): boolean => this.sources.isPeer(address);
    if (peerSpeaks && !this.#guard.admits(speaker, isHolderDead, isPeer, now)) return;
    if (peerSpeaks && this.#guard.isOtherHost(speaker)) this.#options.hostChanged();
    if (!this.#received(index, datagram, port)) return;
    this.sources.heard(link.settings, 'sync', speaker);
    const pretender = peerSpeaks ? this.#guard.heard(speaker, now) : undefined;
    if (pretender === undefined) return;
    const { interfaceName } = this.#links[pretender.link]?.settings ?? link.settings;
    this.sources.refused.note({ ...pretender, reason: 'stream', door: 'sync', interfaceName }, now);
  }

  /** True where it held a good message. */
  #received(index: number, datagram: Uint8Array, sourcePort: number): boolean {
    const link = this.#links[index];
    if (link === undefined || !this.#options.receive(datagram)) return false;
    this.#quietSince = this.#options.clock.now();
    this.#isSearching = false;
    // What was still on its way on a link that has gone down does not bring it back.
    const isDead = !link.isUp && this.#links[this.#active]?.isUp === true;
    if (!isDead) this.#activate(index, 'the peer uses it');
    const isStream = link.channel?.stream !== undefined;
    if (!isStream && link.isPeerMoved(sourcePort)) this.#options.peerMoved();
    if (!this.#needsRepair || !link.canCarry) return true;
    this.#needsRepair = false;
    this.#options.recovered();
    return true;
  }

  #connectionChanged(
    link: Link,
    direction: 'sending' | 'receiving',
    isConnected: boolean,
    because: string,
  ): void {
    if (!isConnected) link.wasCut = true;
    else if (link.wasCut) {
      link.wasCut = false;
      if (link === this.#links[this.#active]) this.#needsRepair = true;
    }
    const { interfaceName } = link.settings;
    const message = isConnected ? 'sync link connected' : 'sync link disconnected';
    const key = `${interfaceName} ${direction} ${message}`;
    const now = this.#options.clock.now();
    const loggedAt = this.#logged.get(key);
    if (loggedAt !== undefined && !this.#isOver(loggedAt, logPause, now)) return;
    this.#logged.set(key, now);
    this.#options.logger.log('notice', message, {
      interface: interfaceName,
      direction,
      reason: because,
    });
  }

  /** The next link behind the active one that can carry, if there is one. */
  #tryNext(because: string): void {
    const count = this.#links.length;
    for (let step = 1; step < count; step++) {
      const index = (this.#active + step) % count;
      if (this.#links[index]?.canCarry !== true) continue;
      this.#activate(index, because, this.#isSearching);
      this.#isSearching = true;
      return;
    }
  }

  #activate(index: number, because: string, isQuiet = false): void {
    if (index === this.#active) return;
    const left = this.#links[this.#active]?.leave() ?? [];
    this.#active = index;
    this.#quietSince = this.#options.clock.now();
    this.#needsRepair = true;
    for (const datagram of left) this.send(datagram);
    this.#announceRoom();
    if (isQuiet) return;
    this.#options.logger.log('notice', 'sync link became active', {
      interface: this.#links[index]?.settings.interfaceName,
      reason: because,
    });
  }

  #announceRoom(): void {
    const link = this.#links[this.#active];
    if (link === undefined) return;
    const { family, kind } = link.settings;
    const overhead = link.channel?.overhead ?? 0;
    this.#options.room(roomForMessages(link.mtu, family, kind === 'tcp') - overhead);
  }

  #isOver(since: Microseconds, pause: Microseconds, now: Microseconds): boolean {
    return subtractTime(now, since) >= pause;
  }
}

/** The same link on another port: for the peer channel. */
export function onPort(link: SyncLink, port: number): WantedChannel {
  const kind = link.kind === 'tcp' ? 'udp' : link.kind;
  return { ...link, kind, port, fromPrivilegedPort: true };
}

/** What a UDP or multicast link asks of the network room. */
export function channelSpecOf(link: WantedChannel): ChannelSpec | undefined {
  if (link.kind === 'tcp') return undefined;
  return {
    kind: link.kind,
    ...commonOf(link),
    ...(link.localAddress === undefined ? {} : { localAddress: link.localAddress }),
    checksum: link.checksum,
    ...(link.fromPrivilegedPort === undefined ? {} : { fromPrivilegedPort: true }),
  };
}

/** What a TCP link asks of the network room. */
export function streamSpecOf(link: SyncLink): StreamSpec | undefined {
  const { kind, localAddress } = link;
  if (kind !== 'tcp' || localAddress === undefined) return undefined;
  return { ...commonOf(link), localAddress };
}

function commonOf(link: SyncLink): Omit<StreamSpec, 'localAddress'> {
  return {
    family: link.family,
    interfaceName: link.interfaceName,
    destination: link.destination,
    port: link.port,
    ...(link.sendBufferBytes === undefined ? {} : { sendBufferBytes: link.sendBufferBytes }),
    ...(link.receiveBufferBytes === undefined
      ? {}
      : { receiveBufferBytes: link.receiveBufferBytes }),
  };
}
