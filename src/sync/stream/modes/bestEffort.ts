/**
 * The modes without acknowledgements (conntrackd 1.4.7). NOTRACK: numbers are only counted, ALIVE
 * when idle, RESYNC understood. ALARM: data only, repeated by refresh timers; a message with any
 * flag is ignored.
 */
import { seconds, subtractTime, type Microseconds } from '../../../base/time.js';
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

const forbidden = headerFlag.unused | 0x80;

/**
 * A step beyond this may be a restart as well as a long loss: numbers before and after it are not
 * compared.
 */
const longestReorder = 1 << 16;
/** A step forward beyond this says nothing of how many messages were lost. */
const largestLoss = 1 << 20;
/** Two senders at one address make the numbers jump with each message. */
const pauseBetweenRequests = seconds(5);

abstract class CountingMachine {
  readonly counters = { lost: 0, before: 0 };
  last: number | undefined;
  lastGap: number | undefined;

  /** The peer's numbers begin anew. */
  protected abstract begin(sequence: number, now: Microseconds): void;

  otherSpeaker(): void {
    this.last = undefined;
    this.lastGap = undefined;
  }

  /**
   * Numbers decide nothing: a restarted peer may begin anywhere. What came before the first
   * message, or before a jump, is missing as well as what a gap swallowed: a bulk that began before
   * it is not whole.
   */
  protected follow(sequence: number, now: Microseconds): void {
    const before = this.last;
    this.last = sequence;
    const distance = before === undefined ? undefined : sequenceDistance(sequence, before);
    if (distance === 1) return;
    if (distance !== undefined && distance <= 0 && distance >= -longestReorder) {
      this.counters.before++;
      return;
    }
    this.lastGap = (sequence - 1) >>> 0;
    if (distance === undefined) return;
    if (distance > 0 && distance <= largestLoss) this.counters.lost += distance - 1;
    if (Math.abs(distance) > longestReorder) this.begin(sequence, now);
  }
}

export class NotrackMachine extends CountingMachine implements Machine {
  readonly #port: MachinePort;
  #wantsResync = false;
  #askedAt: Microseconds | undefined;

  constructor(port: MachinePort) {
    super();
    this.#port = port;
  }

  judge(header: MessageHeader): Verdict {
    if (header.kind !== messageKind.control) {
      return isWellFormedData(header, helloFlags) ? verdict.apply : verdict.malformed;
    }
    if (header.has(forbidden | headerFlag.ack | headerFlag.nack)) return verdict.malformed;
    return header.has(headerFlag.resync | headerFlag.alive) ? verdict.apply : verdict.malformed;
  }

  accept(header: MessageHeader, now: Microseconds): void {
    this.follow(header.sequence, now);
    const asks = header.kind === messageKind.control && header.has(headerFlag.resync);
    if (asks) this.#port.bulkRequested();
  }

  protected override begin(sequence: number, now: Microseconds): void {
    this.#port.streamBegan();
    this.#wantsResync = true;
    this.#ask(now, sequence);
  }

  flags(): number {
    return 0;
  }

  idle(): void {
    this.#port.control(headerFlag.alive, 0, 0);
  }

  tick(now: Microseconds): void {
    this.#ask(now);
  }

  #ask(now: Microseconds, from?: number): void {
    if (!this.#wantsResync) return;
    if (this.#askedAt !== undefined && subtractTime(now, this.#askedAt) < pauseBetweenRequests) {
      return;
    }
    this.#wantsResync = false;
    this.#askedAt = now;
    this.#port.resyncNeeded('the numbers of the peer jumped', from);
  }
}

export class AlarmMachine extends CountingMachine implements Machine {
  judge(header: MessageHeader): Verdict {
    if (header.flags !== 0) return verdict.drop;
    return isWellFormedData(header, 0) ? verdict.apply : verdict.malformed;
  }

  accept(header: MessageHeader, now: Microseconds): void {
    this.follow(header.sequence, now);
  }

  protected override begin(): void {
    // Nothing is compared by numbers: what is not repeated expires.
  }

  flags(): number {
    return 0;
  }

  idle(): void {
    // ALARM knows no keep-alive: the refreshes are one.
  }

  tick(): void {
    // Nothing is owed to the peer.
  }
}
