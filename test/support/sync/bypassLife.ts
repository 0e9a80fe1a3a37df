/**
 * One node without an internal cache (DisableInternalCache) and its peer, in virtual time: a kernel
 * whose flows come, change and go, its events, which are read late, and its dumps, which tell the
 * state of some moment before they are read. On a network that loses nothing the peer must have in
 * the end what the kernel has, without a further bulk.
 */
import type { Microseconds, Turns } from '../../../src/base/time.js';
import { statusBit, tcpState } from '../../../src/conntrack/constants.js';
import { FlowFilter } from '../../../src/conntrack/flowFilter.js';
import { BypassMirror } from '../../../src/conntrack/kernel/bypassMirror.js';
import type { FlowMirror } from '../../../src/conntrack/kernel/flowMirror.js';
import {
  clearScratch,
  deriveReply,
  presenceBit,
  newScratch,
  addressRole,
  recordWord,
  type FlowCursor,
} from '../../../src/conntrack/record/flowRecord.js';
import type { DumpHandler, RunningDump } from '../../../src/conntrack/kernel/kernelDump.js';
import { NameTable } from '../../../src/conntrack/record/nameTable.js';
import { ExternalCache } from '../../../src/sync/remote/externalCache.js';
import { FingerprintedTable } from '../../../src/sync/tables/fingerprintedTable.js';
import { BypassReading } from '../../../src/sync/local/bypassReading.js';
import { BypassWalk } from '../../../src/sync/local/bypassWalk.js';
import type { InternalCache } from '../../../src/sync/local/internalCache.js';
import { TableWalk } from '../../../src/sync/local/tableWalk.js';
import { Replicator } from '../../../src/sync/stream/replicator.js';
import { DatagramBuilder } from '../../../src/sync/wire/datagramBuilder.js';
import { SeededRandom } from '../base/seededRandom.js';
import { VirtualTime } from '../base/virtualTime.js';
import { bypassedInternal, cachedInternal, ManualFeed } from './caches.js';

const millisecond = 1_000;
const second = 1_000_000;
/** Flows of a dump message: few, so that a small table is read in many of them. */
const entriesPerChunk = 4;

export interface BypassOptions {
  readonly seed: number;
  readonly flows: number;
  readonly operations: number;
  readonly bulks: number;
  /** Longest time in microseconds for which an event waits to be read. */
  readonly eventDelay: number;
  /** Longest time for which a message of a dump waits to be read. */
  readonly dumpDelay: number;
}

interface KernelFlow {
  readonly number: number;
  /** The kernel makes it of tuple and address: the successor of a flow may bear the same. */
  readonly id: number;
  readonly mark: number;
  readonly isAssured: boolean;
  /** Its end has been told, it still stands in the table. */
  readonly isDying: boolean;
}

export class BypassLife {
  readonly #options: BypassOptions;
  readonly #time = new VirtualTime();
  readonly #random: SeededRandom;
  readonly #names = new NameTable();
  readonly #kernel = new Map<number, KernelFlow>();
  readonly #internal: InternalCache;
  readonly #external: ExternalCache;
  readonly #mirror: FlowMirror;
  readonly #reading: BypassReading;
  readonly #sender: Replicator;
  readonly #receiver: Replicator;
  readonly #event: FlowCursor;
  readonly #entry: FlowCursor;
  readonly #turns: Turns;
  #eventsReadAt = 0;

