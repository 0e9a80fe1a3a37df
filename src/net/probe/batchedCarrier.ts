/** ICMP over the batched socket: many datagrams per system call, errors at once. */
import type { IpAddress, IpFamily } from '../../base/ipAddress.js';
import { BatchedSocket } from '../socket/batchedSocket.js';
import { AF_INET, AF_INET6, ipSocketAddress, SOCK_RAW } from '../socket/sockaddr.js';
import {
  icmpProtocols,
  type Carrier,
  type CarrierEvents,
  type CarrierMake,
  type OpenedCarrier,
} from './carrier.js';

const cells = 64;
/** An Ethernet frame's worth. */
const cellBytes = 1_520;

export const batchedMake: CarrierMake = {
  name: 'batched socket',
  open: (family: IpFamily, events: CarrierEvents): OpenedCarrier => {
    const opened = BatchedSocket.open({
      domain: family === 4 ? AF_INET : AF_INET6,
      type: SOCK_RAW,
      protocol: icmpProtocols[family],
      cells,
      cellBytes,
    });
    if (opened.kind === 'refused') return { errno: opened.errno };
    return { carrier: new BatchedCarrier(opened.socket, family, events) };
  },
};

class BatchedCarrier implements Carrier {
  readonly #socket: BatchedSocket;
  readonly #family: IpFamily;
  readonly #events: CarrierEvents;

  constructor(socket: BatchedSocket, family: IpFamily, events: CarrierEvents) {
    this.#socket = socket;
    this.#family = family;
    this.#events = events;
  }

  setOption(level: number, name: number, value: Uint8Array): number {
    return this.#socket.setOption(level, name, value);
  }

  getOption(level: number, name: number, into: Uint8Array): number {
    return this.#socket.getOption(level, name, into);
  }

  send(bytes: Uint8Array, destination: IpAddress): number {
    return this.#socket.send(bytes, ipSocketAddress(destination, 0));
  }

  read(): void {
    this.#socket.startReceiving({
      onBatch: (count) => this.#deliver(count),
      // Raw sockets drop silently when they are full.
      onOverrun: () => undefined,
      onError: (errno) => this.#events.error(errno),
    });
  }

  stopReading(): void {
    this.#socket.stopReceiving();
  }

  close(): void {
    this.#socket.close();
  }

  #deliver(count: number): void {
    const socket = this.#socket;
    for (let i = 0; i < count && !socket.isClosed; i++) {
      // sockaddr_in6: u16 family | u16 port | u32 flow | 16 address.
      const source = this.#family === 4 ? undefined : socket.senderAddress(i).subarray(8, 24);
      this.#events.datagram(socket.datagram(i), source);
    }
  }
}
