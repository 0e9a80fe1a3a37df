/**
 * What a MASTER does that was not alone. The other's packets went past this kernel, so its TCP windows are stale, and
 * flows were opened that it does not know:
 *
 *   follow the peer: what it tells from now on is created where it is missing
 *   make all windows liberal, create what is known already  -> mergeReady: traffic may be drawn here
 *   the peer's whole table has arrived: look once more       -> merged; the peer is told what is here now
 *
 * Following goes on for a while: neighbours may still send to the other node, which forwards and opens flows until
 * they have learnt where the addresses are. What this kernel has is never written over.
 */
import { errorText } from '../../base/errors.js';
import {
  addTime,
  seconds,
  subtractTime,
  toMilliseconds,
  type Microseconds,
} from '../../base/time.js';
import type { Engine } from '../engine/engine.js';
import type { MergeSummary } from '../messages.js';

/** Neighbours keep an address for up to 45 s, but a gratuitous ARP reaches them at once. */
const followFurther = seconds(10);
/** The table of a peer that has died never comes; one that speaks may take its time. */
const silencePatience = seconds(10);
/** As long as the peer's purge waits for this merge. */
const longestWait = seconds(60);

interface Merge {
  readonly epoch: number;
  readonly startedAt: Microseconds;
  /** Set when all is merged. */
  followUntil: Microseconds | undefined;
  caughtUp: (() => void) | undefined;
  /** Since when the peer's table is waited for. */
  waitsSince: Microseconds | undefined;
}

export class MergeWork {
  readonly #engine: Engine;
  readonly #merged: (summary: MergeSummary) => void;
  readonly #abandoned: () => void;
  #current: Merge | undefined;
  /** Flows that looks at the external table created, of all merges that followed each other without a pause. */
  #created = 0;

  /** `merged` is called at the end of each merge that was not stopped, `abandoned` where one failed. */
  constructor(engine: Engine, merged: (summary: MergeSummary) => void, abandoned: () => void) {
    this.#engine = engine;
    this.#merged = merged;
    this.#abandoned = abandoned;
    engine.observe({
      tick: (now) => {
        this.#tick(now);
      },
    });
  }

  /** One that runs is followed by another. */
  start(epoch: number): void {
    this.#end();
    const { ports } = this.#engine;
    const merge: Merge = {
      epoch,
      startedAt: ports.clock.now(),
      followUntil: undefined,
      caughtUp: undefined,
      waitsSince: undefined,
    };
    this.#current = merge;
    this.#engine.askForAll('another node was MASTER meanwhile');
    this.#run(merge).catch((error: unknown) => {
      this.#failed(merge, error);
    });
  }

  /** Another role, or another epoch: nothing more is created. */
  stop(): void {
    this.#end();
    this.#created = 0;
    const { commits } = this.#engine;
    if (commits.following === 'merge') commits.stopFollowing();
  }

  /** The engine ends: a merge that has not ended fails, and may be begun again on the next engine. */
  close(): void {
    const merge = this.#current;
    this.stop();
    if (merge === undefined || merge.followUntil !== undefined) return;
    this.#engine.ports.report({ kind: 'mergeFailed', epoch: merge.epoch });
  }

  #failed(merge: Merge, error: unknown): void {
    const { logger, report } = this.#engine.ports;
    logger.log('error', 'merging the flows of the other MASTER failed', {
      because: errorText(error),
    });
    if (!this.#isCurrent(merge)) return;
    this.stop();
    this.#abandoned();
    report({ kind: 'mergeFailed', epoch: merge.epoch });
  }

  #end(): void {
    const merge = this.#current;
    this.#current = undefined;
    if (merge === undefined) return;
    merge.caughtUp?.();
  }

  #isCurrent(merge: Merge): boolean {
    return this.#current === merge;
  }

  async #run(merge: Merge): Promise<void> {
    const { commits, ports, externalMode } = this.#engine;
    const { epoch, startedAt } = merge;
    const progress = (): void => {
      if (this.#isCurrent(merge)) ports.report({ kind: 'mergeProgress', epoch });
    };
    this.#follow();
    await this.#untilDone(merge, () => commits.openWindows(progress));
    // With DisableExternalCache the peer's messages go to the kernel by themselves.
    const pass = async (): Promise<number> => {
      if (externalMode.committable === undefined) return 0;
      const found = await this.#untilDone(merge, () => commits.merge(progress));
      this.#created += found?.created ?? 0;
      return found?.failed ?? 0;
    };
    await pass();
    if (!this.#isCurrent(merge)) return;
    ports.report({ kind: 'mergeReady', epoch });
    await this.#peerTable(merge);
    const failed = await pass();
    if (!this.#isCurrent(merge)) return;
    const summary = {
      created: this.#created + commits.followed(),
      failed,
      durationMs: toMilliseconds(subtractTime(ports.clock.now(), startedAt)),
    };
    merge.followUntil = addTime(ports.clock.now(), followFurther);
    ports.logger.log('notice', 'merged the flows of the other MASTER', { ...summary });
    ports.report({ kind: 'merged', epoch, ...summary });
    this.#merged(summary);
    await this.#tellPeer(merge);
  }

  /** A takeover that is completed meanwhile cancels what runs. */
  async #untilDone<T extends { readonly cancelled: boolean }>(
    merge: Merge,
    work: () => Promise<T>,
  ): Promise<T | undefined> {
    while (this.#isCurrent(merge)) {
      const result = await work();
      if (!result.cancelled) return result;
    }
    return undefined;
  }

  #peerTable(merge: Merge): Promise<void> {
    if (this.#engine.catchUp.isCaughtUp) return Promise.resolve();
    merge.waitsSince = this.#engine.ports.clock.now();
    return new Promise((resolve) => {
      merge.caughtUp = resolve;
    });
  }

  /** What was created is no news of the kernel's to the peer: its own socket did it. */
  async #tellPeer(merge: Merge): Promise<void> {
    const { feed, replicator } = this.#engine;
    await feed.resync();
    if (this.#isCurrent(merge)) replicator.startBulk('flows of both masters are merged');
  }

  #follow(): void {
    const { commits, externalMode } = this.#engine;
    // During a takeover the peer's messages are followed already.
    const canFollow = externalMode.committable !== undefined && commits.following === undefined;
    if (canFollow) commits.follow('merge');
  }

  #tick(now: Microseconds): void {
    const merge = this.#current;
    if (merge === undefined) return;
    if (this.#engine.catchUp.isCaughtUp) merge.caughtUp?.();
    else this.#lookAtPatience(merge, now);
    if (merge.followUntil !== undefined && now >= merge.followUntil) {
      this.stop();
      return;
    }
    try {
      // The end of a takeover ends its own following.
      this.#follow();
    } catch (error) {
      this.#failed(merge, error);
    }
  }

  /** What is known of the peer by now is merged in any case. */
  #lookAtPatience(merge: Merge, now: Microseconds): void {
    const { waitsSince } = merge;
    if (waitsSince === undefined || merge.followUntil !== undefined) return;
    const { replicator, ports } = this.#engine;
    const heardAt = replicator.receiver.lastAcceptedAt ?? waitsSince;
    const silence = subtractTime(now, heardAt > waitsSince ? heardAt : waitsSince);
    if (silence < silencePatience && subtractTime(now, waitsSince) < longestWait) return;
    merge.waitsSince = undefined;
    ports.logger.log(
      'warning',
      'the table of the other MASTER did not come, what is known of it is merged',
    );
    merge.caughtUp?.();
  }
}
