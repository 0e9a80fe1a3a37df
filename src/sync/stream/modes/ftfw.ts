/**
 * FTFW, the reliable mode (conntrackd 1.4.7): numbers every message, acknowledges ranges, asks for
 * gaps, says HELLO until it is answered. Beyond conntrackd: a HELLO of a new incarnation is
 * answered by a bulk and by a request for one, late duplicates of a HELLO are recognised, and a
 * stream whose numbers jumped is taken up again instead of being dropped for ever.
 */
import { milliseconds, seconds, subtractTime, type Microseconds } from '../../../base/time.js';
import {
  headerFlag,
  helloFlags,
  messageKind,
  sequenceDistance,
  type MessageHeader,
} from '../../wire/header.js';
import {
  isWellFormedData,
  verdict,
  type Machine,
  type MachinePort,
  type Verdict,
} from './machine.js';

/** A forward step beyond this is not loss but another stream, until it is confirmed. */
const largestGap = 1 << 20;
/**
 * Messages in order that make a jumped stream believable, once nothing else was accepted for a
 * while.
 */
const confirmations = 3;
const silenceBeforeJump = milliseconds(1_500);
/** The first HELLO to arrive need not be the first that was sent. */
const helloReorder = 256;
/** A HELLO number that was seen this recently is a duplicate in the network, not a restart. */
const duplicateHelloWindow = seconds(5);
/** An acknowledgement waits at most this long, also on a node that never falls idle. */
const ackDelay = seconds(1);

const forbidden = headerFlag.unused | 0x80;

export class FtfwMachine implements Machine {
  readonly counters = { lost: 0, before: 0 };
  last: number | undefined;
  lastGap: number | undefined;
  readonly #port: MachinePort;
  readonly #ackWindow: number;
  #helloState: 'init' | 'say' | 'done' = 'init';
  #sayHelloBack = false;
  /** First peer number that we have not acknowledged, and since when. */
  #ackFrom: number | undefined;
  #ackFromSince = 0 as Microseconds;
  #window: number;
  #lastAcceptedAt: Microseconds | undefined;
  /** Numbers of the peer's present HELLO phase, and when the last of them came. */
  #helloFirst: number | undefined;
  #helloLast = 0;
  #helloAt = 0 as Microseconds;
  #isInHello = false;
  /** A stream with other numbers: its last number, and how many came in order. */
  #jump: { last: number; count: number } | undefined;

  constructor(port: MachinePort, ackWindowSize: number) {
    this.#port = port;
    this.#ackWindow = ackWindowSize <= 0 ? 300 : ackWindowSize;
    this.#window = this.#ackWindow;
  }

