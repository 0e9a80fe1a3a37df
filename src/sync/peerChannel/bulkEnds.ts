/**
 * The ends of bulks between two keepstates: ours is announced until the peer has seen it, the
 * peer's is judged. It makes the external table complete where the bulk answers our request and
 * nothing of it was lost. What an earlier life of the peer told is judged once somebody is MASTER:
 * a MASTER that lost its kernel and is back before anybody took the role has nothing to tell, and
 * its flows live in this table alone.
 */
import { milliseconds, seconds, subtractTime, type Microseconds } from '../../base/time.js';
import type { ChannelEngine } from './channelEngine.js';
import { sequenceDistance } from '../wire/header.js';
import type { PeerMessage } from '../wire/peerMessage.js';

const repeatPause = milliseconds(200);
const repeats = 25;
/**
 * Bulks of which each lost something, and after which hardly a flow can have been lost every time
 * (NOTRACK).
 */
const enoughLossyBulks = 5;
/**
 * A peer that is at rest for this long after its answer has announced the end in vain, or never
 * heard the question.
 */
const endTimeout = seconds(6);
/** FTFW: the last messages of the bulk may still be asked for again. */
const acknowledgedTimeout = seconds(30);

/**
 * Far more messages than a bulk of the largest table, or what follows it before its end is
 * believed.
 */
const longestBulk = 1 << 24;
const longestDelay = 1 << 20;

type BulkEngine = Pick<
  ChannelEngine,
  'catchUp' | 'ports' | 'replicator' | 'reportCaughtUp' | 'settings' | 'sweepExternal'
>;

type BulkEnd = Extract<PeerMessage, { kind: 'bulkEnd' }>;

export class BulkEnds {
  readonly #engine: BulkEngine;
  readonly #send: (message: PeerMessage) => void;
  /** The end of our last bulk, repeated until the peer has seen it. */
  #own: BulkEnd | undefined;
  #sentAt: Microseconds | undefined;
  #left = 0;
  /** The start of the peer's bulk whose end we have seen last. */
  #seenSince: number | undefined;
  #lossyBulks = 0;
  readonly #mayJudgeOlder: () => boolean;
  /** The start of the bulk that waits for a MASTER to judge what is older. */
  #deferred: number | undefined;

  /** `mayJudgeOlder`: what an earlier life of the peer told is gone where its bulk lacks it. */
  constructor(
    engine: BulkEngine,
    send: (message: PeerMessage) => void,
    mayJudgeOlder: () => boolean,
  ) {
    this.#engine = engine;
    this.#send = send;
    this.#mayJudgeOlder = mayJudgeOlder;
  }

  /** A bulk of ours has ended. */
  announce(since: number, entries: number): void {
    const sequence = this.#engine.replicator.transmitter.nextSequence;
    this.#own = { kind: 'bulkEnd', since, sequence, entries };
    this.#left = repeats;
    this.#sentAt = undefined;
  }

  seenByPeer(since: number): void {
    if (this.#own?.since === since) this.#own = undefined;
  }

  /** The new incarnation lacks what the old one had of that bulk. */
  peerRestarted(): void {
    this.#own = undefined;
    this.#lossyBulks = 0;
    this.#deferred = undefined;
  }

  tick(now: Microseconds): void {
    if (this.#deferred !== undefined && this.#mayJudgeOlder()) this.#sweep(this.#deferred);
    if (this.#own === undefined) return;
    if (this.#sentAt !== undefined && subtractTime(now, this.#sentAt) < repeatPause) return;
    this.#sentAt = now;
    this.#send(this.#own);
    if (--this.#left <= 0) this.#own = undefined;
  }

  /**
   * The peer's bulk has ended. In FTFW the peer says so once everything was acknowledged. Elsewhere
   * a gap since the start means that flows may be missing from the bulk: nothing is removed, and
   * another bulk is asked for.
   */
  received(message: BulkEnd): void {
    const { settings, ports, catchUp, replicator } = this.#engine;
    const { last, lastGap } = replicator.machine;
    if (last === undefined || !isWithinStream(message, last)) return;
    this.#send({ kind: 'bulkEndSeen', since: message.since });
    if (this.#seenSince === message.since) return;
    this.#seenSince = message.since;
    // It began before our request; the one that answers it follows.
    if (!catchUp.answers(message.since)) return;
    // Without acknowledgements an empty bulk would be asked for again and again.
    if (settings.mode === 'NOTRACK') replicator.resync.answered(ports.clock.now());
    const hasGap =
      settings.mode !== 'FTFW' &&
      lastGap !== undefined &&
      sequenceDistance(lastGap, message.since) >= 0;
    if (hasGap) {
      if (this.#isEnough()) this.#complete();
      return;
    }
    this.#sweep(message.since);
    this.#complete();
  }

  /** The peer said what it holds, which it does while it sends no bulk. */
  peerIsAtRest(now: Microseconds): void {
    const { settings, catchUp, replicator, ports } = this.#engine;
    const longest = settings.mode === 'FTFW' ? acknowledgedTimeout : endTimeout;
    if (!catchUp.isOverdue(now, longest)) return;
    ports.logger.log('notice', 'resync requested', {
      reason: 'the end of the bulk of the peer was not heard',
    });
    // Not a new request: whatever answers the first is good.
    replicator.resync.ask(now);
  }

  #isEnough(): boolean {
    const { catchUp, replicator, ports } = this.#engine;
    if (catchUp.isCaughtUp) return false;
    if (++this.#lossyBulks >= enoughLossyBulks) return true;
    replicator.askResync(ports.clock.now(), 'messages of the bulk of the peer were lost');
    return false;
  }

  #sweep(since: number): void {
    const keepsOlder = !this.#mayJudgeOlder();
    this.#deferred = keepsOlder ? since : undefined;
    void this.#engine.sweepExternal({ since, keepsOlder }).then((removed) => {
      if (removed === 0) return;
      this.#engine.ports.logger.log('notice', 'removed flows that the peer no longer has', {
        removed,
      });
    });
  }

  #complete(): void {
    this.#lossyBulks = 0;
    this.#engine.catchUp.bulkEnded();
    this.#engine.reportCaughtUp();
  }
}

/**
 * A bulk of which everything was heard, and that ended just now. An end with other numbers belongs
 * to no stream that was heard: it would empty the table. `entries` is no evidence: a node without
 * internal cache counts what it read, and leaves out what it committed in advance.
 */
function isWithinStream({ since, sequence }: BulkEnd, last: number): boolean {
  const behind = sequenceDistance(last, (sequence - 1) >>> 0);
  const length = sequenceDistance(sequence, since);
  return behind >= 0 && behind <= longestDelay && length >= 0 && length <= longestBulk;
}
