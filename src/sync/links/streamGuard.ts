/**
 * Which of several sockets that speak with the peer's address is the peer's. Whoever is heard holds
 * the stream; another socket gets it when the holder has been silent for longer than a living peer
 * ever is. In a group without `sync_peer` other hosts speak too: whoever has shown on the peer
 * channel to be of this cluster comes before them, and one that has not waits for a minute of
 * silence, and for ever where the holder has. So a forger who cannot see the peer's datagrams, and
 * does not know the port they come from, neither moves the numbers nor passes for a restart; a peer
 * that did restart waits for what is left of two seconds, and then asks for what it missed.
 */
import { ipEquals, type IpAddress } from '../../base/ipAddress.js';
import { seconds, subtractTime, type Microseconds } from '../../base/time.js';

/** Where a datagram came from and to. */
export interface Speaker {
  /** Index of the link. */
  readonly link: number;
  readonly source: IpAddress;
  readonly port: number;
}

/** A speaker that was refused although the holder went on. */
export interface Pretender extends Speaker {
  readonly count: number;
}

/** A peer says something once a second at least. */
const longestPause = seconds(2);
/** Of a host that may be another cluster's; a peer that was replaced by it has waited long enough. */
const longestAbsence = seconds(60);
/** Datagrams of an old incarnation can be overtaken by those of the new one. */
const overlap = seconds(1);

export class StreamGuard {
  #holder: Speaker | undefined;
  #heardAt = 0 as Microseconds;
  #pretender: Pretender | undefined;
  #pretendsSince = 0 as Microseconds;

  /**
   * `isHolderDead`: its link is down, or what is said goes on where the holder stopped, on another
   * link. `isPeer`: an address has shown to be that of the cluster's other node.
   */
  admits(
    speaker: Speaker,
    isHolderDead: (holder: Speaker) => boolean,
    isPeer: (source: IpAddress) => boolean,
    now: Microseconds,
  ): boolean {
    const holder = this.#holder;
    if (holder === undefined || isSame(holder, speaker)) return true;
    const claim = this.isOtherHost(speaker)
      ? claimOf(isPeer(speaker.source), isPeer(holder.source))
      : longestPause;
    if (claim === 'at once') return true;
    const isSilent = claim !== 'never' && subtractTime(now, this.#heardAt) >= claim;
    if (isSilent || isHolderDead(holder)) return true;
    const before = this.#pretender;
    if (before === undefined) this.#pretendsSince = now;
    // The caller's address may be reused.
    const { link, port } = speaker;
    const source =
      before !== undefined && ipEquals(before.source, speaker.source)
        ? before.source
        : { family: speaker.source.family, bytes: speaker.source.bytes.slice() };
    this.#pretender = { link, source, port, count: (before?.count ?? 0) + 1 };
    return false;
  }

  /** Another host than the holder of the stream, on its link. */
  isOtherHost({ link, source }: Speaker): boolean {
    const holder = this.#holder;
    return holder?.link === link && !ipEquals(holder.source, source);
  }

  /** A good datagram of this speaker. Returns whom it shows to have pretended, if anybody. */
  heard(speaker: Speaker, now: Microseconds): Pretender | undefined {
    const pretender = this.#pretender;
    this.#heardAt = now;
    if (this.#holder === undefined || !isSame(this.#holder, speaker)) {
      const { link, source, port } = speaker;
      this.#holder = { link, source: { family: source.family, bytes: source.bytes.slice() }, port };
      this.#pretender = undefined;
      return undefined;
    }
    if (pretender === undefined || subtractTime(now, this.#pretendsSince) < overlap) {
      return undefined;
    }
    this.#pretender = undefined;
    return pretender;
  }
}

/**
 * When another host of the group may take the stream: after this silence of the holder, or as it
 * says.
 */
function claimOf(
  isOfCluster: boolean,
  isHolderOfCluster: boolean,
): Microseconds | 'at once' | 'never' {
  if (isOfCluster === isHolderOfCluster) return longestAbsence;
  return isOfCluster ? 'at once' : 'never';
}

function isSame(a: Speaker, b: Speaker): boolean {
  return a.port === b.port && a.link === b.link && ipEquals(a.source, b.source);
}
