/**
 * The way to the peer's own address where the sync link is a group: taken as soon as both nodes have
 * heard each other there. Before that, towards an older keepstate, and where unicast does not get
 * through, the group is spoken to.
 *
 *   group:   hello, with a token ->        the peer's address is learned, a socket opened
 *   unicast: path(own token, not heard) -> once a second from each
 *   unicast: <- path(own token, heard)     from here on everything goes this way
 *
 * Unicast is the peer's where it comes from its address and from the port that showed its token:
 * who took the address of a living peer and cannot see the group does not know it.
 */
import { networkInterfaces } from 'node:os';
import { ipEquals, parseIp, type IpAddress } from '../../base/ipAddress.js';
import { seconds, subtractTime, type Clock, type Microseconds } from '../../base/time.js';
import type { Channel, DatagramOrigin } from '../../net/ports.js';
import type { OpenChannel, WantedChannel } from '../links/links.js';
import type { SyncLink } from '../settings.js';
import { decodePeerMessage, encodePeerMessage } from '../wire/peerMessage.js';

const pathPause = seconds(1);
const openPause = seconds(2);
/** Two of the peer's words may be lost; it is taken for absent later. */
const pathTimeout = seconds(3);
/** What it said to the group before can be overtaken. */
const overlap = seconds(1);

export interface DirectPathPorts {
  readonly clock: Clock;
  readonly open: OpenChannel;
  /** Of this node; its hellos have it. */
  readonly token: number;
  readonly admits: (link: SyncLink, origin: DatagramOrigin) => boolean;
  /** A datagram from the peer's own port. */
  readonly received: (link: SyncLink, origin: DatagramOrigin, datagram: Uint8Array) => void;
  /** One with its address, from another port. */
  readonly refused: (origin: DatagramOrigin) => void;
}

interface Peer {
  readonly address: IpAddress;
  readonly token: number;
  readonly learnedAt: Microseconds;
  /** From which it showed the token. */
  port?: number;
  heardAt?: Microseconds;
  /** When it said last that it hears this node. */
  confirmedAt?: Microseconds;
  /** When it began to say more than paths here, and when it did so last. */
  speaksSince?: Microseconds;
  spokeAt?: Microseconds;
}

export class DirectPath {
  readonly #ports: DirectPathPorts;
  readonly #group: SyncLink;
  readonly #port: number;
  #peer: Peer | undefined;
  #channel: Channel | undefined;
  #triedAt: Microseconds | undefined;
  #saidAt: Microseconds | undefined;
  #refused: string | undefined;

  /** `port` of the peer channel on both nodes. */
  constructor(group: SyncLink, port: number, ports: DirectPathPorts) {
    this.#ports = ports;
    this.#group = group;
    this.#port = port;
  }

  /** Why there is no socket for a peer that was learned. */
  get refused(): string | undefined {
    return this.#refused;
  }

  /** Of the peer that was learned. */
  get peerToken(): number | undefined {
    return this.#peer?.token;
  }

  /** Its socket is that of an interface with another index. */
  isOfAnother(index: number | undefined): boolean {
    const own = this.#channel?.interfaceIndex;
    return own !== undefined && own !== index;
  }

  /** The peer of this address goes this way. */
  isSpokenBy(source: IpAddress): boolean {
    return this.#isPeer(source) && isWithin(this.#peer?.spokeAt, this.#ports.clock.now());
  }

