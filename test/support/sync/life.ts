/**
 * Two replicators over a bad network in virtual time. Each node owns a set of flows that come,
 * change and go; what the peer's external cache must hold in the end follows from that set alone.
 */
import { microseconds, type Microseconds, type RandomSource } from '../../../src/base/time.js';
import {
  clearScratch,
  deriveReply,
  presenceBit,
  newScratch,
  addressRole,
  recordWord,
  type FlowCursor,
} from '../../../src/conntrack/record/flowRecord.js';
import { NameTable } from '../../../src/conntrack/record/nameTable.js';
import { ExternalCache } from '../../../src/sync/remote/externalCache.js';
import { FingerprintedTable } from '../../../src/sync/tables/fingerprintedTable.js';
import { TableWalk } from '../../../src/sync/local/tableWalk.js';
import type { InternalCache } from '../../../src/sync/local/internalCache.js';
import { Replicator } from '../../../src/sync/stream/replicator.js';
import type { SyncMode } from '../../../src/sync/settings.js';
import { DatagramBuilder } from '../../../src/sync/wire/datagramBuilder.js';
import { sequenceDistance } from '../../../src/sync/wire/header.js';
import { VirtualTime } from '../base/virtualTime.js';
import { cachedInternal, ManualFeed } from './caches.js';

/** mulberry32: small, and the same everywhere. */
export function seededRandom(seed: number): RandomSource {
  let state = seed | 0;
  return {
    below: (limit) => {
      state = (state + 0x6d2b79f5) | 0;
      let t = Math.imul(state ^ (state >>> 15), 1 | state);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4_294_967_296) * limit);
    },
  };
}

/** Shares are per mille. */
export interface Network {
  lose: number;
  duplicate: number;
  corrupt: number;
  /** Longest delay in microseconds: beyond the spacing of datagrams it reorders. */
  delay: number;
}

export interface LifeOptions {
  readonly seed: number;
  readonly mode: SyncMode;
  readonly flows: number;
  readonly operations: number;
  readonly restarts: number;
  readonly resendLimit: number;
  readonly network: Network;
}

interface Peer {
  readonly name: number;
  readonly names: NameTable;
  feed: ManualFeed;
  internal: InternalCache;
  external: ExternalCache;
  replicator: Replicator;
  /** What the kernel of this node has: flow number -> mark. */
  readonly kernel: Map<number, number>;
  incarnation: number;
}

export interface Violation {
  readonly what: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

const second = 1_000_000;
const tick = 100_000;
const stormLimit = 20_000;

export class SyncLife {
  readonly time = new VirtualTime();
  readonly violations: Violation[] = [];
  readonly #options: LifeOptions;
  readonly #random: RandomSource;
  readonly #peers: readonly [Peer, Peer];
  #network: Network;
  #datagrams = 0;

  constructor(options: LifeOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed);
    this.#network = options.network;
    this.#peers = [this.#peer(0), this.#peer(1)];
    for (const peer of this.#peers) this.#boot(peer);
  }

