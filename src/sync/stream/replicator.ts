/**
 * Replication with one peer, without any I/O: internal changes become datagrams, the peer's
 * datagrams become external changes. Time and chance come in as values, datagrams go out through a
 * function, so that whole lives of a pair run in virtual time.
 */
import {
  microseconds,
  milliseconds,
  seconds,
  subtractTime,
  wholeSeconds,
  type Microseconds,
  type RandomSource,
} from '../../base/time.js';
import type { FlowCursor } from '../../conntrack/record/flowRecord.js';
import type { ExternalStore } from '../remote/externalCache.js';
import { AlarmMachine, NotrackMachine } from './modes/bestEffort.js';
import { FtfwMachine } from './modes/ftfw.js';
import type { Machine, MachinePort } from './modes/machine.js';
import { SendTimes } from './queues/sendTimes.js';
import { Receiver } from './receiver.js';
import { ResyncRequest, type Hearing } from './resyncRequest.js';
import type { SyncSettings } from '../settings.js';
import { Transmitter } from './transmitter.js';
import type { SentCache } from './transmitterOptions.js';
import type { BulkSink, ChangeListener, Walk } from '../tables/changeListener.js';
import type { DatagramBuilder } from '../wire/datagramBuilder.js';
import { FlowWriter } from '../wire/flowWriter.js';

const keepAlive = seconds(1);
/** What is out unanswered for this long, while the peer speaks, goes out again. */
const staleAfter = seconds(5);
/** A closed window stays closed at most this long without an answer. */
const windowTimeout = milliseconds(1_200);

export interface ReplicatorPort {
  /** There is something to send; `pump` soon. */
  wake(): void;
  /** A bulk has ended; FTFW: the peer has all of it. */
  bulkDone(since: number, entries: number): void;
  /** The peer begins anew, or asks for everything: a bulk was started. */
  bulkStarted(because: string): void;
  /**
   * We ask the peer for everything; what is to be complete are its messages from number `from` on.
   */
  resyncAsked(because: string, from: number | undefined): void;
  /** A new incarnation of the peer: what the old one was sent is nothing to it. */
  peerRestarted?(): void;
  /** The peer says when its bulk has ended: other messages do not answer a request for one. */
  announcesEnds?(now: Microseconds): boolean;
}

export type ReplicatorSettings = Pick<
  SyncSettings,
  | 'mode'
  | 'ackWindowSize'
  | 'expectationSync'
  | 'resendQueueSize'
  | 'refreshTimeSeconds'
  | 'commitTimeoutSeconds'
  | 'tcpWindowTracking'
>;

/** This node's flows: what changes in them is sent. */
export interface ReplicatedCache extends SentCache {
  listen(listener: ChangeListener): void;
  /** Every 100 ms. */
  tick(): void;
}

export interface ReplicatorParts {
  readonly settings: ReplicatorSettings;
  readonly internal: ReplicatedCache;
  readonly external: ExternalStore;
  readonly builder: DatagramBuilder;
  readonly scratch: FlowCursor;
  readonly random: RandomSource;
  readonly port: ReplicatorPort;
  /** See TransmitterOptions. */
  readonly newWalk: (sink: BulkSink) => Walk;
}

export class Replicator implements MachinePort {
  readonly machine: Machine;
  readonly transmitter: Transmitter;
  readonly writer: Pick<FlowWriter, 'write' | 'directionZones'>;
  readonly receiver: Receiver;
  readonly resync: ResyncRequest;
  readonly #parts: ReplicatorParts;
  #now = 0 as Microseconds;
  /** What had been sent when the stale check last ran, and when. */
  readonly #sendTimes = new SendTimes();
  #staleMark: { readonly sequence: number; readonly at: Microseconds } | undefined;