  constructor(options: BypassOptions) {
    this.#options = options;
    this.#random = new SeededRandom(options.seed);
    this.#turns = {
      next: (run: () => void) => {
        this.#later(1, run);
      },
    };
    this.#event = newScratch(this.#names);
    this.#entry = newScratch(this.#names);
    const feed = new ManualFeed();
    this.#internal = bypassedInternal(this.#table(), 1_000, feed);
    this.#external = new ExternalCache(this.#table(), 1_000, false);
    this.#reading = new BypassReading({
      cache: this.#internal,
      openDump: (handler) => this.#openDump(handler),
      isResyncing: () => this.#mirror.isResyncing,
      resync: () => this.#mirror.resync(),
      compareExpectations: () => Promise.resolve(),
    });
    const now = (): Microseconds => this.#time.now();
    this.#mirror = new BypassMirror({
      table: this.#internal.table,
      filter: new FlowFilter({}, []),
      kernelFilters: false,
      isOwnPort: () => false,
      clock: { now, wallClock: now },
      turns: this.#turns,
      listener: this.#internal,
      startDump: (handler) => this.#reading.start(handler),
    });
    feed.comparing = () => this.#mirror.isResyncing;
    this.#sender = this.#replicator(this.#internal, this.#external, true);
    const nothing = cachedInternal(this.#table(), 10);
    this.#receiver = this.#replicator(nothing, this.#external, false);
  }

  /**
   * What the peer has too much, and what it lacks or knows with another mark; both empty if all is
   * well.
   */
  async run(): Promise<{ readonly tooMuch: readonly number[]; readonly wrong: readonly number[] }> {
    const { operations, bulks } = this.#options;
    const busy = 300 * millisecond;
    for (let i = 0; i < operations; i++) {
      this.#later(this.#random.below(busy), () => {
        this.#operate();
      });
    }
    for (let i = 0; i < bulks; i++) {
      this.#later(this.#random.below(busy), () => {
        this.#sender.startBulk('asked for');
      });
    }
    this.#beat();
    const end = busy + 2 * second;
    for (let step = millisecond / 2; this.#time.now() < end;) {
      if (this.#time.now() > busy + second) step = 20 * millisecond;
      this.#time.runUntil(this.#time.now() + step);
      // Promises are kept between two moments.
      for (let i = 0; i < 8; i++) await Promise.resolve();
    }
    return this.#judge();
  }

  #judge(): { readonly tooMuch: readonly number[]; readonly wrong: readonly number[] } {
    const { table } = this.#external;
    const cursor = table.newCursor();
    const held = new Map<number, number>();
    for (let slot = table.next(0); slot !== 0; slot = table.next(slot)) {
      const flow = table.seek(slot, cursor);
      held.set(flow.get(recordWord.originalPorts) >>> 16, flow.get(recordWord.mark));
    }
    const wrong = [...this.#kernel.values()].filter((flow) => held.get(flow.number) !== flow.mark);
    return {
      tooMuch: [...held.keys()].filter((number) => !this.#kernel.has(number)),
      wrong: wrong.map(({ number }) => number),
    };
  }

  #table(): FingerprintedTable {
    return new FingerprintedTable({ limit: 1_000, names: this.#names, hashSeed: 7 });
  }

  #later(delay: number, run: () => void): void {
    this.#time.at(this.#time.now() + delay, run);
  }

  #beat(): void {
    for (const one of [this.#sender, this.#receiver]) one.tick(this.#time.now());
    this.#pump();
    this.#later(100 * millisecond, () => {
      this.#beat();
    });
  }

  #pump(): void {
    for (const one of [this.#sender, this.#receiver]) {
      while (one.pump(this.#time.now(), 64));
    }
  }

  #operate(): void {
    const number = 1 + this.#random.below(this.#options.flows);
    const known = this.#kernel.get(number);
    if (known?.isDying === true) return;
    if (known === undefined) {
      const flow = {
        number,
        id: 1 + this.#random.below(3) + 10 * number,
        mark: this.#random.below(1_000),
        isAssured: this.#random.chance(70),
        isDying: false,
      };
      this.#kernel.set(number, flow);
      this.#tell('new', flow);
    } else if (this.#random.chance(40)) {
      const flow = { ...known, mark: this.#random.below(1_000) };
      this.#kernel.set(number, flow);
      this.#tell('update', flow);
    } else {
      // The event is sent first, and then the flow is taken out.
      this.#kernel.set(number, { ...known, isDying: true });
      this.#tell('destroy', known);
      this.#later(this.#random.below(2 * millisecond), () => {
        this.#kernel.delete(number);
      });
    }
  }

  /** Events are read in their order, each some time after it was sent. */
  #tell(kind: 'new' | 'update' | 'destroy', flow: KernelFlow): void {
    const due = this.#time.now() + this.#random.below(this.#options.eventDelay);
    this.#eventsReadAt = Math.max(this.#eventsReadAt, due);
    this.#time.at(this.#eventsReadAt, () => {
      this.#mirror.event(kind, this.#write(this.#event, flow, kind === 'destroy'), 0);
      if (this.#random.chance(50)) this.#pump();
    });
  }

  /** Each message is made when the one before it was taken, and read later. */
  #openDump(handler: DumpHandler): RunningDump {
    const total = this.#options.flows;
    let isPaused = false;
    let waiting: readonly KernelFlow[] | undefined;
    let next = 1;
    let entries = 0;
    let finish: (entries: number) => void = () => undefined;
    const done = new Promise<number>((resolve) => (finish = resolve));
    const make = (): void => {
      const chunk: KernelFlow[] = [];
      for (; next <= total && chunk.length < entriesPerChunk; next++) {
        const flow = this.#kernel.get(next);
        if (flow !== undefined) chunk.push(flow);
      }
      waiting = chunk;
    };
    const read = (): void => {
      if (isPaused || waiting === undefined) return;
      const chunk = waiting;
      waiting = undefined;
      if (chunk.length === 0) {
        finish(entries);
        return;
      }
      make();
      handler.batch?.();
      for (const flow of chunk) {
        entries++;
        handler.flow?.(this.#write(this.#entry, flow, false));
      }
      this.#pump();
      this.#later(this.#random.below(this.#options.dumpDelay), read);
    };
    make();
    this.#later(this.#random.below(this.#options.dumpDelay), read);
    return {
      done,
      pause: () => {
        isPaused = true;
      },
      resume: () => {
        isPaused = false;
        read();
      },
      cancel: () => {
        finish(entries);
      },
    };
  }

  /** As the kernel tells it: of an ended one neither timeout nor TCP's scales and flags. */
  #write(record: FlowCursor, flow: KernelFlow, isEnd: boolean): FlowCursor {
    clearScratch(record);
    record.setKind(false, 6);
    record.setAddressWord(addressRole.originalSource, 0, 0x0a000001);
    record.setAddressWord(addressRole.originalDestination, 0, 0x0a000002);
    record.set(recordWord.originalPorts, ((flow.number << 16) | 80) >>> 0);
    const assured = flow.isAssured ? statusBit.assured | statusBit.sourceNat : 0;
    record.set(recordWord.status, 0xa | assured | (flow.isDying || isEnd ? statusBit.dying : 0));
    record.set(recordWord.id, flow.id);
    record.set(recordWord.mark, flow.mark);
    record.setInfo(0, 0xff, tcpState.established);
    record.learn(
      presenceBit.ports |
        presenceBit.status |
        presenceBit.id |
        presenceBit.mark |
        presenceBit.state,
    );
    if (!isEnd) {
      record.set(recordWord.timeout, 300);
      record.learn(presenceBit.timeout);
    }
    deriveReply(record);
    return record;
  }

  #replicator(internal: InternalCache, external: ExternalCache, isSender: boolean): Replicator {
    const builder = new DatagramBuilder(400, (datagram) => {
      const bytes = datagram.slice();
      this.#later(50, () => {
        (isSender ? this.#receiver : this.#sender).receive(bytes, this.#time.now());
        this.#pump();
      });
    });
    return new Replicator({
      settings: {
        mode: 'NOTRACK',
        ackWindowSize: 20,
        resendQueueSize: 10_000,
        refreshTimeSeconds: 2,
        tcpWindowTracking: false,
        expectationSync: 'off',
      },
      internal,
      external: isSender ? new ExternalCache(this.#table(), 10, false) : external,
      builder,
      scratch: newScratch(this.#names),
      random: this.#random,
      newWalk: (sink) => (isSender ? this.#walk() : new TableWalk(internal, sink)),
      port: {
        wake: () => undefined,
        bulkStarted: () => undefined,
        bulkDone: (since) => {
          if (isSender)
            this.#later(200, () =>
              external.sweep(0, { since, keepsOlder: false }, 1_000, () => undefined),
            );
        },
        resyncAsked: () => undefined,
      },
    });
  }

  #walk(): BypassWalk {
    return new BypassWalk({
      reader: this.#reading,
      timers: { after: () => ({ cancel: () => undefined }) },
      logger: { log: () => undefined },
      wake: () => {
        this.#later(10, () => {
          this.#pump();
        });
      },
    });
  }
}
