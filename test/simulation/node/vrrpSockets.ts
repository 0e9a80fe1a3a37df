/**
 * VRRP sockets of one process on the simulated segments: bound to an interface and to a group or a
 * local address, as the raw sockets of src/net/vrrp are. What comes while the thread stands still
 * waits, and `drain` reads it.
 */
import { formatIp, parseIp } from '../../../src/base/ipAddress.js';
import type {
  KernelOutcome,
  VrrpDatagram,
  VrrpSend,
  VrrpSocket,
  VrrpSocketFactory,
  VrrpSocketSpec,
} from '../../../src/net/ports.js';
import type { Advert, Network, SegmentName } from '../network/network.js';
import type { SimulatedThread } from '../world/thread.js';
import { isSegment } from './interfaces.js';

/** What the kernel's buffer holds: one datagram takes a page of it. */
const mostWaiting = 256;
const noDevice: KernelOutcome = { kind: 'refused', errno: 19, message: 'No such device' };
const networkDown: KernelOutcome = { kind: 'refused', errno: 100, message: 'Network is down' };

export class SimulatedVrrpSockets implements VrrpSocketFactory {
  readonly #network: Network;
  readonly #thread: SimulatedThread;
  readonly #sockets = new Set<SimulatedVrrpSocket>();

  constructor(network: Network, thread: SimulatedThread) {
    this.#network = network;
    this.#thread = thread;
  }

  open(
    spec: VrrpSocketSpec,
  ): { readonly socket: VrrpSocket } | { readonly refused: KernelOutcome } {
    const link = this.#thread.network.watch.linkByName(spec.interfaceName);
    if (!isSegment(spec.interfaceName) || link === undefined) return { refused: noDevice };
    const socket = new SimulatedVrrpSocket(spec, spec.interfaceName, {
      network: this.#network,
      thread: this.#thread,
      closed: (one) => this.#sockets.delete(one),
    });
    this.#sockets.add(socket);
    return { socket };
  }

  /** What arrives at the machine. */
  advert(segment: SegmentName, advert: Advert): void {
    for (const socket of this.#sockets) {
      if (socket.segment === segment && socket.hears(advert)) socket.arrived(advert);
    }
  }
}

interface SocketParts {
  readonly network: Network;
  readonly thread: SimulatedThread;
  readonly closed: (socket: SimulatedVrrpSocket) => void;
}

class SimulatedVrrpSocket implements VrrpSocket {
  readonly segment: SegmentName;
  readonly #group: string | undefined;
  readonly #local: string | undefined;
  readonly #parts: SocketParts;
  readonly #waiting: VrrpDatagram[] = [];
  #listener: (datagram: VrrpDatagram) => void = () => undefined;

  constructor(spec: VrrpSocketSpec, segment: SegmentName, parts: SocketParts) {
    this.segment = segment;
    this.#parts = parts;
    this.#group = spec.multicastGroup === undefined ? undefined : formatIp(spec.multicastGroup);
    this.#local = spec.localAddress === undefined ? undefined : formatIp(spec.localAddress);
  }

  hears({ destination }: Advert): boolean {
    return destination === (this.#group ?? this.#local);
  }

  arrived({ source, destination, ttl, payload }: Advert): void {
    const from = parseIp(source);
    if (from === undefined || this.#waiting.length >= mostWaiting) return;
    this.#waiting.push({
      source: from,
      destination: parseIp(destination),
      ttl,
      totalLength: payload.length + 20,
      payload,
    });
    this.#parts.thread.later(0, () => this.drain());
  }

  onDatagram(listener: (datagram: VrrpDatagram) => void): void {
    this.#listener = listener;
  }

  drain(): void {
    for (const datagram of this.#waiting.splice(0)) this.#listener(datagram);
  }

  send({ source, destination, ttl, payload }: VrrpSend): KernelOutcome {
    const { network, thread } = this.#parts;
    const advert = {
      source: formatIp(source),
      destination: formatIp(destination),
      ttl,
      payload: payload.slice(),
    };
    const isSent = network.broadcast(this.segment, thread.host.name, (station, isCorrupted) => {
      station.advert(this.segment, isCorrupted ? corrupted(advert) : advert);
    });
    return isSent ? { kind: 'done' } : networkDown;
  }

  close(): void {
    this.#listener = () => undefined;
    this.#waiting.length = 0;
    this.#parts.closed(this);
  }
}

/** One bit of the first bytes is another one. */
function corrupted(advert: Advert): Advert {
  const payload = advert.payload.slice();
  const at = payload.length === 0 ? 0 : (advert.source.length * 7) % payload.length;
  payload[at] = (payload[at] ?? 0) ^ 0x10;
  return { ...advert, payload };
}
