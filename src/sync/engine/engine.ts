/**
 * The replication engine of one node: builds caches, kernel feed, links and replicator, and joins
 * them. It owns no policy: what a role asks for is src/sync/role. Everything real comes in through
 * EnginePorts; src/sync/worker/worker.ts hands out the real ones.
 */
import { parseIp, type IpAddress } from '../../base/ipAddress.js';
import type { Logger } from '../../base/logger.js';
import {
  milliseconds,
  seconds,
  type ArmedTimer,
  type Clock,
  type Microseconds,
  type RandomSource,
  type Timers,
  type Turns,
  wholeSeconds,
} from '../../base/time.js';
import { FlowFilter } from '../../conntrack/flowFilter.js';
import { KernelCount } from '../../conntrack/kernel/kernelCount.js';
import { newScratch } from '../../conntrack/record/flowRecord.js';
import { NameTable } from '../../conntrack/record/nameTable.js';
import { CatchUp } from '../remote/catchUp.js';
import type { EngineObserver } from './engineObserver.js';
import { ExternalCache, type SweepScope } from '../remote/externalCache.js';
import { externalModeOf, type ExternalMode } from '../remote/externalMode.js';
import { FingerprintedTable } from '../tables/fingerprintedTable.js';
import type { EndedFlows } from '../local/endedFlows.js';
import type { InternalCache } from '../local/internalCache.js';
import { newInternalSide } from '../local/internalMode.js';
import type { KernelCheck } from '../local/kernelCheck.js';
import type { KernelFeed } from '../local/kernelFeed.js';
import { Links, type OpenChannel } from '../links/links.js';
import type { SyncReport } from '../messages.js';
import { ownAddressesOf } from '../local/ownAddresses.js';
import { Pump } from '../stream/pump.js';
import { Replicator } from '../stream/replicator.js';
import { canInherit } from './restartingSettings.js';
import type { SyncSettings } from '../settings.js';
import { DatagramBuilder } from '../wire/datagramBuilder.js';
import { continuesStream } from '../wire/header.js';

const tickInterval = milliseconds(100);
/**
 * Where nothing has happened for a while: each wake-up a second costs an idle node 0.05 % of a
 * core.
 */
const idleTickInterval = milliseconds(400);
const ticksUntilIdle = 20;
const expirePerTick = 20_000;

export interface EnginePorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly turns: Turns;
  readonly random: RandomSource;
  readonly logger: Logger;
  readonly openChannel: OpenChannel;
  /** The peer has shown a key of this node; absent: there is none. */
  readonly isPeerSealed?: () => boolean;
  readonly report: (report: SyncReport) => void;
  /** Who hears of connections that end here; absent: nobody. */
  readonly endedFlows?: EndedFlows;
}

/** A closed engine, of which the peer's flows are taken over. */
export type Predecessor = Pick<Engine, 'external' | 'internal' | 'names' | 'settings'>;

export class Engine {
  readonly ports: EnginePorts;
  readonly names: NameTable;
  readonly internal: InternalCache;
  readonly external: ExternalCache;
  readonly filter: FlowFilter;
  readonly catchUp = new CatchUp();
  readonly links: Links;
  readonly replicator: Replicator;
  readonly feed: KernelFeed;
  readonly check: KernelCheck;
  readonly externalMode: ExternalMode;
  readonly #pump: Pump;
  #settings: SyncSettings;
  /** What the main thread found on the interfaces. */
  #toldAddresses: readonly IpAddress[] = [];
  #tick: ArmedTimer | undefined;
  #quietTicks = 0;
  #eventsSeen = 0;
  #isClosed = false;
  /** Role, peer channel and status. */
  readonly #observers: EngineObserver[] = [];

