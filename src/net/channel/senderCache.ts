/**
 * Remembers the last sender of a channel and how its datagram came, so that a stream of datagrams
 * from one peer is decoded once instead of once per datagram.
 */
import { readPacketInformation, type PacketInformation } from '../socket/controlMessages.js';
import { decodeIpSocketAddress, type IpEndpoint } from '../socket/sockaddr.js';

export interface Sender extends IpEndpoint {
  readonly packet: PacketInformation;
}

const nothing = new Uint8Array(0);

export class SenderCache<Known extends Sender = Sender> {
  readonly #complete: (sender: Sender) => Known;
  #bytes = nothing;
  #control = nothing;
  #sender: Known | undefined;

  /** `complete` is called once for each change of sender or of how it comes. */
  constructor(complete: (sender: Sender) => Known) {
    this.#complete = complete;
  }

  /**
   * Throws DecodeError when `address` is no IP socket address. `control`: the datagram's ancillary
   * data.
   */
  lookup(address: Uint8Array, control: Uint8Array = nothing): Known {
    const known = this.#sender;
    if (
      known !== undefined &&
      Buffer.compare(this.#bytes, address) === 0 &&
      Buffer.compare(this.#control, control) === 0
    ) {
      return known;
    }
    const endpoint = decodeIpSocketAddress(address);
    const sender = this.#complete({ ...endpoint, packet: readPacketInformation(control) });
    this.#bytes = address.slice();
    this.#control = control.slice();
    this.#sender = sender;
    return sender;
  }
}
