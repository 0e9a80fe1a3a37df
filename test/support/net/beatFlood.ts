/** Forged beats as fast as a packet socket takes them: right addresses, junk for a seal. */
import { parseIp } from '../../../src/base/ipAddress.js';
import { BatchedSocket } from '../../../src/net/socket/batchedSocket.js';
import { interfaceIndex } from '../../../src/net/socket/interfaceQuery.js';
import { withNetworkNamespace } from '../../../src/net/socket/networkNamespace.js';
import { AF_PACKET, packetSocketAddress, SOCK_DGRAM } from '../../../src/net/socket/sockaddr.js';
import type { Host } from '../../lab/host.js';
import { beatDatagram } from './beatDatagrams.js';

const run = 100;

export class BeatFlood {
  sent = 0;
  readonly #socket: BatchedSocket;
  readonly #to: Uint8Array;
  readonly #bytes: Uint8Array;
  readonly #offsets = new Uint32Array(run);
  readonly #lengths = new Uint32Array(run);

  /** IPv4 addresses; contents of all lengths, unless given. */
  static open(
    host: Host,
    interfaceName: string,
    ends: { readonly from: string; readonly to: string; readonly contentBytes?: number },
  ): BeatFlood {
    return withNetworkNamespace(host.namespacePath, () => {
      const opened = BatchedSocket.open({ domain: AF_PACKET, type: SOCK_DGRAM, protocol: 0 });
      if (opened.kind === 'refused') throw new Error(String(opened.errno));
      const index = interfaceIndex(opened.socket, interfaceName);
      if (index.kind === 'refused') throw new Error(String(index.errno));
      const everybody = new Uint8Array(6).fill(0xff);
      const to = packetSocketAddress(0x0800, index.value, everybody);
      const datagrams = Array.from({ length: run }, (_, i) =>
        beatDatagram({
          ...{ source: parseIp(ends.from)!, destination: parseIp(ends.to)!, port: 3781 },
          ...{ session: '8899aabbccddeeff', sequence: 1_000_000 + i },
          content: new Uint8Array(ends.contentBytes ?? (i * 5) % 512).fill(i),
        }),
      );
      return new BeatFlood(opened.socket, to, datagrams);
    });
  }

  private constructor(socket: BatchedSocket, to: Uint8Array, datagrams: readonly Uint8Array[]) {
    this.#socket = socket;
    this.#to = to;
    this.#bytes = Buffer.concat(datagrams);
    let at = 0;
    datagrams.forEach(({ length }, i) => {
      this.#offsets[i] = at;
      this.#lengths[i] = length;
      at += length;
    });
  }

  send(count: number): void {
    for (let left = count; left > 0; left -= run) {
      this.sent += this.#socket.sendMany(
        ...([this.#bytes, this.#offsets, this.#lengths, run, this.#to] as const),
      );
    }
  }

  close(): void {
    this.#socket.close();
  }
}
