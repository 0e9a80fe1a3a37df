/**
 * What the three modes have in common: a machine that judges each received message by its header
 * and says what is due. It holds no clock, no socket and no table; times come in, effects go out
 * through MachinePort.
 */
import type { Microseconds } from '../../../base/time.js';
import { lastDataKind, type MessageHeader } from '../../wire/header.js';

/** What becomes of a received message. */
export const verdict = {
  /** Counted as «malformed header»; the sequence does not move. */
  malformed: 0,
  /** Late, a duplicate, or not for this mode: neither applied nor accepted. */
  drop: 1,
  /** To be applied, then accepted. */
  apply: 2,
} as const;
export type Verdict = (typeof verdict)[keyof typeof verdict];

/** Effects of a machine, done by the replicator before the call returns. */
export interface MachinePort {
  /** Queue a control message; `from` and `to` only with ACK and NACK. */
  control(flags: number, from: number, to: number): void;
  /** The peer has these numbers of ours. */
  acknowledged(from: number, to: number): void;
  /** The peer misses these numbers of ours. */
  missing(from: number, to: number): void;
  /**
   * A new incarnation of the peer spoke, first with number `from`: it knows nothing of us, and we
   * nothing new of it.
   */
  peerRestarted(from: number): void;
  /** The peer's numbers begin anew: they cannot be compared with the earlier ones. */
  streamBegan(): void;
  /** The peer asks for everything. */
  bulkRequested(): void;
  /**
   * What was missed before number `from`, or up to now where that is absent, cannot be named any
   * more: ask the peer for everything.
   */
  resyncNeeded(because: string, from?: number): void;
}

/** Received messages that the numbers say were lost or came late. */
export interface SequenceCounters {
  readonly lost: number;
  readonly before: number;
}

export interface Machine {
  readonly counters: SequenceCounters;
  /** Number of the last accepted message of the peer; undefined before the first. */
  readonly last: number | undefined;
  /** Highest number behind which a gap was seen, for those who need a stream without holes. */
  readonly lastGap: number | undefined;
  /** Decides by the header alone. */
  judge(header: MessageHeader, now: Microseconds): Verdict;
  /** The message was applied: moves the sequence, and does what a control message asks for. */
  accept(header: MessageHeader, now: Microseconds): void;
  /** The next message is another host's: its numbers have nothing to do with those before. */
  otherSpeaker(): void;
  /** Flags for the next message to go out. Called once per message. */
  flags(): number;
  /** Nothing was sent for a second. */
  idle(now: Microseconds): void;
  /** Called a few times a second, idle or not. */
  tick(now: Microseconds): void;
  /** FTFW: what is owed in acknowledgements goes out now instead of when idle. */
  acknowledgeNow?(now: Microseconds): void;
}

/** Flags that data may carry. */
export function isWellFormedData(header: MessageHeader, allowedFlags: number): boolean {
  return header.kind <= lastDataKind && (header.flags & ~allowedFlags) === 0;
}
