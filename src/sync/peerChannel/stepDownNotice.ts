/**
 * After a split the stronger MASTER need not have heard the weaker one: VRRP lets that one step
 * down in silence (RFC 3768 section 6.4.3). So who gave way tells its peer over the peer channel,
 * again and again until that one answers that it has merged the flows; the purge here waits for the
 * answer.
 */
import { milliseconds, seconds, subtractTime, type Microseconds } from '../../base/time.js';
import type { EnginePorts } from '../engine/engine.js';
import type { MergeSummary } from '../messages.js';
import type { PeerMessage } from '../wire/peerMessage.js';

const repeatPause = milliseconds(500);
/** A peer that has not answered for so long is asked seldom. */
const urgentTime = seconds(60);
const laterPause = seconds(5);
const largestUint32 = 0xffff_ffff;

type Yielded = Extract<PeerMessage, { kind: 'yielded' }>;
type Seen = Extract<PeerMessage, { kind: 'yieldedSeen' }>;

/** That this node gave way, as the peer is to know it. */
export interface PendingNotice {
  readonly token: number;
  readonly masterFor: Microseconds;
  readonly endedAt: Microseconds;
}

export interface NoticePort {
  send(message: PeerMessage): void;
  peerName(): string;
  /** The MASTER to which this node gave way knows it; `merged` where it has merged its flows. */
  answered(merged: MergeSummary | undefined): void;
}

export class StepDownNotice {
  readonly #ports: Pick<EnginePorts, 'clock' | 'report'>;
  readonly #port: NoticePort;
  /** What the peer does not know yet. */
  #pending: PendingNotice | undefined;
  #sentAt = 0 as Microseconds;
  /** The peer's news that is being worked on. */
  #heard: number | undefined;
  /** The answer to its last one, for its repetitions. */
  #answer: Seen | undefined;

  constructor(ports: Pick<EnginePorts, 'clock' | 'report'>, port: NoticePort) {
    this.#ports = ports;
    this.#port = port;
  }

  /**
   * This node gave way to a stronger MASTER; on a new engine: what its predecessor had not told to
   * the end.
   */
  tell(notice: PendingNotice): void {
    this.#pending = notice;
    this.#send(this.#ports.clock.now(), notice);
  }

  /** What the peer does not know yet. */
  get pending(): PendingNotice | undefined {
    return this.#pending;
  }

  /** MASTER again: nobody else needs to have the flows of before. */
  forget(): void {
    this.#pending = undefined;
  }

  /** Whoever worked on the peer's news does so no more: its next repetition counts as news. */
  abandon(): void {
    this.#heard = undefined;
  }

  /** The peer's flows are merged; undefined: there was nothing to merge. */
  acknowledge(summary: MergeSummary | undefined): void {
    const token = this.#heard;
    if (token === undefined) return;
    this.#heard = undefined;
    const { created, failed, durationMs } = summary ?? { created: 0, failed: 0, durationMs: 0 };
    this.#answer = {
      kind: 'yieldedSeen',
      token,
      merged: summary !== undefined,
      created,
      failed,
      durationMs: Math.round(durationMs),
    };
    this.#port.send(this.#answer);
  }

  tick(now: Microseconds): void {
    if (this.#pending === undefined) return;
    const isFresh = subtractTime(now, this.#pending.endedAt) < urgentTime;
    const pause = isFresh ? repeatPause : laterPause;
    if (subtractTime(now, this.#sentAt) >= pause) this.#send(now, this.#pending);
  }

  /** The peer's. `sender.from`: who said it, where the configuration does not name that one. */
  peerSteppedDown(
    { token, masterMs, agoMs }: Yielded,
    sender: { readonly from?: string } = {},
  ): void {
    if (this.#answer?.token === token) this.#port.send(this.#answer);
    if (this.#answer?.token === token || this.#heard === token) return;
    this.#heard = token;
    const name = this.#port.peerName();
    this.#ports.report({ kind: 'peerYielded', name, masterMs, agoMs, ...sender });
  }

  /** To this node's. */
  peerAcknowledged({ token, merged, created, failed, durationMs }: Seen): void {
    if (this.#pending?.token !== token) return;
    this.#pending = undefined;
    this.#port.answered(merged ? { created, failed, durationMs } : undefined);
  }

  #send(now: Microseconds, { token, masterFor, endedAt }: PendingNotice): void {
    this.#sentAt = now;
    const agoMs = toUint32(subtractTime(now, endedAt));
    this.#port.send({ kind: 'yielded', token, masterMs: toUint32(masterFor), agoMs });
  }
}

/** Whole milliseconds. */
function toUint32(duration: Microseconds): number {
  return Math.min(largestUint32, Math.max(0, Math.floor(duration / 1_000)));
}
