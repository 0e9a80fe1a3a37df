/** Echo replies that nobody asked for, sent in a namespace: wrong numbers, sources and payloads. */
import { foldChecksum, onesComplementSum } from '../../../src/base/checksum.js';
import { BatchedSocket } from '../../../src/net/socket/batchedSocket.js';
import { withNetworkNamespace } from '../../../src/net/socket/networkNamespace.js';
import { AF_INET, ipSocketAddress, SOCK_RAW } from '../../../src/net/socket/sockaddr.js';
import { IPPROTO_IP, IP_HDRINCL } from '../../../src/net/socket/socketOptions.js';
import { ip } from '../vrrp/settings.js';

/** IPPROTO_RAW: nothing comes in. */
const rawProtocol = 255;

export class EchoForger {
  readonly #socket: BatchedSocket;

  constructor(namespacePath: string) {
    const opened = withNetworkNamespace(namespacePath, () =>
      BatchedSocket.open({ domain: AF_INET, type: SOCK_RAW, protocol: rawProtocol }),
    );
    if (opened.kind === 'refused') throw new Error(`raw socket: ${opened.errno}`);
    this.#socket = opened.socket;
    this.#socket.setIntOption(IPPROTO_IP, IP_HDRINCL, 1);
  }

  /** `message` from its byte 4 on: identifier, sequence, payload. */
  reply(source: string, destination: string, rest: Uint8Array): void {
    const message = new Uint8Array(4 + rest.length);
    message.set(rest, 4);
    const view = new DataView(message.buffer);
    view.setUint16(2, foldChecksum(onesComplementSum(message)));
    const packet = new Uint8Array(20 + message.length);
    packet.set([0x45, 0, 0, 0, 0, 0, 0, 0, 64, 1]);
    packet.set(ip(source).bytes, 12);
    packet.set(ip(destination).bytes, 16);
    packet.set(message, 20);
    const errno = this.#socket.send(packet, ipSocketAddress(ip(destination), 0));
    if (errno !== 0) throw new Error(`send: ${errno}`);
  }

  close(): void {
    this.#socket.close();
  }
}
