/**
 * Adverts and source announcements on their way to the wire; a failing send is logged once until it
 * works again.
 */
import { formatIp, type IpAddress } from '../../base/ipAddress.js';
import type { Logger } from '../../base/logger.js';
import type { KernelOutcome, NeighbourAnnouncer } from '../../net/ports.js';
import type { AdvertAuthentication } from '../auth/advertAuthentication.js';
import { advertOf } from './advert.js';
import { encodeAdvert } from './packet.js';
import type { InstanceSettings } from '../settings.js';
import type { SocketPool } from './socketPool.js';

export interface SenderPorts {
  readonly pool: SocketPool;
  readonly announcer: NeighbourAnnouncer;
  readonly auth: AdvertAuthentication;
  readonly logger: Logger;
}

/** Multicast adverts travel one hop only (RFC 3768 section 5.2.3). */
const multicastTtl = 255;

export class Senders {
  readonly #ports: SenderPorts;
  /** Instance name to the kernel's words. */
  readonly #failing = new Map<string, string>();

  constructor(ports: SenderPorts) {
    this.#ports = ports;
  }

  /** Why adverts of this instance do not leave, for status. */
  failureOf(instance: string): string | undefined {
    return this.#failing.get(instance);
  }

  /**
   * One copy to the group, or to each unicast peer in configured order, all with one
   * identification.
   */
  sendAdvert(
    instance: InstanceSettings,
    source: IpAddress | undefined,
    priority: number,
    identification: number,
  ): void {
    const socket = this.#ports.pool.socketOf(instance.name);
    // In FAULT without a source or a socket there is nothing to say goodbye with.
    if (source === undefined || socket === undefined) return;
    const isMulticast = instance.unicastPeers.length === 0;
    const ttl = isMulticast ? multicastTtl : instance.unicastTtl;
    const advert = advertOf(instance, priority);
    const { auth } = this.#ports;
    let trailer: Uint8Array | undefined;
    for (const destination of destinationsOf(instance)) {
      const unsigned = encodeAdvert(advert, { source, destination });
      if (instance.hmac !== undefined) trailer ??= auth.sign(instance, unsigned, source);
      const payload = trailer === undefined ? unsigned : Buffer.concat([unsigned, trailer]);
      const outcome = socket.send({ source, destination, identification, ttl, payload });
      this.#note(instance.name, outcome, destination);
    }
  }

  announceSource(instance: InstanceSettings, source: IpAddress | undefined): void {
    if (source !== undefined) this.#ports.announcer.announce(instance.interfaceName, source);
  }

  #note(instance: string, outcome: KernelOutcome, destination: IpAddress): void {
    if (outcome.kind !== 'refused') {
      if (this.#failing.delete(instance)) {
        this.#ports.logger.log('notice', 'adverts are sent again', { instance });
      }
      return;
    }
    if (this.#failing.get(instance) === outcome.message) return;
    this.#failing.set(instance, outcome.message);
    this.#ports.logger.log('warning', 'advert not sent', {
      instance,
      to: formatIp(destination),
      reason: outcome.message,
    });
  }
}

function destinationsOf(instance: InstanceSettings): readonly IpAddress[] {
  if (instance.unicastPeers.length === 0) return [instance.multicastGroup];
  return instance.unicastPeers.map((peer) => peer.address);
}
