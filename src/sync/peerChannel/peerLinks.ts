/**
 * Sockets of the peer channel: one per sync link, on `peerPort`; sent on the active link, heard on
 * all. Beside a group there is the peer's own address (directPath.ts); then greetings alone go to
 * the group, for a peer that starts again or stands elsewhere. Who is heard is decided as on the
 * links themselves, but for `accept_any_sync_source`, which holds there alone.
 */
import { formatIp, type IpAddress } from '../../base/ipAddress.js';
import type { Microseconds } from '../../base/time.js';
import type { Channel, DatagramOrigin } from '../../net/ports.js';
import type { OwnRole } from '../comparison/ownRole.js';
import type { LinkedEngine } from './channelEngine.js';
import type { EngineObserver } from '../engine/engineObserver.js';
import { onPort } from '../links/links.js';
import { DirectPath } from './directPath.js';
import { PeerChannel, type PeerChannelPort } from './peerChannel.js';
import { StreamGuard, type Speaker } from '../links/streamGuard.js';
import type { SyncLink } from '../settings.js';
import { decodePeerMessage } from '../wire/peerMessage.js';

/** Milliseconds would be too often for a link that is down. */
const ticksBetweenTries = 20;

export interface PeerLinksPort extends Pick<
  PeerChannelPort,
  'version' | 'stepDownAnswered' | 'targetsTold'
> {
  /** UDP. */
  readonly port: number;
}

export class PeerLinks implements EngineObserver {
  readonly channel: PeerChannel;
  readonly #engine: LinkedEngine;
  readonly #port: number;
  readonly #sockets = new Map<number, Channel>();
  /** By link; of groups alone. */
  readonly #paths = new Map<number, DirectPath>();
  readonly #guard = new StreamGuard();
  /** Why a socket could not be opened the last time; told once as long as that does not change. */
  #refused: string | undefined;
  #ticks = 0;

