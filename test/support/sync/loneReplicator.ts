/**
 * A replicator alone: flows go in, what it sends and what it says of bulks and requests is kept.
 */
import type { Microseconds, RandomSource } from '../../../src/base/time.js';
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
import {
  DatagramWalk,
  headerBytes,
  messageKind,
  rangeFlags,
  rangeHeaderBytes,
  walk,
  writeHeader,
  writeRange,
} from '../../../src/sync/wire/header.js';
import { cachedInternal, ManualFeed } from './caches.js';

const ordinaryLimit = 10_000;

export interface ReplicatorOptions {
  readonly mode: SyncMode;
  /** Flows that each of its tables holds. */
  readonly limit?: number;
  readonly resendLimit?: number;
  /** All where absent. */
  readonly expectationSync?: 'all' | 'off';
  /** The number of its first message. */
  readonly firstSequence?: number;
  /** Its peer is a keepstate. */
  readonly announcesEnds?: boolean;
}

export class LoneReplicator {
  readonly names = new NameTable();
  readonly internal: InternalCache;
  readonly external: ExternalCache;
  readonly replicator: Replicator;
  /** Datagrams that nobody has taken yet. */
  sent: Uint8Array[] = [];
  readonly bulksDone: { readonly since: number; readonly entries: number }[] = [];
  readonly resyncs: { readonly because: string; readonly from: number | undefined }[] = [];
  peerRestarts = 0;
  readonly #flow = newScratch(this.names);
  readonly #feed = new ManualFeed();

  constructor(options: ReplicatorOptions) {
    const { mode, limit = ordinaryLimit, firstSequence = 1_000 } = options;
    const { resendLimit = ordinaryLimit } = options;
    const table = (): FingerprintedTable =>
      new FingerprintedTable({ limit, names: this.names, hashSeed: 7 });
    this.internal = cachedInternal(table(), limit, this.#feed);
    this.external = new ExternalCache(table(), limit, mode === 'ALARM');
    let isFirst = true;
    const random: RandomSource = {
      below: () => {
        const number = isFirst ? firstSequence : 0;
        isFirst = false;
        return number;
      },
    };
    this.replicator = new Replicator({
      settings: {
        mode,
        ackWindowSize: 20,
        expectationSync: options.expectationSync ?? 'all',
        resendQueueSize: resendLimit,
        refreshTimeSeconds: 2,
        tcpWindowTracking: false,
      },
      internal: this.internal,
      newWalk: (sink) => new TableWalk(this.internal, sink),
      external: this.external,
      builder: new DatagramBuilder(400, (datagrams, size) => {
        for (let at = 0; at < datagrams.length; at += size) {
          this.sent.push(datagrams.slice(at, at + size));
        }
      }),
      scratch: newScratch(this.names),
      random,
      port: {
        wake: () => undefined,
        bulkStarted: () => undefined,
        bulkDone: (since, entries) => this.bulksDone.push({ since, entries }),
        resyncAsked: (because, from) => this.resyncs.push({ because, from }),
        peerRestarted: () => this.peerRestarts++,
        announcesEnds: () => options.announcesEnds ?? false,
      },
    });
  }

  /** Flows `from`..`to`, both included, from the kernel's dump: only a bulk tells them. */
  fill(from: number, to: number): void {
    this.#feed.isQuiet = true;
    for (let number = from; number <= to; number++) {
      this.internal.created(this.internal.table.insert(this.flow(number), 0), 'dump');
    }
    this.#feed.isQuiet = false;
  }

  /** A scratch record, valid until the next call; `number` is below 65,536. */
  flow(number: number): FlowCursor {
    const flow = this.#flow;
    clearScratch(flow);
    flow.setKind(false, 17);
    flow.setAddressWord(addressRole.originalSource, 0, 0x0a000001);
    flow.setAddressWord(addressRole.originalDestination, 0, 0x0a000002);
    flow.set(recordWord.originalPorts, ((number << 16) | 53) >>> 0);
    flow.set(recordWord.status, 0xe);
    flow.learn(presenceBit.ports | presenceBit.status);
    deriveReply(flow);
    return flow;
  }

  pump(now: Microseconds, most = 64): boolean {
    return this.replicator.pump(now, most);
  }

  /** Sends all that may be sent, and gives it away. */
  drain(now: Microseconds): Uint8Array[] {
    while (this.pump(now));
    return this.sent.splice(0);
  }

  receive(datagrams: readonly Uint8Array[], now: Microseconds): void {
    for (const datagram of datagrams) this.replicator.receive(datagram, now);
  }
}

export interface SentMessage {
  readonly kind: number;
  readonly flags: number;
  readonly sequence: number;
}

export function messagesOf(datagrams: readonly Uint8Array[]): SentMessage[] {
  const step = new DatagramWalk();
  const messages: SentMessage[] = [];
  for (const datagram of datagrams) {
    step.begin(new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength));
    while (step.next() === walk.message) {
      const { kind, flags, sequence } = step.header;
      messages.push({ kind, flags, sequence });
    }
  }
  return messages;
}

/** A control message of a peer. */
export function controlMessage(flags: number, sequence: number, from = 0, to = 0): Uint8Array {
  const hasRange = (flags & rangeFlags) !== 0;
  const bytes = new Uint8Array(hasRange ? rangeHeaderBytes : headerBytes);
  const view = new DataView(bytes.buffer);
  writeHeader(view, 0, messageKind.control, flags, bytes.length, sequence);
  if (hasRange) writeRange(view, 0, from, to);
  return bytes;
}
