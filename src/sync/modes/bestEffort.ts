/**
 * The modes without acknowledgements (conntrackd 1.4.7). NOTRACK: numbers are only counted, ALIVE when idle,
 * RESYNC understood. ALARM: data only, repeated by refresh timers; a message with any flag is ignored.
 */
import {
  headerFlag,
  helloFlags,
  messageKind,
  sequenceDistance,
  type MessageHeader,
} from '../wire/header.js';
import {
  isWellFormedData,
  verdict,
  type Machine,
  type MachinePort,
  type Verdict,
} from './machine.js';

const forbidden = headerFlag.unused | 0x80;

/** A step beyond this is not loss or reordering but a restart. */
const longestReorder = 1 << 16;

abstract class CountingMachine {
  readonly counters = { lost: 0, before: 0 };
  last: number | undefined;
  lastGap: number | undefined;

  /** The peer's numbers begin anew. */
  protected abstract begin(): void;

  /** Numbers decide nothing: a restarted peer may begin anywhere. */
  protected follow(sequence: number): void {
    if (this.last !== undefined) {
      const distance = sequenceDistance(sequence, this.last);
      if (Math.abs(distance) > longestReorder) this.begin();
      else if (distance <= 0) this.counters.before++;
      else if (distance > 1) {
        this.counters.lost += distance - 1;
        this.lastGap = (sequence - 1) >>> 0;
      }
    }
    this.last = sequence;
  }
}

export class NotrackMachine extends CountingMachine implements Machine {
  readonly #port: MachinePort;

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

  accept(header: MessageHeader): void {
    this.follow(header.sequence);
    const asks = header.kind === messageKind.control && header.has(headerFlag.resync);
    if (asks) this.#port.bulkRequested();
  }

  protected override begin(): void {
    this.#port.streamBegan();
  }

  flags(): number {
    return 0;
  }

  idle(): void {
    this.#port.control(headerFlag.alive, 0, 0);
  }

  tick(): void {
    // Nothing is owed to the peer.
  }
}

export class AlarmMachine extends CountingMachine implements Machine {
  judge(header: MessageHeader): Verdict {
    if (header.flags !== 0) return verdict.drop;
    return isWellFormedData(header, 0) ? verdict.apply : verdict.malformed;
  }

  accept(header: MessageHeader): void {
    this.follow(header.sequence);
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