  constructor(engine: LinkedEngine, role: OwnRole, { port, ...said }: PeerLinksPort) {
    this.#engine = engine;
    this.#port = port;
    // Before the channel, which says hello at its first tick: then its socket is open.
    engine.observe(this);
    const token = engine.ports.random.below(0x1_0000_0000);
    engine.settings.links.forEach((link, index) => {
      if (link.kind === 'multicast') this.#paths.set(index, this.#pathBeside(link, index, token));
    });
    this.channel = new PeerChannel(engine, role, {
      ...said,
      ...(this.#paths.size === 0 ? {} : { directToken: token }),
      nodeName: engine.settings.nodeName,
      send: (datagram, isGreeting) => {
        const { active } = engine.links;
        const isSent = this.#paths.get(active)?.send(datagram) === true;
        if (!isSent || isGreeting === true) this.#sockets.get(active)?.send(datagram);
      },
    });
  }

  /** Why the channel is closed on some link. */
  get refused(): string | undefined {
    const paths = [...this.#paths].map(([index, { refused }]) => this.#named(index, refused));
    return this.#refused ?? paths.find((text) => text !== undefined);
  }

  tick(now: Microseconds): void {
    if (this.#ticks++ % ticksBetweenTries === 0) this.#open();
    for (const path of this.#paths.values()) path.tick(now);
  }

  /**
   * Index of the interface of this name, or none: sockets of another one are opened anew at the
   * next tick.
   */
  interfaceIs(interfaceName: string, index: number | undefined): void {
    this.#engine.settings.links.forEach((link, at) => {
      if (link.interfaceName !== interfaceName) return;
      const path = this.#paths.get(at);
      if (path?.isOfAnother(index) === true) path.close();
      const socket = this.#sockets.get(at);
      if (socket?.interfaceIndex !== undefined && socket.interfaceIndex !== index) {
        socket.close();
        this.#sockets.delete(at);
      }
      if (index !== undefined && !this.#sockets.has(at)) this.#ticks = 0;
    });
  }

  close(): void {
    this.channel.close();
    for (const path of this.#paths.values()) path.close();
    for (const socket of this.#sockets.values()) socket.close();
    this.#sockets.clear();
  }

  #open(): void {
    const { settings, ports } = this.#engine;
    let refused: string | undefined;
    settings.links.forEach((link, index) => {
      if (this.#sockets.has(index)) return;
      const opened = ports.openChannel(onPort(link, this.#port));
      if ('refused' in opened) {
        refused ??= this.#named(index, opened.refused);
        return;
      }
      this.#sockets.set(index, opened);
      const admits = (origin: DatagramOrigin): boolean =>
        this.#engine.links.sources.admits(link, 'peer', origin);
      opened.screen?.(admits);
      opened.onDatagram((datagram, source, port, arrival) => {
        const origin = { link: index, source, port, arrival };
        if (opened.screen === undefined && !admits(origin)) return;
        if (!this.#isRepeated(origin, datagram)) this.#received(link, origin, datagram);
      });
    });
    if (refused !== undefined && refused !== this.#refused) {
      const fields = { port: this.#port, reason: refused };
      ports.logger.log('error', 'cannot open the peer channel', fields);
    }
    this.#refused = refused;
  }

  #named(index: number, refused: string | undefined): string | undefined {
    const name = this.#engine.settings.links[index]?.interfaceName ?? '';
    return refused === undefined ? undefined : `${name}: ${refused}`;
  }

  #pathBeside(group: SyncLink, index: number, token: number): DirectPath {
    const { ports } = this.#engine;
    return new DirectPath(group, this.#port, {
      clock: ports.clock,
      open: (link) => ports.openChannel(link),
      token,
      admits: (link, origin) => this.#engine.links.sources.admits(link, 'peer', origin),
      received: (link, origin, datagram) => {
        this.#heard(link, { ...origin, link: index }, datagram);
      },
      refused: (origin) => {
        this.#admits({ ...origin, link: index }, ports.clock.now());
      },
    });
  }

  /** What the peer says to the group beside its own way. */
  #isRepeated({ link, source }: Speaker, datagram: Uint8Array): boolean {
    const path = this.#paths.get(link);
    if (path?.isSpokenBy(source) !== true) return false;
    const message = decodePeerMessage(datagram);
    return message?.kind === 'hello' && message.direct === path.peerToken;
  }

  /** By a link itself: the socket of the group, where it is one. */
  #received(link: SyncLink, speaker: Speaker & DatagramOrigin, datagram: Uint8Array): void {
    const { sources } = this.#engine.links;
    const { source } = speaker;
    const path = this.#paths.get(speaker.link);
    const isNamed = sources.isNamed(link, source);
    if (!isNamed && this.channel.isOfCluster(datagram)) sources.recognise(source);
    const isLate = path?.hasJustBegun(source) === true;
    if (!isLate && !this.#admits(speaker, this.#engine.ports.clock.now())) return;
    if (!this.#heard(link, speaker, datagram)) return;
    const message = decodePeerMessage(datagram);
    if (message?.kind !== 'hello') return;
    path?.learn(source, message.direct);
  }

  #admits(speaker: Speaker, now: Microseconds): boolean {
    const { links } = this.#engine;
    const { link: index } = speaker;
    // The replication, which has a guard of its own, has followed the peer to another link.
    const isHolderDead = (holder: Speaker): boolean =>
      holder.link !== index && index === links.active;
    const isPeer = (address: IpAddress): boolean => links.sources.isPeer(address);
    return this.#guard.admits(speaker, isHolderDead, isPeer, now);
  }

  /** True where it was a message. */
  #heard(link: SyncLink, speaker: Speaker & DatagramOrigin, datagram: Uint8Array): boolean {
    const { links, settings, ports } = this.#engine;
    const { sources } = links;
    const { source } = speaker;
    const isNamed = sources.isNamed(settings.links[speaker.link] ?? link, source);
    const from = isNamed ? undefined : formatIp(source);
    if (!this.channel.receive(datagram, from)) return false;
    sources.heard(link, 'peer', speaker);
    const now = ports.clock.now();
    const pretender = this.#guard.heard(speaker, now);
    if (pretender === undefined) return true;
    const { interfaceName } = settings.links[pretender.link] ?? link;
    sources.refused.note({ ...pretender, reason: 'stream', door: 'peer', interfaceName }, now);
    return true;
  }
}
