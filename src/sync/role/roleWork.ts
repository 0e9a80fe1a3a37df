/**
 * What a role change asks of the engine, in order, each step tied to its epoch: work of an older epoch is
 * dropped, a commit of an older epoch is cancelled and awaited before the next thing begins.
 */
import { errorText } from '../../base/errors.js';
import type { Microseconds } from '../../base/time.js';
import type { Engine } from '../engine/engine.js';
import { FailureLog } from '../failureLog.js';
import { MergeWork } from './mergeWork.js';
import { nothingCommitted, type CommitSummary, type SyncCommand } from '../messages.js';
import { undoCommit } from './undoCommit.js';
import type { YieldNews } from '../peerChannel/yieldNews.js';

type BecomeBackup = Extract<SyncCommand, { kind: 'becomeBackup' }>;

interface CommitOutcome {
  readonly summary: CommitSummary;
  /** Not cancelled by a newer role: it could not be done. */
  readonly hasFailed: boolean;
}

export class RoleWork {
  readonly #engine: Engine;
  #epoch: number;
  /** The summary of the pre-commit that the next becomeMaster completes. */
  #prepared: CommitSummary | undefined;
  /** The epoch whose pre-commit runs. */
  #preCommitting: number | undefined;
  /** The role came while it ran. */
  #isAwaited = false;
  readonly #merging: MergeWork;
  readonly #yields: YieldNews | undefined;
  readonly #wasMaster: (until: Microseconds) => void;

