/**
 * The cables of the cluster: the inner network, the outer one and the sync links, with what is
 * plugged in. Frames go from station to station by name; what a station does with one is its own.
 */
import type { World } from '../world/world.js';
import { Segment } from './segment.js';

export type SegmentName = 'lan' | 'wan' | 'sync' | 'sync2';
export const segmentNames: readonly SegmentName[] = ['lan', 'wan', 'sync', 'sync2'];

/** A datagram on a sync link. */
export interface LinkDatagram {
  readonly source: string;
  readonly sourcePort: number;
  readonly destination: string;
  readonly port: number;
  readonly bytes: Uint8Array;
}

/** A VRRP datagram on an inner or outer segment. */
export interface Advert {
  readonly source: string;
  readonly destination: string;
  readonly ttl: number;
  readonly payload: Uint8Array;
}

/** Who is plugged in. Nothing is called while the station's interface is down. */
export interface Station {
  readonly name: string;
  /** Its interface there is up and has carrier. */
  isUsable(segment: SegmentName): boolean;
  advert(segment: SegmentName, advert: Advert): void;
  datagram(segment: SegmentName, datagram: LinkDatagram): void;
}

/** A host on a segment: all that it hears of the nodes by itself is gratuitous ARP. */
export interface Neighbour {
  readonly name: string;
  readonly segment: SegmentName;
  /** `address` is at the station `from` now. */
  announced(address: string, from: string): void;
}

export class Network {
  readonly segments: Readonly<Record<SegmentName, Segment>>;
  readonly #stations: Station[] = [];
  readonly #neighbours: Neighbour[] = [];

  constructor(world: World) {
    const make = (name: SegmentName): Segment => new Segment(world, name);
    this.segments = {
      lan: make('lan'),
      wan: make('wan'),
      sync: make('sync'),
      sync2: make('sync2'),
    };
  }

  plug(station: Station): void {
    this.#stations.push(station);
  }

  plugNeighbour(neighbour: Neighbour): void {
    this.#neighbours.push(neighbour);
  }

  /** Gratuitous ARP. False where the sender's own interface is down. */
  announce(segment: SegmentName, from: string, address: string): boolean {
    if (this.#stations.find(({ name }) => name === from)?.isUsable(segment) !== true) return false;
    for (const neighbour of this.#neighbours) {
      if (neighbour.segment !== segment) continue;
      this.segments[segment].carry(from, neighbour.name, (isCorrupted) => {
        if (!isCorrupted) neighbour.announced(address, from);
      });
    }
    return true;
  }

  /** To each other machine on the segment. False where the sender's own interface is down. */
  broadcast(
    segment: SegmentName,
    from: string,
    deliver: (station: Station, isCorrupted: boolean) => void,
  ): boolean {
    const sender = this.#stations.find(({ name }) => name === from);
    if (sender?.isUsable(segment) === false) return false;
    for (const station of this.#stations) {
      if (station.name === from) continue;
      this.segments[segment].carry(from, station.name, (isCorrupted) => {
        if (station.isUsable(segment)) deliver(station, isCorrupted);
      });
    }
    return true;
  }
}
