/**
 * UDP channels of one worker on the simulated sync links, as src/net/channel/udpChannel.ts opens
 * them: one owner for each port, a new source port each time, a bounded receive buffer. UDP has a
 * checksum: a corrupted datagram does not arrive.
 */
import { formatIp, parseIp } from '../../../src/base/ipAddress.js';
import type {
  Channel,
  ChannelListener,
  ChannelSpec,
  KernelOutcome,
} from '../../../src/net/ports.js';
import { channelSpecOf, type OpenChannel } from '../../../src/sync/links/links.js';
import type { LinkDatagram, Network, SegmentName } from '../network/network.js';
import type { SimulatedThread } from '../world/thread.js';
import { isSegment } from './interfaces.js';

const mostWaiting = 1_000;
const firstPort = 32_768;
const portCount = 28_232;
const done: KernelOutcome = { kind: 'done' };
const networkDown: KernelOutcome = { kind: 'refused', errno: 100, message: 'Network is down' };

export class SimulatedChannels {
  readonly open: OpenChannel;
  readonly #channels = new Set<SimulatedChannel>();

  /** `nextPort` counts over all processes of the machine. */
  constructor(network: Network, thread: SimulatedThread, nextPort: () => number) {
    this.open = (link) => {
      const spec = channelSpecOf(link);
      if (spec === undefined) return { refused: 'no TCP in the simulation' };
      const segment = spec.interfaceName;
      if (!isSegment(segment) || thread.network.watch.linkByName(segment) === undefined) {
        return { refused: `interface ${segment}: No such device` };
      }
      const sourcePort = firstPort + (nextPort() % portCount);
      const channel = new SimulatedChannel(spec, segment, sourcePort, {
        network,
        thread,
        closed: (one) => this.#channels.delete(one),
      });
      this.#channels.add(channel);
      return channel;
    };
  }

  /** What arrives at the machine. */
  datagram(segment: SegmentName, datagram: LinkDatagram): void {
    for (const channel of this.#channels) {
      if (channel.segment === segment && channel.hears(datagram)) channel.arrived(datagram);
    }
  }
}

interface ChannelParts {
  readonly network: Network;
  readonly thread: SimulatedThread;
  readonly closed: (channel: SimulatedChannel) => void;
}

class SimulatedChannel implements Channel {
  readonly segment: SegmentName;
  readonly mtu = 1_500;
  readonly interfaceIndex: number;
  receiveErrors = 0;
  readonly #spec: ChannelSpec;
  readonly #sourcePort: number;
  readonly #parts: ChannelParts;
  readonly #destination: string;
  readonly #local: string;
  #waiting = 0;
  #listener: ChannelListener | undefined;
  #isClosed = false;

  constructor(spec: ChannelSpec, segment: SegmentName, sourcePort: number, parts: ChannelParts) {
    this.#spec = spec;
    this.segment = segment;
    this.#sourcePort = sourcePort;
    this.#parts = parts;
    this.#destination = formatIp(spec.destination);
    this.#local = spec.localAddress === undefined ? '' : formatIp(spec.localAddress);
    this.interfaceIndex = parts.thread.network.watch.linkByName(segment)?.index ?? 0;
  }

  hears({ destination, port }: LinkDatagram): boolean {
    const bound = this.#spec.kind === 'multicast' ? this.#destination : this.#local;
    return port === this.#spec.port && destination === bound;
  }

  arrived({ bytes, source, sourcePort }: LinkDatagram): void {
    const address = parseIp(source);
    if (address === undefined) return;
    if (this.#waiting >= mostWaiting) {
      this.receiveErrors++;
      return;
    }
    this.#waiting++;
    this.#parts.thread.later(0, () => {
      this.#waiting--;
      if (!this.#isClosed) this.#listener?.(bytes, address, sourcePort, { ttl: 255 });
    });
  }

  onDatagram(listener: ChannelListener): void {
    this.#listener = listener;
  }

  send(datagram: Uint8Array): KernelOutcome {
    const { network, thread } = this.#parts;
    const sent: LinkDatagram = {
      source: this.#local,
      sourcePort: this.#sourcePort,
      destination: this.#destination,
      port: this.#spec.port,
      bytes: datagram.slice(),
    };
    const isSent = network.broadcast(this.segment, thread.host.name, (station, isCorrupted) => {
      if (!isCorrupted) station.datagram(this.segment, sent);
    });
    return isSent ? done : networkDown;
  }

  sendRun(datagrams: Uint8Array, size: number): KernelOutcome {
    let outcome = done;
    for (let at = 0; at < datagrams.length; at += size) {
      outcome = this.send(datagrams.subarray(at, at + size));
    }
    return outcome;
  }

  close(): void {
    this.#isClosed = true;
    this.#listener = undefined;
    this.#parts.closed(this);
  }
}