  /** And has done so for so short a time that datagrams to the group may come behind. */
  hasJustBegun(source: IpAddress): boolean {
    const since = this.#peer?.speaksSince;
    return this.isSpokenBy(source) && !isOver(since, overlap, this.#ports.clock.now());
  }

  /** Who speaks in the group: an older keepstate says no token. */
  learn({ family, bytes }: IpAddress, token: number | undefined): void {
    const isSame = this.#isPeer({ family, bytes });
    if (isSame && this.#peer?.token === token) return;
    if (!isSame || token === undefined) this.close();
    if (token === undefined) return;
    // A new life of the peer: nothing goes its own way before it says that it hears this one.
    const learnedAt = this.#ports.clock.now();
    this.#peer = { address: { family, bytes: bytes.slice() }, token, learnedAt };
    this.#saidAt = undefined;
  }

  tick(now: Microseconds): void {
    if (this.#peer === undefined) return;
    if (this.#channel === undefined && isOver(this.#triedAt, openPause, now)) this.#open(now);
    if (this.#channel === undefined || !isOver(this.#saidAt, pathPause, now)) return;
    this.#saidAt = now;
    const heard = isWithin(this.#peer.heardAt, now);
    const { token } = this.#ports;
    this.#channel.send(encodePeerMessage({ kind: 'path', token, heard }));
  }

  /** False where it has to go to the group. */
  send(datagram: Uint8Array): boolean {
    const now = this.#ports.clock.now();
    if (this.#channel === undefined || !isWithin(this.#peer?.confirmedAt, now)) return false;
    this.#channel.send(datagram);
    return true;
  }

  close(): void {
    this.#channel?.close();
    this.#channel = undefined;
    this.#peer = undefined;
    this.#refused = undefined;
    this.#triedAt = undefined;
  }

  #isPeer(source: IpAddress): boolean {
    return this.#peer !== undefined && ipEquals(this.#peer.address, source);
  }

  #open(now: Microseconds): void {
    const peer = this.#peer;
    if (peer === undefined) return;
    this.#triedAt = now;
    const localAddress = this.#group.localAddress ?? ownAddress(this.#group, peer.address);
    if (localAddress === undefined) return;
    const link: WantedChannel = {
      ...this.#group,
      ...{ kind: 'udp', destination: peer.address, localAddress, port: this.#port },
      fromPrivilegedPort: true,
    };
    const opened = this.#ports.open(link);
    this.#refused = 'refused' in opened ? opened.refused : undefined;
    if ('refused' in opened) return;
    this.#channel = opened;
    const admits = (origin: DatagramOrigin): boolean => this.#ports.admits(link, origin);
    opened.screen?.(admits);
    opened.onDatagram((datagram, source, port, arrival) => {
      const origin = { source, port, ...(arrival === undefined ? {} : { arrival }) };
      if (opened.screen === undefined && !admits(origin)) return;
      this.#received(link, origin, datagram);
    });
  }

  #received(link: SyncLink, origin: DatagramOrigin, datagram: Uint8Array): void {
    const peer = this.#peer;
    if (peer === undefined) return;
    const now = this.#ports.clock.now();
    const message = decodePeerMessage(datagram);
    const isPath = message?.kind === 'path';
    if (isPath ? message.token !== peer.token : origin.port !== peer.port) {
      // To the life of this node before it spoke for as long, and does not know yet that it ended.
      const isOfBefore = peer.port === undefined && isWithin(peer.learnedAt, now);
      if (!isOfBefore) this.#ports.refused(origin);
      return;
    }
    if (!isPath) {
      if (!isWithin(peer.spokeAt, now)) peer.speaksSince = now;
      peer.spokeAt = now;
      this.#ports.received(link, origin, datagram);
      return;
    }
    // It has to learn at once that it is heard.
    if (!isWithin(peer.heardAt, now)) this.#saidAt = undefined;
    peer.port = origin.port;
    peer.heardAt = now;
    if (message.heard) peer.confirmedAt = now;
    else delete peer.confirmedAt;
  }
}

/** Of the same kind as the peer's: what is link-local answers what is link-local. */
function ownAddress({ interfaceName }: SyncLink, peer: IpAddress): IpAddress | undefined {
  const isLocal = (bytes: Uint8Array): boolean => bytes[0] === 0xfe && bytes[1] === 0x80;
  const found = (networkInterfaces()[interfaceName] ?? []).flatMap(({ address }) => {
    const own = parseIp(address);
    return own === undefined ? [] : [own];
  });
  return found.find(
    ({ family, bytes }) => family === peer.family && isLocal(bytes) === isLocal(peer.bytes),
  );
}

function isOver(since: Microseconds | undefined, pause: Microseconds, now: Microseconds): boolean {
  return since === undefined || subtractTime(now, since) >= pause;
}

function isWithin(since: Microseconds | undefined, now: Microseconds): boolean {
  return !isOver(since, pathTimeout, now);
}
