/**
 * The replication channel over UDP: one socket that receives on the port, one that sends from an
 * ephemeral port, as conntrackd 1.4.7 does. Multicast is not looped back.
 */
import { BatchedSocket, messageTruncated } from '../socket/batchedSocket.js';
import { packetControlBytes } from '../socket/controlMessages.js';
import { EADDRINUSE, EINVAL, EIO, ENODEV, EOPNOTSUPP } from '../../base/errno.js';
import { outcomeOf } from '../socket/outcome.js';
import { interfaceIndex, interfaceMtu, interfaceName } from '../socket/interfaceQuery.js';
import { portOwnerText } from './portOwner.js';
import type { Arrival, Channel, ChannelListener, ChannelSpec, KernelOutcome } from '../ports.js';
import { AF_INET, AF_INET6, SOCK_DGRAM, ipSocketAddress } from '../socket/sockaddr.js';
import { SenderCache, type Sender } from './senderCache.js';
import { applyReceiverOptions, applySenderOptions, scopeFor } from './udpOptions.js';

/** Room for jumbo frames even where the own link has a smaller MTU than the peer's. */
const smallestCellBytes = 9_216;
const largestCellBytes = 65_536;
const ringBytes = 1_048_576;

/** Datagrams, except `receiveErrors` and `sendErrors`: failed calls. */
export interface ChannelCounters {
  readonly received: number;
  /** Longer than a cell; dropped. */
  readonly truncated: number;
  readonly receiveErrors: number;
  readonly sent: number;
  readonly sendErrors: number;
}

export type OpenedChannel =
  | { readonly kind: 'open'; readonly channel: UdpChannel }
  /** `operation` names the system call and what it was for. */
  | {
      readonly kind: 'refused';
      readonly operation: string;
      readonly outcome: KernelOutcome;
      /** Who has the port, where that is why. */
      readonly owner?: string;
    };

interface ArrivedFrom extends Sender {
  readonly arrival: Arrival;
}