  constructor(parts: ReplicatorParts) {
    const { settings } = parts;
    this.#parts = parts;
    this.machine = machineOf(settings, this);
    this.writer = new FlowWriter({
      sendTimeout: settings.commitTimeoutSeconds === undefined,
      sendScales: settings.tcpWindowTracking,
    });
    this.transmitter = new Transmitter(this.machine, {
      mode: settings.mode,
      cache: parts.internal,
      builder: parts.builder,
      writer: this.writer,
      sendTimeout: settings.commitTimeoutSeconds === undefined,
      resendLimit: settings.resendQueueSize,
      ackWindowSize: settings.ackWindowSize,
      refreshSeconds: settings.refreshTimeSeconds,
      random: parts.random,
      newWalk: parts.newWalk,
      bulkDone: (since, entries) => {
        parts.port.bulkDone(since, entries);
      },
      resyncAcknowledged: () => {
        this.resync.answered(this.#now);
      },
      wake: () => {
        parts.port.wake();
      },
    });
    const takesExpectations = parts.settings.expectationSync !== 'off';
    this.receiver = new Receiver(this.machine, parts.external, parts.scratch, takesExpectations);
    this.resync = new ResyncRequest((flags, from, to) => {
      this.control(flags, from, to);
    });
    parts.internal.listen(this.transmitter);
  }

  /** One datagram of the peer. True where at least one message was good. */
  receive(datagram: Uint8Array, now: Microseconds): boolean {
    this.#now = now;
    const before = this.receiver.applied;
    const isGood = this.receiver.receive(datagram, now);
    const isData = this.receiver.applied !== before;
    if (isData && this.#parts.settings.mode !== 'FTFW' && !this.#announcesEnds(now)) {
      this.resync.answered(now);
    }
    this.#parts.port.wake();
    return isGood;
  }

  /** FTFW: at most how long the oldest flow is sent and not acknowledged; 0 where there is none. */
  oldestUnacknowledged(now: Microseconds): Microseconds | undefined {
    if (this.#parts.settings.mode !== 'FTFW') return undefined;
    const { oldestFlow } = this.transmitter.resend;
    return oldestFlow === undefined ? microseconds(0) : this.#sendTimes.age(oldestFlow, now);
  }

  /** Sends what waits, up to `most` messages; true where more can be sent at once. */
  pump(now: Microseconds, most: number): boolean {
    this.#now = now;
    return this.transmitter.pump(now, most);
  }

  /** To be called about ten times a second, four times where nothing happens. */
  tick(now: Microseconds): void {
    this.#now = now;
    const { transmitter } = this;
    this.#parts.internal.tick();
    this.machine.tick(now);
    this.resync.tick(now, this.#hearing(now));
    transmitter.refresh(wholeSeconds(now));
    transmitter.unblock(now, windowTimeout);
    const { lastSentAt } = transmitter;
    if (lastSentAt === undefined || subtractTime(now, lastSentAt) >= keepAlive) {
      this.machine.idle(now);
    }
    this.#resendStale(now);
    this.#sendTimes.note(transmitter.nextSequence, transmitter.resend.oldestFlow, now);
    this.#parts.port.wake();
  }

  /**
   * Ask the peer for its whole internal cache. ALARM has no such message. A bulk is the answer if
   * it began with number `from` or later: behind what the peer has sent until now.
   */
  askResync(now: Microseconds, because: string, from = this.#nextOfPeer): boolean {
    if (this.#parts.settings.mode === 'ALARM') return false;
    this.#now = now;
    this.resync.ask(now);
    this.#parts.port.resyncAsked(because, from);
    this.#parts.port.wake();
    return true;
  }

  /** The peer waits for our acknowledgement. */
  acknowledgeNow(now: Microseconds): void {
    this.#now = now;
    this.machine.acknowledgeNow?.(now);
    this.#parts.port.wake();
  }

  /** Send the whole internal cache. */
  startBulk(because: string): void {
    this.transmitter.startBulk();
    this.#parts.port.bulkStarted(because);
    this.#parts.port.wake();
  }

  control(flags: number, from: number, to: number): void {
    this.transmitter.control(flags, from, to);
  }

  acknowledged(from: number, to: number): void {
    this.transmitter.acknowledged(from, to, this.#now);
  }

  missing(from: number, to: number): void {
    if (this.transmitter.missing(from, to, this.#now)) return;
    this.startBulk('the peer misses what the resend queue no longer has');
  }

  peerRestarted(from?: number): void {
    this.#parts.port.peerRestarted?.();
    this.transmitter.peerRestarted(this.#now);
    this.startBulk('the peer started');
    this.askResync(this.#now, 'the peer started', from);
  }

  /** Another host is the peer from now on: the numbers of the one before say nothing. */
  otherSpeaker(): void {
    this.machine.otherSpeaker();
    this.streamBegan();
    this.peerRestarted();
  }

  streamBegan(): void {
    this.#parts.external.streamBegan();
  }

  bulkRequested(): void {
    this.startBulk('requested by the peer');
  }

  resyncNeeded(because: string, from?: number): void {
    this.askResync(this.#now, because, from);
  }

  /** undefined before the first. */
  get #nextOfPeer(): number | undefined {
    const { last } = this.machine;
    return last === undefined ? undefined : (last + 1) >>> 0;
  }

  /** FTFW acknowledges a request, and a keepstate peer announces the end also of an empty bulk. */
  #hearing(now: Microseconds): Hearing | undefined {
    if (this.#parts.settings.mode !== 'NOTRACK' || this.#announcesEnds(now)) return undefined;
    return { heardAt: this.receiver.lastAcceptedAt, lost: this.machine.counters.lost };
  }

  #announcesEnds(now: Microseconds): boolean {
    return this.#parts.port.announcesEnds?.(now) ?? false;
  }

  /** An acknowledgement that never came although the peer speaks: its numbers go out again. */
  #resendStale(now: Microseconds): void {
    const mark = this.#staleMark;
    if (mark !== undefined && subtractTime(now, mark.at) < staleAfter) return;
    const heard = this.receiver.lastAcceptedAt;
    const isHeard = heard !== undefined && subtractTime(now, heard) < staleAfter;
    if (mark !== undefined && isHeard) this.transmitter.resend.requeueStale(mark.sequence);
    const sequence = (this.transmitter.nextSequence - 1) >>> 0;
    this.#staleMark = { sequence, at: now };
  }
}

function machineOf(settings: ReplicatorSettings, port: MachinePort): Machine {
  switch (settings.mode) {
    case 'FTFW':
      return new FtfwMachine(port, settings.ackWindowSize);
    case 'NOTRACK':
      return new NotrackMachine(port);
    case 'ALARM':
      return new AlarmMachine();
  }
}