  /**
   * Opens the kernel's event socket; the links are opened by `start`. The flows of the peer are
   * taken over from a closed predecessor where they fit: the peer may be gone by now. Throws
   * KernelError.
   */
  constructor(settings: SyncSettings, ports: EnginePorts, predecessor?: Predecessor) {
    this.ports = ports;
    this.#settings = settings;
    const before =
      predecessor !== undefined && canInherit(predecessor.settings, settings)
        ? predecessor
        : undefined;
    this.names = before?.names.without(before.internal.table) ?? new NameTable();
    const seed = ports.random.below(0x1_0000_0000);
    const table = (): FingerprintedTable =>
      new FingerprintedTable({ limit: settings.hashLimit, names: this.names, hashSeed: seed });
    const internalTable = table();
    this.external =
      before?.external ?? new ExternalCache(table(), settings.hashLimit, settings.mode === 'ALARM');
    this.filter = new FlowFilter(settings.filter, ownAddressesOf(settings));
    this.externalMode = externalModeOf(settings, this.external, this.names, ports, {
      holds: (flow) => this.internal.holds(flow),
      isProtected: () => this.internal.isServing,
      giveUp: (flow) => {
        this.internal.purged(flow);
      },
    });
    const { cache, feed, check } = this.#newInternalSide(internalTable);
    this.internal = cache;
    this.feed = feed;
    this.check = check;
    for (const portId of this.externalMode.portIds) this.feed.addOwn(portId);
    const builder = new DatagramBuilder(1_000, (datagrams, size) => {
      this.links.sendRun(datagrams, size);
    });
    this.links = this.#newLinks(builder);
    this.replicator = this.#newReplicator(builder);
    this.#pump = new Pump(settings.mode, this.replicator, {
      ...ports,
      isBlocked: () => this.links.isBlocked,
    });
  }

  #newInternalSide(table: FingerprintedTable): ReturnType<typeof newInternalSide> {
    const { settings, names, filter, externalMode, ports } = this;
    return newInternalSide({
      ...{ settings, table, names, filter },
      isPeers: (flow) => this.external.table.find(flow) !== 0,
      injected: externalMode.injected,
      injectedCount: () => externalMode.injectedCount,
      transmitter: () => this.replicator.transmitter,
      count: new KernelCount(),
      startBulk: (because) => {
        this.replicator.startBulk(because);
      },
      ...ports,
    });
  }

  #newLinks(builder: DatagramBuilder): Links {
    const { ports, settings } = this;
    return new Links({
      links: settings.links,
      open: ports.openChannel,
      acceptAnySource: settings.acceptAnySource,
      isMultihop: settings.seal?.isMultihop === true,
      ...(ports.isPeerSealed === undefined ? {} : { isPeerSealed: ports.isPeerSealed }),
      ...(settings.multicastPeers === undefined ? {} : { multicastPeers: settings.multicastPeers }),
      peerSpeaks: settings.mode !== 'ALARM',
      clock: ports.clock,
      logger: ports.logger,
      receive: (datagram) => {
        const now = ports.clock.now();
        const isGood = this.replicator.receive(datagram, now);
        for (const observer of this.#observers) observer.received?.(now);
        return isGood;
      },
      continues: (datagram) => continuesStream(datagram, this.replicator.machine.last),
      peerMoved: () => {
        // FTFW says so itself (HELLO); ALARM repeats everything anyway.
        if (settings.mode === 'NOTRACK') this.replicator.peerRestarted();
      },
      hostChanged: () => {
        this.replicator.otherSpeaker();
      },
      room: (bytes) => {
        builder.setRoom(bytes);
      },
      writable: () => {
        this.#pump.wake();
      },
      recovered: () => {
        // FTFW asks for what it lacks, ALARM repeats everything.
        if (settings.mode !== 'NOTRACK') return;
        this.replicator.startBulk('the link was mended');
        this.askForAll('the link was mended');
      },
    });
  }

  #newReplicator(builder: DatagramBuilder): Replicator {
    const { ports, settings } = this;
    return new Replicator({
      settings,
      internal: this.internal,
      external: this.externalMode.store,
      builder,
      scratch: newScratch(this.names),
      random: ports.random,
      newWalk: (sink) =>
        this.feed.newWalk(sink, () => {
          this.#pump.wake();
        }),
      port: {
        wake: () => {
          this.#pump.wake();
        },
        bulkStarted: (because) => {
          ports.logger.log('notice', 'sending bulk update', { reason: because });
        },
        bulkDone: (since, entries) => {
          for (const observer of this.#observers) observer.bulkDone?.(since, entries);
        },
        resyncAsked: (because, from) => {
          this.catchUp.begin(from);
          ports.logger.log('notice', 'resync requested', { reason: because });
        },
        peerRestarted: () => {
          for (const observer of this.#observers) observer.peerRestarted?.();
        },
        announcesEnds: (now) => this.announcesEnds(now),
      },
    });
  }

  get settings(): SyncSettings {
    return this.#settings;
  }

  observe(observer: EngineObserver): void {
    this.#observers.push(observer);
  }

  /** Fills the internal cache and starts to replicate. Rejects with KernelError. */
  async start(): Promise<number> {
    const filled = await this.feed.start();
    if (this.#isClosed) return 0;
    this.links.open();
    // conntrackd sends nothing at its start; the peer's cache would stay empty until somebody asks.
    this.replicator.startBulk('started');
    this.askForAll('started');
    this.#armTick();
    return filled.entries;
  }

  /** Own addresses as they are now, VIPs included. */
  setOwnAddresses(addresses: readonly string[]): void {
    this.#toldAddresses = addresses.map(parseIp).filter((address) => address !== undefined);
    this.#filterOwnAddresses();
  }

  /** What can change while everything goes on. */
  adopt(settings: SyncSettings): void {
    this.#settings = settings;
    this.#filterOwnAddresses();
  }

  #filterOwnAddresses(): void {
    this.filter.setOwnAddresses([...ownAddressesOf(this.#settings), ...this.#toldAddresses]);
  }

  /** The peer said that its bulk has ended, and everything older is gone. */
  async sweepExternal(scope: SweepScope): Promise<number> {
    const { turns } = this.ports;
    const removed = await this.externalMode.sweep(scope, turns, () => this.#isClosed);
    if (removed > 0) this.externalEmptied();
    return removed;
  }

  /** Flows of the external cache went otherwise than by a message about each of them. */
  externalEmptied(): void {
    for (const observer of this.#observers) observer.externalEmptied?.();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#tick?.cancel();
    for (const observer of this.#observers) await observer.engineEnds?.();
    this.#pump.close();
    this.feed.close();
    this.check.close();
    this.links.close();
    this.externalMode.close();
  }

  #armTick(): void {
    if (this.#isClosed) return;
    const isIdle = this.#quietTicks >= ticksUntilIdle;
    this.#tick = this.ports.timers.after(isIdle ? idleTickInterval : tickInterval, (due) => {
      this.#onTick(due);
      this.#armTick();
    });
  }

  /** Nothing to replicate, to hold back or to wait for. */
  #isQuiet(): boolean {
    const { events } = this.feed.mirror.counters;
    const hadEvents = events !== this.#eventsSeen;
    this.#eventsSeen = events;
    const { transmitter, resync } = this.replicator;
    return (
      !hadEvents &&
      !this.internal.isDelaying &&
      transmitter.isDrained &&
      !resync.isWaiting &&
      this.catchUp.isCaughtUp &&
      !this.#observers.some((observer) => observer.isBusy?.() ?? false)
    );
  }

  #onTick(due: Microseconds): void {
    const now = this.ports.clock.now();
    this.#quietTicks = this.#isQuiet() ? this.#quietTicks + 1 : 0;
    this.feed.watch.tick();
    this.check.tick(now);
    this.links.tick(now);
    this.replicator.tick(now);
    if (this.external.hasRoomForRefused()) {
      this.askForAll('there is room again for flows that the full external table refused');
    }
    if (this.#settings.mode === 'ALARM') {
      const nowSeconds = wholeSeconds(now);
      this.external.expire(nowSeconds, this.#settings.cacheTimeoutSeconds, expirePerTick);
      const heard = this.replicator.receiver.lastAcceptedAt;
      if (this.catchUp.repetition(now, heard, this.#refreshPeriod)) this.reportCaughtUp();
    }
    const { resync, machine } = this.replicator;
    const announces = this.announcesEnds(now);
    const { lost } = machine.counters;
    if (this.catchUp.tick(now, resync.answeredAt, lost, announces)) this.reportCaughtUp();
    for (const observer of this.#observers) observer.tick?.(now, due);
  }

  /** Asks the peer for its whole table; in ALARM that comes by itself. */
  askForAll(because: string): void {
    const now = this.ports.clock.now();
    if (this.replicator.askResync(now, because)) return;
    this.catchUp.awaitRepetition(now, this.#refreshPeriod);
  }

  /** A keepstate is there, which says when its bulks have ended. */
  announcesEnds(now: Microseconds): boolean {
    return this.#observers.some((observer) => observer.announcesEnds?.(now) ?? false);
  }

  get #refreshPeriod(): Microseconds {
    return seconds(this.#settings.refreshTimeSeconds + 1);
  }

  reportCaughtUp(): void {
    this.ports.report({ kind: 'caughtUp', entries: this.external.table.alive });
  }
}
