/**
 * Remembers the last sender of a channel, so that a stream of datagrams from one peer decodes its address
 * once instead of once per datagram.
 */
import { decodeIpSocketAddress, type IpEndpoint } from './sockaddr.js';

export class SenderCache {
  #bytes = new Uint8Array(0);
  #endpoint: IpEndpoint | undefined;

  /** Throws DecodeError when `address` is no IP socket address. */
  lookup(address: Uint8Array): IpEndpoint {
    if (this.#endpoint !== undefined && Buffer.compare(this.#bytes, address) === 0) {
      return this.#endpoint;
    }
    const endpoint = decodeIpSocketAddress(address);
    this.#bytes = address.slice();
    this.#endpoint = endpoint;
    return endpoint;
  }
}
