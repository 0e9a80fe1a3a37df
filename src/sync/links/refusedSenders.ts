/**
 * Who spoke and was not taken for the peer, and why: counted by reason, the last few named. Memory
 * is bounded whatever arrives, and the log gets at most one line a minute for each reason.
 */
import { formatIp, type IpAddress } from '../../base/ipAddress.js';
import type { Logger } from '../../base/logger.js';
import { seconds, subtractTime, type Microseconds } from '../../base/time.js';

/** Each with what an operator can do. */
export const refusals = {
  address: {
    because: 'it is not an address of the peer',
    remedy:
      'if it is the peer: its address here (Destination_Address, sync_peer) must be the one it sends from; if not: another cluster has the same group or port, or somebody forges',
  },
  device: {
    because: 'it came in by another device than that of the link',
    remedy: 'the Interface of the link must be the device that leads to the peer, on both nodes',
  },
  ttl: {
    because: 'it has crossed a router, which nothing of the peer did before',
    remedy:
      'somebody forges, or the peer is a conntrackd or an older keepstate now: then restart keepstate here',
  },
  port: {
    because: 'it comes from a port that any user can have, unlike what the peer said before',
    remedy:
      'a user of the peer forges, or the peer runs without CAP_NET_BIND_SERVICE now: give it that, or a sync_key on both nodes',
  },
  senders: {
    because: 'four others speak in this group already',
    remedy: 'name the peer: sync_peer in global_defs',
  },
  stream: {
    because: 'another socket speaks for the peer, which goes on speaking',
    remedy:
      'three nodes in one group, two daemons on the peer, or somebody forges: name the peer with sync_peer, stop the other',
  },
} as const;

export type Refusal = keyof typeof refusals;

/** Which socket it spoke to. */
export type Door = 'sync' | 'peer';

export interface RefusedSender {
  readonly address: string;
  readonly reason: Refusal;
  readonly door: Door;
  readonly interfaceName: string;
  readonly count: number;
  /** Monotonic. */
  readonly last: Microseconds;
}

export type Refused = Pick<RefusedSender, 'reason' | 'door' | 'interfaceName'> & {
  readonly source: IpAddress;
  /** 1 where absent. */
  readonly count?: number;
  /** The device that it came in by, where that is the reason. */
  readonly device?: string;
};

const mostNamed = 8;
const logPause = seconds(60);

export class RefusedSenders {
  total = 0;
  /** The last one's address. */
  last: string | undefined;
  readonly #logger: Logger;
  readonly #counts = new Map<Refusal, number>();
  /** In the order in which they were heard last. */
  readonly #named = new Map<string, RefusedSender>();
  readonly #logged = new Map<Refusal, Microseconds>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** By reason; those that never happened are left out. */
  get counts(): Readonly<Partial<Record<Refusal, number>>> {
    return Object.fromEntries(this.#counts);
  }

  /** The latest last. */
  get named(): readonly RefusedSender[] {
    return [...this.#named.values()];
  }

  note(refused: Refused, now: Microseconds): void {
    const { source, reason, door, interfaceName, device, count = 1 } = refused;
    const address = formatIp(source);
    this.total += count;
    this.last = address;
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + count);
    const key = `${address} ${reason} ${door} ${interfaceName}`;
    const before = this.#named.get(key)?.count ?? 0;
    this.#named.delete(key);
    this.#named.set(key, {
      address,
      reason,
      door,
      interfaceName,
      count: before + count,
      last: now,
    });
    const [oldest] = this.#named.keys();
    if (this.#named.size > mostNamed && oldest !== undefined) this.#named.delete(oldest);
    const loggedAt = this.#logged.get(reason);
    if (loggedAt !== undefined && subtractTime(now, loggedAt) < logPause) return;
    this.#logged.set(reason, now);
    this.#logger.log('warning', 'a sender is refused on the sync link', {
      from: address,
      interface: interfaceName,
      port: door,
      ...(device === undefined ? {} : { device }),
      reason: refusals[reason].because,
      remedy: refusals[reason].remedy,
    });
  }
}
