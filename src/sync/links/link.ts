/**
 * One dedicated link: its channel, its counters, and what waits because the kernel took no more, or
 * because a TCP link has no connection at present. What waits is bounded in both cases.
 */
import { EAGAIN, ENOTCONN } from '../../base/errno.js';
import type { Channel } from '../../net/ports.js';
import type { LinkStatus } from '../messages.js';
import type { SyncLink } from '../settings.js';

/** What one run of the pump can make, and some. */
const mostWaiting = 512;
const ordinaryMtu = 1_500;

export class Link {
  readonly settings: SyncLink;
  channel: Channel | undefined;
  /** The interface is up and has carrier. */
  isUp = true;
  /**
   * The interface's MTU as it was reported last; before that, what the channel found when it was
   * opened.
   */
  reportedMtu: number | undefined;
  /**
   * Its own connection ended, or could not be made, since it last stood: what was under way may be
   * lost.
   */
  wasCut = false;
  /** Why it could not be opened the last time; logged once as long as that does not change. */
  refused: string | undefined;
  #isCut = false;
  /** From which the last good datagram came. */
  #peerPort: number | undefined;
  #bytesSent = 0;
  #bytesReceived = 0;
  #datagramsSent = 0;
  #datagramsReceived = 0;
  #sendErrors = 0;
  /** Of channels that were closed. */
  #receiveErrors = 0;
  /** In order. */
  #waiting: Uint8Array[] = [];
  readonly #writable: () => void;

  /** `writable`: more can be sent after `isBlocked`. */
  constructor(settings: SyncLink, writable: () => void) {
    this.settings = settings;
    this.#writable = writable;
  }

  get mtu(): number {
    return this.reportedMtu ?? this.channel?.mtu ?? ordinaryMtu;
  }

  /** As far as this node can know, what is sent here arrives. */
  get canCarry(): boolean {
    return this.isUp && this.channel !== undefined && this.channel.stream?.isSending !== false;
  }

  /** The kernel's send buffer is full, or a connection is being made: more should wait. */
  get isBlocked(): boolean {
    return this.#waiting.length > 0 && !this.#isCut;
  }

  send(datagram: Uint8Array): void {
    if (this.#waiting.length > 0) this.#keep(datagram.slice());
    else this.#transmit(datagram);
  }

  /**
   * Datagrams of `size` bytes, end to end, the last may be shorter: in one call where the channel
   * can.
   */
  sendRun(datagrams: Uint8Array, size: number): void {
    if (datagrams.length > size && this.#waiting.length === 0) {
      const outcome = this.channel?.sendRun?.(datagrams, size);
      if (outcome?.kind === 'done') {
        this.#datagramsSent += Math.ceil(datagrams.length / size);
        this.#bytesSent += datagrams.length;
        return;
      }
    }
    for (let at = 0; at < datagrams.length; at += size) {
      this.send(datagrams.subarray(at, at + size));
    }
  }

  /** Notes the port of a good datagram; true where earlier ones came from another. */
  isPeerMoved(port: number): boolean {
    const before = this.#peerPort;
    this.#peerPort = port;
    return before !== undefined && before !== port;
  }

  received(bytes: number): void {
    this.#datagramsReceived++;
    this.#bytesReceived += bytes;
  }

  /** What waits, for the link that is used from now on; this one's connection is made anew. */
  leave(): readonly Uint8Array[] {
    const left = this.#waiting;
    this.#waiting = [];
    this.#isCut = false;
    // What is still under way here must not arrive behind newer messages; without a connection
    // nothing is.
    const stream = this.channel?.stream;
    if (stream?.isSending === true) stream.restart();
    return left;
  }

  /**
   * The kernel's interface of this name has this index, or is gone. Closes a channel whose sockets
   * belong to another one, which will never carry again; true where it did.
   */
  interfaceIs(index: number | undefined): boolean {
    const opened = this.channel?.interfaceIndex;
    if (opened === undefined || opened === index) return false;
    this.close();
    return true;
  }

  close(): void {
    this.#receiveErrors += this.channel?.receiveErrors ?? 0;
    this.channel?.close();
    this.channel = undefined;
    this.#sendErrors += this.#waiting.length;
    this.#waiting = [];
    this.#isCut = false;
  }

  status(isActive: boolean): LinkStatus {
    const stream = this.channel?.stream;
    return {
      interfaceName: this.settings.interfaceName,
      kind: this.settings.kind,
      isActive,
      isUsable: this.isUp && this.channel !== undefined,
      ...(this.isUp && this.refused !== undefined ? { refused: this.refused } : {}),
      ...(this.settings.kind === 'tcp'
        ? {
            isSending: stream?.isSending ?? false,
            isReceiving: stream?.isReceiving ?? false,
          }
        : {}),
      bytesSent: this.#bytesSent,
      bytesReceived: this.#bytesReceived,
      datagramsSent: this.#datagramsSent,
      datagramsReceived: this.#datagramsReceived,
      sendErrors: this.#sendErrors,
      receiveErrors: this.#receiveErrors + (this.channel?.receiveErrors ?? 0),
    };
  }

  /** False where the datagram now waits. */
  #transmit(datagram: Uint8Array): boolean {
    const { channel } = this;
    const outcome = channel?.send(datagram);
    if (outcome?.kind === 'done') {
      this.#datagramsSent++;
      this.#bytesSent += datagram.length;
      return true;
    }
    const errno = outcome?.kind === 'refused' ? outcome.errno : undefined;
    this.#isCut = errno === ENOTCONN && channel?.stream !== undefined;
    if (this.#isCut) this.wasCut = true;
    if ((errno !== EAGAIN && !this.#isCut) || channel?.onceWritable === undefined) {
      this.#sendErrors++;
      return true;
    }
    this.#keep(datagram.slice());
    channel.onceWritable(() => {
      this.#resume();
    });
    return false;
  }

  /**
   * In front of a full buffer the last ones are lost: their senders stop. Without a connection
   * nobody stops, and the oldest are lost, as in conntrackd's error queue. `datagram` is kept as it
   * is.
   */
  #keep(datagram: Uint8Array): void {
    const waiting = this.#waiting;
    if (this.#isCut) {
      const most = Math.max(1, this.settings.errorQueueLength);
      while (waiting.length >= most) {
        waiting.shift();
        this.#sendErrors++;
      }
    } else if (waiting.length >= mostWaiting) {
      this.#sendErrors++;
      return;
    }
    waiting.push(datagram);
  }

  #resume(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const [index, datagram] of waiting.entries()) {
      if (this.#transmit(datagram)) continue;
      for (const later of waiting.slice(index + 1)) this.#keep(later);
      if (!this.#isCut) return;
      break;
    }
    this.#writable();
  }
}