  judge(header: MessageHeader, now: Microseconds): Verdict {
    if (!isWellFormed(header)) return verdict.malformed;
    if (header.has(headerFlag.helloBack) && this.#helloState === 'say') this.#helloState = 'done';
    if (this.last === undefined) return verdict.apply;
    if (header.has(headerFlag.hello)) {
      if (!this.#isDuplicateHello(header.sequence, now)) return verdict.apply;
      this.#sayHelloBack = true;
      return verdict.drop;
    }
    const distance = sequenceDistance(header.sequence, this.last);
    if (distance > 0 && distance <= largestGap) return verdict.apply;
    if (distance <= 0) this.counters.before++;
    return this.#isConfirmedJump(header.sequence, now) ? verdict.apply : verdict.drop;
  }

  accept(header: MessageHeader, now: Microseconds): void {
    const { sequence } = header;
    const isAck = header.kind === messageKind.control && header.has(headerFlag.ack);
    this.#jump = undefined;
    if (header.has(headerFlag.hello)) this.#hello(sequence, now, isAck);
    else {
      this.#isInHello = false;
      // What came before the first message that arrived cannot be named by numbers.
      if (this.last === undefined) {
        this.#port.resyncNeeded('joined a running stream', sequence);
      }
      this.#follow(sequence, now, isAck);
    }
    this.last = sequence;
    this.#lastAcceptedAt = now;
    if (header.kind === messageKind.control) this.#control(header);
  }

  otherSpeaker(): void {
    this.last = undefined;
    this.lastGap = undefined;
    this.#ackFrom = undefined;
    this.#window = this.#ackWindow;
    this.#helloState = 'init';
    this.#helloFirst = undefined;
    this.#isInHello = false;
    this.#jump = undefined;
  }

  flags(): number {
    let flags = 0;
    if (this.#helloState !== 'done') {
      flags |= headerFlag.hello;
      this.#helloState = 'say';
    }
    if (this.#sayHelloBack) flags |= headerFlag.helloBack;
    this.#sayHelloBack = false;
    return flags;
  }

  idle(now: Microseconds): void {
    if (this.#ackFrom === undefined) this.#port.control(headerFlag.alive, 0, 0);
    else this.#acknowledge(now);
  }

  tick(now: Microseconds): void {
    if (this.#ackFrom === undefined) return;
    if (subtractTime(now, this.#ackFromSince) >= ackDelay) this.#acknowledge(now);
  }

  acknowledgeNow(now: Microseconds): void {
    if (this.#ackFrom !== undefined) this.#acknowledge(now);
  }

  /** A message without HELLO, or one that continues a HELLO phase. */
  #follow(sequence: number, now: Microseconds, isAcknowledgement: boolean): void {
    const { last } = this;
    const distance = last === undefined ? 1 : sequenceDistance(sequence, last);
    if (last !== undefined && (distance <= 0 || distance > largestGap)) {
      this.#restartWindow(sequence, now);
      this.#port.streamBegan();
      // Perhaps it started again and its HELLO passed for an old one: then it has nothing of this
      // node's.
      this.#port.peerRestarted(sequence);
      return;
    }
    if (last !== undefined && distance > 1) {
      this.counters.lost += distance - 1;
      this.lastGap = (sequence - 1) >>> 0;
      if (this.#ackFrom !== undefined) this.#port.control(headerFlag.ack, this.#ackFrom, last);
      this.#port.control(headerFlag.nack, (last + 1) >>> 0, (sequence - 1) >>> 0);
      this.#restartWindow(sequence, now);
    } else if (this.#ackFrom === undefined) {
      this.#ackFrom = sequence;
      this.#ackFromSince = now;
    }
    // Acknowledgements are acknowledged in their time: with small windows they would answer each
    // other for ever.
    if (!isAcknowledgement) this.#window--;
    if (this.#window > 0 || isAcknowledgement) return;
    this.#port.control(headerFlag.ack, this.#ackFrom!, sequence);
    this.#ackFrom = undefined;
    this.#window = this.#ackWindow;
  }

  #hello(sequence: number, now: Microseconds, isAcknowledgement: boolean): void {
    this.#sayHelloBack = true;
    const distance = this.last === undefined ? 0 : sequenceDistance(sequence, this.last);
    const continues = this.#isInHello && distance > 0 && distance <= 0xffff;
    if (continues) this.#follow(sequence, now, isAcknowledgement);
    else {
      this.#helloFirst = sequence;
      this.#restartWindow(sequence, now);
      this.#port.streamBegan();
      this.#port.peerRestarted(sequence);
    }
    this.#isInHello = true;
    this.#helloLast = sequence;
    this.#helloAt = now;
  }

  #restartWindow(sequence: number, now: Microseconds): void {
    this.#ackFrom = sequence;
    this.#ackFromSince = now;
    this.#window = this.#ackWindow;
  }

  #isDuplicateHello(sequence: number, now: Microseconds): boolean {
    if (this.#helloFirst === undefined) return false;
    if (subtractTime(now, this.#helloAt) > duplicateHelloWindow) return false;
    return (
      sequenceDistance(sequence, this.#helloFirst) >= -helloReorder &&
      sequenceDistance(sequence, this.#helloLast) <= 0
    );
  }

  /**
   * conntrackd drops such messages for ever. Here a stream that goes on in order while nothing else
   * was accepted is the peer's: its numbers jumped (a corrupted number was believed, or a HELLO was
   * never seen).
   */
  #isConfirmedJump(sequence: number, now: Microseconds): boolean {
    const follows = this.#jump !== undefined && sequenceDistance(sequence, this.#jump.last) === 1;
    this.#jump = { last: sequence, count: follows ? this.#jump!.count + 1 : 1 };
    if (this.#jump.count < confirmations) return false;
    return (
      this.#lastAcceptedAt === undefined ||
      subtractTime(now, this.#lastAcceptedAt) >= silenceBeforeJump
    );
  }

  #control(header: MessageHeader): void {
    if (header.has(headerFlag.ack)) this.#port.acknowledged(header.from, header.to);
    else if (header.has(headerFlag.nack)) this.#port.missing(header.from, header.to);
    else if (header.has(headerFlag.resync)) this.#port.bulkRequested();
  }

  #acknowledge(now: Microseconds): void {
    this.#port.control(headerFlag.ack, this.#ackFrom!, this.last!);
    this.#ackFrom = undefined;
    this.#ackFromSince = now;
    this.#window = this.#ackWindow;
  }
}

/** Of the control bits the first in the order ACK, NACK, RESYNC, ALIVE decides. */
function isWellFormed(header: MessageHeader): boolean {
  if (header.kind !== messageKind.control) return isWellFormedData(header, helloFlags);
  if ((header.flags & forbidden) !== 0) return false;
  if (header.has(headerFlag.ack | headerFlag.nack)) {
    return sequenceDistance(header.to, header.from) >= 0;
  }
  return header.has(headerFlag.resync | headerFlag.alive);
}
