/**
 * Asks whether a port takes connections. The socket is made by hand for its options (device, source
 * address, TTL), as that of the replication channel is; node:net has none of them.
 */
import { EINPROGRESS } from '../../base/errno.js';
import { BatchedSocket } from '../socket/batchedSocket.js';
import { interfaceIndex } from '../socket/interfaceQuery.js';
import { outcomeOf } from '../socket/outcome.js';
import { AF_INET, AF_INET6, ipSocketAddress, SOCK_STREAM } from '../socket/sockaddr.js';
import {
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_UNICAST_HOPS,
  IP_TTL,
  SOL_SOCKET,
  SO_BINDTODEVICE,
  SO_ERROR,
} from '../socket/socketOptions.js';
import type { KernelOutcome, ProbeListener, Prober, ProbeSpec } from '../ports.js';

type TcpSpec = Extract<ProbeSpec, { kind: 'tcp' }>;

export class TcpProber implements Prober {
  readonly isFlooded = false;
  readonly #spec: TcpSpec;
  readonly #listener: ProbeListener;
  readonly #connecting = new Map<number, BatchedSocket>();

  constructor(spec: TcpSpec, listener: ProbeListener) {
    this.#spec = spec;
    this.#listener = listener;
  }

  send(probe: number): KernelOutcome {
    const domain = this.#spec.address.family === 4 ? AF_INET : AF_INET6;
    const opened = BatchedSocket.open({ domain, type: SOCK_STREAM, protocol: 0 });
    if (opened.kind === 'refused') return outcomeOf(opened.errno);
    const { socket } = opened;
    const errno = connect(socket, this.#spec);
    if (errno !== 0 && errno !== EINPROGRESS) {
      socket.close();
      return outcomeOf(errno);
    }
    this.#connecting.set(probe, socket);
    socket.onceWritable(() => this.#decided(probe, socket));
    return { kind: 'done' };
  }

  forget(probe: number): void {
    this.#connecting.get(probe)?.close();
    this.#connecting.delete(probe);
  }

  close(): void {
    for (const probe of [...this.#connecting.keys()]) this.forget(probe);
  }

  #decided(probe: number, socket: BatchedSocket): void {
    if (this.#connecting.get(probe) !== socket) return;
    const errno = socket.getIntOption(SOL_SOCKET, SO_ERROR) ?? 0;
    this.forget(probe);
    if (errno === 0) this.#listener.answered(probe);
    else this.#listener.failed(probe, errno);
  }
}

/** errno; EINPROGRESS is usual. */
function connect(socket: BatchedSocket, spec: TcpSpec): number {
  const { address, interfaceName, source, ttl } = spec;
  let index = 0;
  if (interfaceName !== undefined) {
    const found = interfaceIndex(socket, interfaceName);
    if (found.kind === 'refused') return found.errno;
    index = found.value;
    const name = Buffer.from(`${interfaceName}\0`);
    const errno = socket.setOption(SOL_SOCKET, SO_BINDTODEVICE, name);
    if (errno !== 0) return errno;
  }
  if (ttl !== undefined) {
    const errno =
      address.family === 4
        ? socket.setIntOption(IPPROTO_IP, IP_TTL, ttl)
        : socket.setIntOption(IPPROTO_IPV6, IPV6_UNICAST_HOPS, ttl);
    if (errno !== 0) return errno;
  }
  if (source !== undefined) {
    const errno = socket.bind(ipSocketAddress(source, 0, index));
    if (errno !== 0) return errno;
  }
  return socket.connect(ipSocketAddress(address, spec.port, index));
}
