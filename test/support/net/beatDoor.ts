/** A beat thread without sockets: datagrams are handed to it, as though they had come in. */
import { parseIp } from '../../../src/base/ipAddress.js';
import { beatPrefix } from '../../../src/net/beat/beatFrames.js';
import { readReport, reportWords, type BeatReport } from '../../../src/net/beat/beatReport.js';
import { nativeAddon, type NativeBeatThread } from '../../../src/net/native/load.js';
import { packetSocketAddress } from '../../../src/net/socket/sockaddr.js';
import { beatDatagram, type BeatOptions } from './beatDatagrams.js';

export const ownSession = '0011223344556677';
export const peerSession = '8899aabbccddeeff';
const own = { v4: parseIp('10.9.0.1')!, v6: parseIp('fd99::1')! };
const peer = { v4: parseIp('10.9.0.2')!, v6: parseIp('fd99::2')! };
export const port = 3781;

export interface DoorLimit {
  readonly milliseconds: number;
  readonly beats: number;
}

export class BeatDoor {
  readonly native: NativeBeatThread = new (nativeAddon().NativeBeatThread)();
  readonly #words = reportWords();

  /** Believes `peerSession`. Path 0 is IPv4, path 1 IPv6. */
  constructor(limit: DoorLimit = { milliseconds: 1_000_000, beats: 3 }) {
    this.believe(peerSession);
    const link = packetSocketAddress(0x0800, 1);
    for (const [index, version] of (['v4', 'v6'] as const).entries()) {
      const prefix = beatPrefix({ own: own[version], peer: peer[version], port });
      this.native.setPath(index, -1, prefix, link, 1, limit.milliseconds, limit.beats);
    }
  }

  believe(session: string): void {
    this.native.setSessions(Buffer.from(ownSession, 'hex'), Buffer.from(session, 'hex'));
  }

  /** From the peer, unless said otherwise. */
  datagram(index: number, options: Partial<BeatOptions>): Buffer {
    const version = index === 0 ? 'v4' : 'v6';
    return beatDatagram({
      ...{ source: peer[version], destination: own[version], port },
      ...{ session: peerSession, sequence: 1 },
      ...options,
    });
  }

  /** The number of the refusal, in the order of `refusals`; 0: it counts. */
  hear(index: number, options: Partial<BeatOptions>): number {
    return this.native.deliver(index, this.datagram(index, options));
  }

  report(isTold = false): BeatReport {
    return readReport(this.#words, this.native.takeReport(this.#words, isTold));
  }

  /** Header and content of the newest beat that counts. */
  newest(): Buffer {
    const bytes = new Uint8Array(560);
    return Buffer.from(bytes.subarray(0, this.native.takeBeat(bytes)));
  }

  stranger(): Buffer {
    const bytes = new Uint8Array(560);
    return Buffer.from(bytes.subarray(0, this.native.takeStranger(bytes)));
  }
}
