/**
 * Sockets of the peer channel: one per sync link, on `peerPort`; sent on the active link, heard on
 * all. Who is heard is decided as on the links themselves, but for `accept_any_sync_source`, which
 * holds there alone.
 */
import { formatIp, type IpAddress } from '../../base/ipAddress.js';
import type { Channel, DatagramOrigin } from '../../net/ports.js';
import type { OwnRole } from '../comparison/ownRole.js';
import type { LinkedEngine } from './channelEngine.js';
import type { EngineObserver } from '../engine/engineObserver.js';
import { onPort } from '../links/links.js';
import { PeerChannel, type PeerChannelPort } from './peerChannel.js';
import { StreamGuard, type Speaker } from '../links/streamGuard.js';

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
  readonly #guard = new StreamGuard();
  /** Why a socket could not be opened the last time; told once as long as that does not change. */
  #refused: string | undefined;
  #ticks = 0;

  constructor(engine: LinkedEngine, role: OwnRole, { port, ...said }: PeerLinksPort) {
    this.#engine = engine;
    this.#port = port;
    // Before the channel, which says hello at its first tick: then its socket is open.
    engine.observe(this);
    this.channel = new PeerChannel(engine, role, {
      ...said,
      nodeName: engine.settings.nodeName,
      send: (datagram) => {
        this.#sockets.get(engine.links.active)?.send(datagram);
      },
    });
  }

  /** Why the channel is closed on some link. */
  get refused(): string | undefined {
    return this.#refused;
  }

  tick(): void {
    if (this.#ticks++ % ticksBetweenTries === 0) this.#open();
  }

  /**
   * Index of the interface of this name, or none: sockets of another one are opened anew at the
   * next tick.
   */
  interfaceIs(interfaceName: string, index: number | undefined): void {
    this.#engine.settings.links.forEach((link, at) => {
      if (link.interfaceName !== interfaceName) return;
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
        refused ??= `${link.interfaceName}: ${opened.refused}`;
        return;
      }
      this.#sockets.set(index, opened);
      const admits = (origin: DatagramOrigin): boolean =>
        this.#engine.links.sources.admits(link, 'peer', origin);
      opened.screen?.(admits);
      opened.onDatagram((datagram, source, port, arrival) => {
        const origin = { link: index, source, port, arrival };
        if (opened.screen === undefined && !admits(origin)) return;
        this.#received(origin, datagram);
      });
    });
    if (refused !== undefined && refused !== this.#refused) {
      const fields = { port: this.#port, reason: refused };
      ports.logger.log('error', 'cannot open the peer channel', fields);
    }
    this.#refused = refused;
  }

  #received(speaker: Speaker & DatagramOrigin, datagram: Uint8Array): void {
    const { links, settings, ports } = this.#engine;
    const { sources, active } = links;
    const { link: index, source } = speaker;
    const link = settings.links[index];
    if (link === undefined) return;
    const now = ports.clock.now();
    // The replication, which has a guard of its own, has followed the peer to another link.
    const isHolderDead = (holder: Speaker): boolean => holder.link !== index && index === active;
    const isNamed = sources.isNamed(link, source);
    if (!isNamed && this.channel.isOfCluster(datagram)) sources.recognise(source);
    const isPeer = (address: IpAddress): boolean => sources.isPeer(address);
    if (!this.#guard.admits(speaker, isHolderDead, isPeer, now)) return;
    const from = isNamed ? undefined : formatIp(source);
    if (!this.channel.receive(datagram, from)) return;
    sources.heard('peer', speaker);
    const pretender = this.#guard.heard(speaker, now);
    if (pretender === undefined) return;
    const { interfaceName } = settings.links[pretender.link] ?? link;
    sources.refused.note({ ...pretender, reason: 'stream', door: 'peer', interfaceName }, now);
  }
}