  /**
   * Lives: operations and restarts over some seconds of a bad network, then quiet on a good one.
   */
  run(): void {
    const { operations, restarts } = this.#options;
    const busy = 4 * second;
    for (let i = 0; i < operations; i++) {
      this.time.at(this.#random.below(busy), () => {
        this.#operate(this.#peers[this.#random.below(2)]!);
      });
    }
    for (let i = 0; i < restarts; i++) {
      this.time.at(this.#random.below(busy), () => {
        this.#restart(this.#peers[this.#random.below(2)]!);
      });
    }
    this.time.runUntil(busy);
    this.#network = { lose: 0, duplicate: 0, corrupt: 0, delay: 1 };
    this.time.runUntil(busy + 24 * second);
    this.#judge();
  }

  #peer(name: number): Peer {
    const names = new NameTable();
    const peer = { name, names, kernel: new Map<number, number>(), incarnation: 0 };
    return Object.assign(
      peer,
      this.#parts(peer.names, () => peer as Peer),
    );
  }

  #parts(
    names: NameTable,
    owner: () => Peer,
  ): Pick<Peer, 'feed' | 'internal' | 'external' | 'replicator'> {
    const { mode, flows, resendLimit } = this.#options;
    const limit = 4 * flows;
    const table = (): FingerprintedTable =>
      new FingerprintedTable({ limit, names, hashSeed: this.#random.below(0xffff_ffff) });
    const feed = new ManualFeed();
    const internal = cachedInternal(table(), limit, feed);
    const external = new ExternalCache(table(), limit, mode === 'ALARM');
    const builder = new DatagramBuilder(400, (datagrams, size) => {
      for (let at = 0; at < datagrams.length; at += size) {
        this.#send(owner(), datagrams.subarray(at, at + size));
      }
    });
    // Half of the lives begin just before the numbers wrap; a restart begins anywhere.
    const isBirth = this.time.now() === 0;
    const start =
      isBirth && this.#random.below(2) === 0
        ? 0xffff_ffff - this.#random.below(200)
        : this.#random.below(0xffff_ffff);
    let isFirst = true;
    const replicator = new Replicator({
      settings: {
        mode,
        ackWindowSize: 1 + this.#random.below(20),
        resendQueueSize: resendLimit,
        refreshTimeSeconds: 2,
        tcpWindowTracking: false,
        expectationSync: 'off',
      },
      internal,
      newWalk: (sink) => new TableWalk(internal, sink),
      external,
      builder,
      scratch: newScratch(names),
      random: {
        below: (below) => {
          if (!isFirst) return this.#random.below(below);
          isFirst = false;
          return start;
        },
      },
      port: {
        wake: () => undefined,
        bulkStarted: () => undefined,
        bulkDone: (since) => {
          this.#bulkDone(owner(), since);
        },
        resyncAsked: () => undefined,
      },
    });
    return { feed, internal, external, replicator };
  }

  /** Fills the internal cache from the kernel, quietly, then lives. */
  #boot(peer: Peer): void {
    const incarnation = ++peer.incarnation;
    peer.feed.isQuiet = true;
    for (const [flow, mark] of peer.kernel) this.#write(peer, flow, mark, 'dump');
    peer.feed.isQuiet = false;
    peer.replicator.startBulk('started');
    const beat = (): void => {
      if (peer.incarnation !== incarnation) return;
      const now = this.time.now();
      peer.replicator.tick(now);
      this.#pump(peer);
      if (this.#options.mode === 'ALARM') {
        peer.external.expire(Math.floor(now / second), 8, 1_000);
      }
      this.#checkBounds(peer);
      this.time.at(now + tick, beat);
    };
    this.time.at(this.time.now() + this.#random.below(tick), beat);
  }

  #restart(peer: Peer): void {
    Object.assign(
      peer,
      this.#parts(peer.names, () => peer),
    );
    this.#boot(peer);
  }

  /** A change in the kernel of `peer`, and its event. */
  #operate(peer: Peer): void {
    const flow = peer.name * 100_000 + this.#random.below(this.#options.flows);
    const isKnown = peer.kernel.has(flow);
    if (isKnown && this.#random.below(3) === 0) {
      peer.kernel.delete(flow);
      const slot = peer.internal.table.find(this.#flow(peer, flow, 0));
      if (slot !== 0) peer.internal.destroyed(slot, 'event');
    } else {
      const mark = this.#random.below(1_000_000);
      peer.kernel.set(flow, mark);
      this.#write(peer, flow, mark, 'event');
    }
    // Most events are sent at once, some coalesce.
    if (this.#random.below(4) !== 0) this.#pump(peer);
  }

  #write(peer: Peer, flow: number, mark: number, origin: 'event' | 'dump'): void {
    const { internal } = peer;
    const now = Math.floor(this.time.now() / second);
    const record = this.#flow(peer, flow, mark);
    const slot = internal.table.find(record);
    if (slot === 0) internal.created(internal.table.insert(record, now), origin);
    else if (internal.table.lifecycle(slot) === 3) {
      internal.table.replace(slot, record, now);
      internal.created(slot, origin);
    } else internal.updated(slot, internal.table.merge(slot, record, now), origin);
  }

  readonly #scratches = new Map<NameTable, FlowCursor>();

  #flow(peer: Peer, flow: number, mark: number): FlowCursor {
    let record = this.#scratches.get(peer.names);
    if (record === undefined) this.#scratches.set(peer.names, (record = newScratch(peer.names)));
    clearScratch(record);
    record.setKind(flow % 5 === 0, flow % 3 === 0 ? 17 : 6);
    for (let i = 0; i < 4; i++) {
      record.setAddressWord(addressRole.originalSource, i, flow + i);
      record.setAddressWord(addressRole.originalDestination, i, 0x0a000001 + i);
      if (!record.isIpv6) break;
    }
    record.set(recordWord.originalPorts, (1_024 << 16) | 80);
    record.set(recordWord.mark, mark);
    record.set(recordWord.status, 0xe);
    record.set(recordWord.timeout, 300);
    record.learn(presenceBit.ports | presenceBit.mark | presenceBit.status | presenceBit.timeout);
    if (record.protocol === 6) {
      record.setInfo(0, 0xff, 1 + (mark % 8));
      record.learn(presenceBit.state);
    }
    deriveReply(record);
    return record;
  }

  #pump(peer: Peer): void {
    for (let i = 0; i < 50 && peer.replicator.pump(this.time.now(), 64); i++);
  }

  #send(from: Peer, datagram: Uint8Array): void {
    // A storm that feeds itself would never end: it is a violation, and the cable is cut.
    if (++this.#datagrams === stormLimit) this.#violate('a storm of datagrams', {});
    if (this.#datagrams >= stormLimit) return;
    const { lose, duplicate, corrupt, delay } = this.#network;
    if (this.#random.below(1_000) < lose) return;
    const copies = this.#random.below(1_000) < duplicate ? 2 : 1;
    const to = this.#peers[1 - from.name]!;
    for (let i = 0; i < copies; i++) {
      const bytes = datagram.slice();
      // The protocol has no checksum: only what can be seen is broken here, version and length.
      if (this.#random.below(1_000) < corrupt) bytes[2 * this.#random.below(2)] = 0xff;
      this.time.at(this.time.now() + 50 + this.#random.below(delay), () => {
        to.replicator.receive(bytes, this.time.now());
        this.#pump(to);
      });
    }
  }

  /** The peer channel tells the other side; here it arrives for certain. */
  #bulkDone(from: Peer, since: number): void {
    const to = this.#peers[1 - from.name]!;
    const { mode } = this.#options;
    const { incarnation } = from;
    this.time.at(this.time.now() + 5_000, () => {
      if (from.incarnation !== incarnation) return;
      const { lastGap } = to.replicator.machine;
      const hasGap = lastGap !== undefined && sequenceDistance(lastGap, since) >= 0;
      if (mode !== 'FTFW' && hasGap) return;
      for (let slot = 0; ;) {
        slot = to.external.sweep(slot, { since, keepsOlder: false }, 10_000, () => undefined);
        if (slot === 0) return;
      }
    });
  }

  #checkBounds(peer: Peer): void {
    const { resend } = peer.replicator.transmitter;
    if (resend.count > resend.limit) this.#violate('resend queue above its limit', { peer });
  }

  #judge(): void {
    for (const peer of this.#peers) {
      const other = this.#peers[1 - peer.name]!;
      const own = peer.internal.table;
      const held = other.external.table;
      if (own.alive !== peer.kernel.size) {
        this.#violate('internal cache differs from the kernel', { count: own.alive });
      }
      const isEqual =
        own.alive === held.alive && own.fingerprint.words.join() === held.fingerprint.words.join();
      if (!isEqual) {
        const { transmitter, machine } = peer.replicator;
        this.#violate('the caches differ', {
          direction: `${peer.name} -> ${other.name}`,
          internal: own.alive,
          external: held.alive,
          waiting: transmitter.waiting,
          unacknowledged: transmitter.resend.count,
          dropped: transmitter.resend.dropped,
          lost: machine.counters.lost,
        });
      }
      this.#auditQueues(peer);
    }
  }

  /** Nothing is left over: DEAD flows are freed once the peer knows. */
  #auditQueues(peer: Peer): void {
    const { table } = peer.internal;
    const audit = table.audit();
    if (audit.records.used + audit.records.free !== audit.records.issued) {
      this.#violate('records leaked', { ...audit.records });
    }
    if (table.count !== table.alive) {
      this.#violate('DEAD flows are left', { count: table.count, alive: table.alive });
    }
  }

  #violate(what: string, fields: Readonly<Record<string, unknown>>): void {
    this.violations.push({ what, fields });
  }
}

export type { Microseconds };
export { microseconds };
