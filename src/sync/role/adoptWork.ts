/**
 * A MASTER commits what a returning former MASTER tells as its own: after a takeover without the
 * other's table those flows are in the other's kernel alone. Looked at when the other's whole table
 * has come, and again while its claim stands.
 */
import { errorText } from '../../base/errors.js';
import { seconds, subtractTime, wholeSeconds, type Microseconds } from '../../base/time.js';
import { isAnswered, recordWord } from '../../conntrack/record/flowRecord.js';
import { FormerMaster, isAdopted } from '../comparison/adoption.js';
import type { Mastership } from '../comparison/mastership.js';
import type { Engine } from '../engine/engine.js';
import type { CommitWork } from './commitWork.js';
import type { EngineObserver } from '../engine/engineObserver.js';
import { keyHash, keyRest } from '../tables/flowKeyHash.js';

/** What comes to the table meanwhile is looked at as well. */
const pause = seconds(5);

type AdoptEngine = Pick<
  Engine,
  'catchUp' | 'external' | 'externalMode' | 'feed' | 'internal' | 'observe' | 'ports' | 'replicator'
>;

export class AdoptWork implements EngineObserver {
  /**
   * Flows committed so far, and those that the kernel refused, most of all because their reply
   * tuple is taken.
   */
  adopted = 0;
  refused = 0;
  readonly #engine: AdoptEngine;
  readonly #commits: Pick<CommitWork, 'merge'>;
  readonly #mastership: Mastership;
  readonly #former = new FormerMaster();
  #isRunning = false;
  #lookedAt: Microseconds | undefined;
  /** The claim is over: what came since the last look is looked at once more. */
  #isLastLook = false;

  constructor(engine: AdoptEngine, commits: Pick<CommitWork, 'merge'>, mastership: Mastership) {
    this.#engine = engine;
    this.#commits = commits;
    this.#mastership = mastership;
    engine.observe(this);
  }

  /** The peer says that it was MASTER until `endedAt`, or (undefined) nothing of that. */
  peerWasMaster(endedAt: Microseconds | undefined, now: Microseconds): void {
    // Flows that began there after its role had left are no leftovers, and are told all the same.
    const { since } = this.#mastership;
    if (endedAt === undefined && since !== undefined && this.#former.isOpen(now, since)) {
      this.#isLastLook = true;
    }
    this.#former.said(endedAt, now);
  }

  peerRestarted(): void {
    this.#former.forget();
    this.#lookedAt = undefined;
    this.#isLastLook = false;
  }

  tick(now: Microseconds): void {
    const { catchUp, externalMode } = this.#engine;
    const mastership = this.#mastership;
    const { since } = mastership;
    if (since === undefined || !mastership.isComplete) {
      this.#lookedAt = undefined;
      this.#isLastLook = false;
      return;
    }
    if (this.#isRunning || externalMode.committable === undefined || !catchUp.isCaughtUp) return;
    if (!this.#isLastLook && !this.#isDue(now, since)) return;
    this.#isLastLook = false;
    this.#lookedAt = now;
    void this.#adopt(since);
  }

  #isDue(now: Microseconds, since: Microseconds): boolean {
    if (!this.#former.isOpen(now, since)) return false;
    return this.#lookedAt === undefined || subtractTime(now, this.#lookedAt) >= pause;
  }

  async #adopt(since: Microseconds): Promise<void> {
    const { feed, replicator, ports } = this.#engine;
    const mastership = this.#mastership;
    const { ended } = mastership;
    this.#isRunning = true;
    try {
      const skip = this.#skipper(wholeSeconds(since));
      const { created, failed } = await this.#commits.merge(() => undefined, skip);
      this.adopted += created;
      this.refused += failed;
      if (created === 0) return;
      ports.logger.log('notice', 'committed flows that the returning peer had alone', {
        created,
        failed,
      });
      if (mastership.ended !== ended) return;
      // What was created is no news of the kernel's to the peer: its own socket did it.
      await feed.resync();
      if (mastership.ended === ended) replicator.startBulk('flows of the peer were committed');
    } catch (error) {
      ports.logger.log('error', 'flows of the returning peer could not be committed', {
        reason: errorText(error),
      });
    } finally {
      this.#isRunning = false;
    }
  }

  /** True for what is not to be committed. */
  #skipper(sinceSeconds: number): (slot: number) => boolean {
    const { external, internal } = this.#engine;
    const mastership = this.#mastership;
    const { ended } = mastership;
    const cursor = external.table.newCursor();
    return (slot) => {
      // Another role: what is left of this look is nothing to it.
      if (mastership.ended !== ended || mastership.since === undefined) return true;
      const flow = external.table.seek(slot, cursor);
      const told = {
        isHeld: internal.holds(flow) && !(isAnswered(flow) && internal.isUnanswered(flow)),
        hash: keyHash(flow, ended.seeds),
        rest: keyRest(flow, ended.seeds),
        toldAt: external.table.read(slot, recordWord.updated),
      };
      return !isAdopted(told, ended, sinceSeconds);
    };
  }
}