export class UdpChannel implements Channel {
  /** MTU of the interface when the channel was opened. */
  readonly mtu: number;
  readonly interfaceIndex: number;
  readonly #receiver: BatchedSocket;
  readonly #sender: BatchedSocket;
  readonly #destination: Uint8Array;
  readonly #senders = new SenderCache<ArrivedFrom>((sender) => ({
    ...sender,
    arrival: this.#arrivalOf(sender),
  }));
  readonly #counters = { received: 0, truncated: 0, receiveErrors: 0, sent: 0, sendErrors: 0 };
  #listener: ChannelListener | undefined;
  #sendsRuns = true;

  static open(spec: ChannelSpec): OpenedChannel {
    const domain = spec.family === 4 ? AF_INET : AF_INET6;
    const sender = BatchedSocket.open({ domain, type: SOCK_DGRAM, protocol: 0 });
    if (sender.kind === 'refused') return refused('socket', sender.errno);
    const index = interfaceIndex(sender.socket, spec.interfaceName);
    const mtu = interfaceMtu(sender.socket, spec.interfaceName);
    if (index.kind === 'refused' || mtu.kind === 'refused') {
      sender.socket.close();
      const errno = index.kind === 'refused' ? index.errno : ENODEV;
      return refused(`interface ${spec.interfaceName}`, errno);
    }
    const cellBytes = Math.min(largestCellBytes, Math.max(smallestCellBytes, (mtu.value + 7) & ~7));
    const cells = Math.floor(ringBytes / cellBytes);
    const receiver = BatchedSocket.open({
      domain,
      type: SOCK_DGRAM,
      protocol: 0,
      cells,
      cellBytes,
      controlBytes: packetControlBytes,
    });
    if (receiver.kind === 'refused') {
      sender.socket.close();
      return refused('socket', receiver.errno);
    }
    const failed =
      applySenderOptions(sender.socket, spec, index.value) ??
      applyReceiverOptions(receiver.socket, spec, index.value);
    if (failed !== undefined) {
      sender.socket.close();
      receiver.socket.close();
      const owner =
        failed.errno === EADDRINUSE ? portOwnerText('udp', spec.family, spec.port) : undefined;
      return refused(failed.operation, failed.errno, owner);
    }
    const destination = ipSocketAddress(
      spec.destination,
      spec.port,
      scopeFor(spec.destination, index.value),
    );
    return {
      kind: 'open',
      channel: new UdpChannel(sender.socket, receiver.socket, destination, {
        mtu: mtu.value,
        index: index.value,
      }),
    };
  }

  private constructor(
    sender: BatchedSocket,
    receiver: BatchedSocket,
    destination: Uint8Array,
    found: { readonly mtu: number; readonly index: number },
  ) {
    this.#sender = sender;
    this.#receiver = receiver;
    this.#destination = destination;
    this.mtu = found.mtu;
    this.interfaceIndex = found.index;
  }

  get receiveErrors(): number {
    return this.#counters.receiveErrors + this.#counters.truncated;
  }

  onDatagram(listener: ChannelListener): void {
    const isFirst = this.#listener === undefined;
    this.#listener = listener;
    if (!isFirst) return;
    this.#receiver.startReceiving({
      onBatch: (count) => {
        this.#deliver(count);
      },
      onOverrun: () => {
        this.#counters.receiveErrors++;
      },
      onError: () => {
        this.#counters.receiveErrors++;
      },
    });
  }

  send(datagram: Uint8Array): KernelOutcome {
    const errno = this.#sender.send(datagram, this.#destination);
    if (errno === 0) this.#counters.sent++;
    else this.#counters.sendErrors++;
    return outcomeOf(errno);
  }

  sendRun(datagrams: Uint8Array, size: number): KernelOutcome {
    if (!this.#sendsRuns) return outcomeOf(EOPNOTSUPP);
    const errno = this.#sender.sendSegments(datagrams, size, this.#destination);
    if (errno === 0) this.#counters.sent += Math.ceil(datagrams.length / size);
    // Without checksums (`Checksum off`) or behind some tunnels: it will not be otherwise the next
    // time.
    else if (errno === EIO || errno === EINVAL || errno === EOPNOTSUPP) this.#sendsRuns = false;
    return outcomeOf(errno);
  }

  onceWritable(callback: () => void): void {
    this.#sender.onceWritable(callback);
  }

  /** Back-pressure: datagrams wait in the kernel, up to its buffer. */
  pause(): void {
    this.#receiver.stopReceiving();
  }

  resume(): void {
    const listener = this.#listener;
    if (listener === undefined || this.#receiver.isClosed) return;
    this.#listener = undefined;
    this.onDatagram(listener);
  }

  counters(): ChannelCounters {
    return { ...this.#counters };
  }

  close(): void {
    this.#listener = undefined;
    this.#receiver.close();
    this.#sender.close();
  }

  #deliver(count: number): void {
    const receiver = this.#receiver;
    for (let i = 0; i < count; i++) {
      // A listener may close the channel.
      const listener = this.#listener;
      if (listener === undefined) return;
      if (((receiver.flags[i] ?? 0) & messageTruncated) !== 0) {
        this.#counters.truncated++;
        continue;
      }
      this.#counters.received++;
      const source = this.#senders.lookup(receiver.senderAddress(i), receiver.control(i));
      listener(receiver.datagram(i), source.address, source.port, source.arrival);
    }
  }

  #arrivalOf({ packet: { ttl, interfaceIndex: index } }: Sender): Arrival {
    if (index === undefined || index === this.interfaceIndex) return { ttl };
    const name = interfaceName(this.#sender, index);
    return { ttl, strangeDevice: name.kind === 'value' ? name.value : `interface ${index}` };
  }
}

function refused(operation: string, errno: number, owner?: string): OpenedChannel {
  const outcome = outcomeOf(errno);
  return { kind: 'refused', operation, outcome, ...(owner === undefined ? {} : { owner }) };
}
