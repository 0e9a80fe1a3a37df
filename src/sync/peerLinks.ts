/** Sockets of the peer channel: one per sync link, on `peerPort`; sent on the active link, heard on all. */
import type { Channel } from '../net/ports.js';
import type { Engine } from './engine.js';
import type { EngineObserver } from './engineObserver.js';
import { onPort } from './links.js';
import { PeerChannel } from './peerChannel.js';

/** Milliseconds would be too often for a link that is down. */
const ticksBetweenTries = 20;

export class PeerLinks implements EngineObserver {
  readonly channel: PeerChannel;
  readonly #engine: Engine;
  readonly #port: number;
  readonly #sockets = new Map<number, Channel>();
  #ticks = 0;

  constructor(engine: Engine, port: number, version: string) {
    this.#engine = engine;
    this.#port = port;
    // Before the channel, which says hello at its first tick: then its socket is open.
    engine.observe(this);
    this.channel = new PeerChannel(engine, {
      version,
      nodeName: engine.settings.nodeName,
      send: (datagram) => {
        this.#sockets.get(engine.links.active)?.send(datagram);
      },
    });
  }

  tick(): void {
    if (this.#ticks++ % ticksBetweenTries === 0) this.#open();
  }

  /** Index of the interface of this name, or none: sockets of another one are opened anew at the next tick. */
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
    this.#engine.settings.links.forEach((link, index) => {
      if (this.#sockets.has(index)) return;
      const opened = this.#engine.ports.openChannel(onPort(link, this.#port));
      if ('refused' in opened) return;
      this.#sockets.set(index, opened);
      opened.onDatagram((datagram, source) => {
        if (this.#engine.links.admits(link, source)) this.channel.receive(datagram);
      });
    });
  }
}