  /**
   * `yields` and `wasMaster` are absent where the peer channel is off. What has an epoch before
   * `epoch` is out of date.
   */
  constructor(
    engine: Engine,
    yields: YieldNews | undefined,
    epoch: number,
    wasMaster: (until: Microseconds) => void = () => undefined,
  ) {
    this.#engine = engine;
    this.#wasMaster = wasMaster;
    this.#epoch = epoch;
    this.#yields = yields;
    this.#merging = new MergeWork(
      engine,
      (summary) => {
        yields?.settle(summary);
      },
      () => {
        yields?.abandon();
      },
    );
  }

  /** Commits and keeps following; a becomeMaster with `preCommitted` completes it. */
  async preCommit(epoch: number): Promise<void> {
    if (!this.#begin(epoch)) return;
    // A purge between this commit and the role would remove what was committed.
    this.#engine.purge.suspend();
    // Not this node's flows yet: the peer is not to hear of them, nor to miss them.
    this.#engine.internal.setStance('committingAhead');
    this.#preCommitting = epoch;
    const outcome = await this.#commit(epoch);
    if (this.#preCommitting === epoch) this.#preCommitting = undefined;
    if (outcome === undefined) return;
    const { hasFailed, summary: prepared } = outcome;
    const isCurrent = epoch === this.#epoch;
    // One that failed prepares nothing: the role commits anew.
    if (hasFailed && isCurrent && this.#isAwaited) {
      await this.#commitForRole(epoch);
      return;
    }
    if (isCurrent && !prepared.cancelled) this.#prepared = prepared;
    this.#report(epoch, prepared);
  }

  /** The role did not come. Ends early when it does after all. */
  async undoPreCommit(epoch: number): Promise<void> {
    if (!this.#begin(epoch)) return;
    const { commits, internal, purge, externalMode, settings } = this.#engine;
    // Followed until the undoing itself looks after what the peer ends.
    await commits.cancel();
    if (epoch < this.#epoch) return;
    commits.stopFollowing();
    const isBypassed = internal.fullTable === undefined;
    if (isBypassed) {
      // Nobody can tell which flows are this node's own: the purge takes what the other MASTER has in any case.
      purge.schedule(settings.purgeTimeout, true);
      purge.otherMasterHeard();
      await this.#engine.leftovers.begin();
      // With DisableExternalCache the peer's flows stand in the kernel anyway.
    } else if (externalMode.committable !== undefined) await this.#undo(epoch);
    if (epoch < this.#epoch) return;
    this.#countOwnAgain();
    if (!isBypassed) await this.#engine.leftovers.renew();
    if (epoch < this.#epoch) return;
    // Until the purge.
    if (isBypassed) internal.setStance('leavingAhead');
    purge.resume();
  }

  async #undo(epoch: number): Promise<void> {
    const { external, internal, feed, ports } = this.#engine;
    const failures = new FailureLog('a flow committed in advance could not be taken back', ports);
    try {
      const removed = await undoCommit({
        ...ports,
        external,
        internal: internal.table,
        onPort: (portId) => feed.addOwn(portId),
        isOver: () => epoch < this.#epoch,
        onFailure: (_slot, errno) => {
          failures.note(errno);
        },
      });
      ports.logger.log('info', 'flows committed in advance were taken back', { removed });
      // Own flows that the commit replaced bear other ids now.
      if (epoch === this.#epoch) await feed.resync();
    } catch (error) {
      ports.logger.log('error', 'flows committed in advance could not be taken back', {
        because: errorText(error),
      });
    }
  }

  async becomeMaster(epoch: number, preCommitted: boolean): Promise<void> {
    const prepared = this.#prepared;
    if (!this.#begin(epoch)) return;
    this.#yields?.forget();
    this.#engine.purge.cancel();
    this.#engine.leftovers.drop();
    this.#engine.mastership.begin(this.#engine.ports.clock.now());
    // Its report comes under the same epoch.
    if (preCommitted && this.#preCommitting === epoch) {
      this.#isAwaited = true;
      return;
    }
    if (preCommitted && prepared !== undefined && this.#engine.commits.following === 'takeover') {
      this.#report(epoch, prepared);
      return;
    }
    await this.#commitForRole(epoch);
  }

  async #commitForRole(epoch: number): Promise<void> {
    this.#countOwnAgain();
    const outcome = await this.#commit(epoch);
    if (outcome !== undefined) this.#report(epoch, outcome.summary);
  }

  #report(epoch: number, summary: CommitSummary): void {
    this.#engine.ports.report({ kind: 'committed', epoch, ...summary });
  }

  /** The VIPs are up: the caches start afresh and the peer is told everything. */
  async takeoverComplete(epoch: number, clearsExternal: boolean): Promise<void> {
    if (epoch < this.#epoch) return;
    this.#epoch = epoch;
    this.#prepared = undefined;
    const { commits, internal, external, replicator, ports } = this.#engine;
    commits.stopFollowing();
    await commits.cancel();
    this.#countOwnAgain();
    if (clearsExternal) external.clear(true);
    await this.#resync();
    if (epoch < this.#epoch) return;
    this.#engine.mastership.complete();
    replicator.startBulk('this node is MASTER');
    ports.report({ kind: 'takeoverDone', epoch, bulkEntries: internal.table.alive });
  }

  async becomeBackup({ epoch, peerHeard, yieldedAfter }: BecomeBackup): Promise<void> {
    if (!this.#begin(epoch)) return;
    this.#leaveRole();
    const { commits, purge, settings } = this.#engine;
    this.#countOwnAgain();
    // Before the wait: what is heard of another MASTER during it counts.
    purge.cancel();
    commits.stopFollowing();
    await commits.cancel();
    if (epoch < this.#epoch) return;
    purge.schedule(settings.purgeTimeout, true);
    void this.#engine.leftovers.begin();
    this.#findMissed();
    if (peerHeard) purge.otherMasterHeard();
    if (yieldedAfter !== undefined) this.#yields?.gaveWay(yieldedAfter);
    this.#engine.askForAll('this node is BACKUP');
  }

  async becomeFault(epoch: number): Promise<void> {
    if (!this.#begin(epoch)) return;
    this.#leaveRole();
    const { commits, purge, settings } = this.#engine;
    this.#countOwnAgain();
    // Before the wait: what is heard of another MASTER during it counts.
    purge.cancel();
    commits.stopFollowing();
    await commits.cancel();
    if (epoch < this.#epoch) return;
    purge.schedule(settings.purgeTimeout, true);
    void this.#engine.leftovers.begin();
    this.#findMissed();
  }

  /** The engine ends: nothing more is begun on it. */
  close(): void {
    this.#merging.close();
    this.#engine.purge.cancel();
  }

  otherMasterHeard(epoch: number): void {
    if (epoch >= this.#epoch) this.#engine.purge.otherMasterHeard();
  }

  /** Both were MASTER: fetch what the other has, and create what is missing here. */
  mergeAfterSplit(epoch: number): void {
    if (epoch < this.#epoch) return;
    this.#epoch = epoch;
    this.#merging.start(epoch);
  }

  yieldIgnored(): void {
    this.#yields?.settle(undefined);
  }

  /** A takeover that came to nothing: flows that began during its commit are still to be found. */
  #findMissed(): void {
    if (this.#engine.feed.hasMissed) void this.#resync();
  }

  async #resync(): Promise<void> {
    const { feed, ports } = this.#engine;
    try {
      await feed.resync();
    } catch (error) {
      ports.logger.log('error', 'resync with the kernel failed', { because: errorText(error) });
    }
  }

  #leaveRole(): void {
    const { mastership, ports } = this.#engine;
    if (mastership.end()) this.#wasMaster(ports.clock.now());
  }

  /** What this node commits from now on is its own. */
  #countOwnAgain(): void {
    this.#engine.internal.setStance('own');
  }

  #begin(epoch: number): boolean {
    if (epoch < this.#epoch) return false;
    this.#epoch = epoch;
    this.#prepared = undefined;
    this.#isAwaited = false;
    this.#merging.stop();
    this.#yields?.abandon();
    return true;
  }

  /** Undefined where a newer epoch began before. */
  async #commit(epoch: number): Promise<CommitOutcome | undefined> {
    const { commits, ports, externalMode } = this.#engine;
    await commits.cancel();
    if (epoch < this.#epoch) return undefined;
    if (externalMode.committable === undefined)
      return { summary: nothingCommitted, hasFailed: false };
    try {
      // It has begun: the deadline of whoever waits counts from here.
      ports.report({ kind: 'commitProgress', epoch, committed: 0 });
      commits.follow('takeover');
      const summary = await commits.commit({
        table: 'all',
        onExisting: 'replace',
        isUnheard: true,
        onProgress: (committed) => {
          ports.report({ kind: 'commitProgress', epoch, committed });
        },
      });
      return { summary, hasFailed: false };
    } catch (error) {
      ports.logger.log('error', 'the commit failed', { because: errorText(error) });
      return { summary: { ...nothingCommitted, cancelled: true }, hasFailed: true };
    }
  }
}
