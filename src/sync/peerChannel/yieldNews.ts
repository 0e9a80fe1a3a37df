/**
 * After a split the stronger MASTER need not have heard the weaker one: VRRP lets that one step down in silence
 * (RFC 3768 section 6.4.3). So who gave way tells its peer over the peer channel, again and again until that one
 * answers that it has merged the flows; the purge here waits for the answer.
 */
import {
  addTime,
  milliseconds,
  seconds,
  subtractTime,
  type Microseconds,
} from '../../base/time.js';
import type { Engine } from '../engine/engine.js';
import type { MergeSummary } from '../messages.js';
import type { PeerMessage } from '../wire/peerMessage.js';

const repeatPause = milliseconds(500);
/** The purge waits no longer for a peer that does not answer; it may be one that does not know the question. */
const mergePatience = seconds(60);
const patientPause = seconds(5);
const largestUint32 = 0xffff_ffff;

type Yielded = Extract<PeerMessage, { kind: 'yielded' }>;
type Seen = Extract<PeerMessage, { kind: 'yieldedSeen' }>;

/** That this node gave way, as the peer is to know it. */
export interface Told {
  readonly token: number;
  readonly masterFor: Microseconds;
  readonly endedAt: Microseconds;
}

export interface YieldPort {
  send(message: PeerMessage): void;
  peerName(): string;
  isPresent(now: Microseconds): boolean;
}

export class YieldNews {
  readonly #engine: Engine;
  readonly #port: YieldPort;
  /** What the peer does not know yet. */
  #told: Told | undefined;
  #sentAt = 0 as Microseconds;
  /** The peer's news that is being worked on. */
  #heard: number | undefined;
  /** The answer to its last one, for its repetitions. */
  #answer: Seen | undefined;

  constructor(engine: Engine, port: YieldPort) {
    this.#engine = engine;
    this.#port = port;
  }

  /** This node gave way to a stronger MASTER. The purge must be scheduled already. */
  gaveWay(masterFor: Microseconds): void {
    const { clock, random } = this.#engine.ports;
    const now = clock.now();
    const told = { token: random.below(0x1_0000_0000), masterFor, endedAt: now };
    this.#told = told;
    if (this.#port.isPresent(now)) this.#engine.purge.holdUntil(addTime(now, mergePatience));
    this.#send(now, told);
  }

  /** What the peer does not know yet. */
  get pending(): Told | undefined {
    return this.#told;
  }

  /** On a new engine: what its predecessor had not told to the end. */
  resume(told: Told): void {
    this.#told = told;
    this.#engine.purge.holdUntil(addTime(told.endedAt, mergePatience));
    this.#send(this.#engine.ports.clock.now(), told);
  }

  /** MASTER again: nobody else needs to have the flows of before. */
  forget(): void {
    this.#told = undefined;
  }

  /** Whoever worked on the peer's news does so no more: its next repetition counts as news. */
  abandon(): void {
    this.#heard = undefined;
  }

  /** The peer's flows are merged; undefined: there was nothing to merge. */
  settle(summary: MergeSummary | undefined): void {
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

  /** `sender.from`: who said it, where the configuration does not name that one. */
  handle(message: Yielded | Seen, sender: { readonly from?: string } = {}): void {
    if (message.kind === 'yielded') this.#peerYielded(message, sender);
    else this.#answered(message);
  }

  tick(now: Microseconds): void {
    if (this.#told === undefined) return;
    const isFresh = subtractTime(now, this.#told.endedAt) < mergePatience;
    const pause = isFresh ? repeatPause : patientPause;
    if (subtractTime(now, this.#sentAt) >= pause) this.#send(now, this.#told);
  }

  #peerYielded({ token, masterMs, agoMs }: Yielded, sender: { readonly from?: string }): void {
    if (this.#answer?.token === token) this.#port.send(this.#answer);
    if (this.#answer?.token === token || this.#heard === token) return;
    this.#heard = token;
    const name = this.#port.peerName();
    this.#engine.ports.report({ kind: 'peerYielded', name, masterMs, agoMs, ...sender });
  }

  #answered({ token, merged, created, failed, durationMs }: Seen): void {
    if (this.#told?.token !== token) return;
    this.#told = undefined;
    this.#engine.purge.release();
    this.#engine.ports.report({ kind: 'yieldAnswered' });
    if (!merged) return;
    this.#engine.ports.report({ kind: 'yieldMerged', created, failed, durationMs });
  }

  #send(now: Microseconds, { token, masterFor, endedAt }: Told): void {
    this.#sentAt = now;
    const agoMs = toUint32(subtractTime(now, endedAt));
    this.#port.send({ kind: 'yielded', token, masterMs: toUint32(masterFor), agoMs });
  }
}

/** Whole milliseconds. */
function toUint32(duration: Microseconds): number {
  return Math.min(largestUint32, Math.max(0, Math.floor(duration / 1_000)));
}
