/** Hands of a role runner whose works end when a test says so. */
import type { Microseconds } from '../../../src/base/time.js';
import type { Stance } from '../../../src/sync/local/internalCache.js';
import type { CommitSummary, MergeSummary } from '../../../src/sync/messages.js';
import { nothingCommitted } from '../../../src/sync/messages.js';
import type { PurgeOutcome } from '../../../src/sync/role/roleEvents.js';
import type { RoleHands } from '../../../src/sync/role/roleHands.js';
import type { PeerFacts } from '../../../src/sync/role/roleState.js';

export class ManualHands implements RoleHands {
  peer: PeerFacts = { isKeepstate: true, ability: 'compares', isCaughtUp: true };
  heardAt: Microseconds | undefined;
  following: 'takeover' | 'merge' | undefined;
  stance: Stance = 'own';
  purgeOutcome: PurgeOutcome = { kind: 'compared', removed: 0, neither: 0 };
  /** Flows that a pass of a merge creates. */
  created = 1;
  /** What was asked for, in order. */
  readonly done: string[] = [];
  /** Ends the commit that runs. */
  endCommit: ((entries: number | Error) => void) | undefined;
  readonly answers: (MergeSummary | undefined)[] = [];
  #running: Promise<unknown> = Promise.resolve();

  readonly mastership = {
    begin: (): void => void this.done.push('beginMastership'),
    complete: (): void => void this.done.push('completeMastership'),
    end: (): void => void this.done.push('endMastership'),
  };

  readonly notices = {
    tell: (): void => void this.done.push('tell'),
    forget: (): void => undefined,
    acknowledge: (merged: MergeSummary | undefined): void => void this.answers.push(merged),
    abandon: (): void => undefined,
  };

  times(what: string): number {
    return this.done.filter((one) => one === what).length;
  }

  facts(): PeerFacts {
    return this.peer;
  }

  bulkEntries(): number {
    return 0;
  }

  setStance(stance: Stance): void {
    this.stance = stance;
  }

  async stop(): Promise<void> {
    await this.#running;
  }

  commit(): Promise<CommitSummary> {
    this.done.push('commit');
    this.following = 'takeover';
    const commit = new Promise<CommitSummary>((resolve, reject) => {
      this.endCommit = (entries) => {
        if (entries instanceof Error) reject(entries);
        else resolve({ ...nothingCommitted, entries });
      };
    });
    this.#running = commit.catch(() => undefined);
    return commit;
  }

  followMerge(): void {
    this.following = 'merge';
  }

  stopFollowing(): number {
    this.following = undefined;
    return 0;
  }

  undo(): Promise<number> {
    this.done.push('undo');
    return Promise.resolve(0);
  }

  resync(): Promise<void> {
    this.done.push('resync');
    return Promise.resolve();
  }

  readLeftovers(): Promise<void> {
    return Promise.resolve();
  }

  renewLeftovers(): Promise<void> {
    return Promise.resolve();
  }

  dropLeftovers(): void {
    this.done.push('dropLeftovers');
  }

  purge(): Promise<PurgeOutcome> {
    this.done.push('purge');
    return Promise.resolve(this.purgeOutcome);
  }

  stopPurge(): void {
    this.done.push('stopPurge');
  }

  openWindows(): Promise<{ readonly cancelled: boolean }> {
    return Promise.resolve({ cancelled: false });
  }

  mergePass(): ReturnType<RoleHands['mergePass']> {
    this.done.push('mergePass');
    return Promise.resolve({ created: this.created, failed: 0, cancelled: false, followed: 0 });
  }

  startBulk(): void {
    this.done.push('startBulk');
  }

  clearExternal(): void {
    this.done.push('clearExternal');
  }

  askForAll(): void {
    this.done.push('askForAll');
  }

  checkContent(): void {
    this.done.push('checkContent');
  }

  sayWasMaster(): void {
    this.done.push('sayWasMaster');
  }
}
