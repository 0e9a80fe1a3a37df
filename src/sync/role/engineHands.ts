/** The role runner's hands on a real engine: kernel, caches, replication and the peer. */
import type { Microseconds } from '../../base/time.js';
import type { ComparingPeer } from '../comparison/comparedPurge.js';
import type { Mastership } from '../comparison/mastership.js';
import type { Engine } from '../engine/engine.js';
import { FailureLog } from '../failureLog.js';
import type { Stance } from '../local/internalCache.js';
import type { CommitSummary } from '../messages.js';
import type { CommitWork, MergePass } from './commitWork.js';
import type { LeftoverWork } from './leftoverWork.js';
import type { PurgeWork } from './purgeWork.js';
import type { PurgeOutcome } from './roleEvents.js';
import type { Notices, RoleHands } from './roleHands.js';
import type { PeerFacts } from './roleState.js';
import { undoCommit } from './undoCommit.js';

export type RoleEngine = Pick<
  Engine,
  | 'announcesEnds'
  | 'askForAll'
  | 'catchUp'
  | 'check'
  | 'external'
  | 'externalMode'
  | 'feed'
  | 'filter'
  | 'internal'
  | 'names'
  | 'observe'
  | 'ports'
  | 'replicator'
  | 'settings'
>;

/** What the peer channel does for a role. */
export interface RolePeer extends ComparingPeer {
  readonly notices: Notices;
  isKeepstate(now: Microseconds): boolean;
  /** The hello says it while leftovers are kept. */
  wasMaster(until: Microseconds): void;
}

export interface HandParts {
  readonly commits: CommitWork;
  readonly leftovers: LeftoverWork;
  readonly purge: PurgeWork;
  readonly mastership: Mastership;
  /** Absent where the peer channel is off. */
  readonly peer: RolePeer | undefined;
}

export class EngineHands implements RoleHands {
  readonly mastership: Mastership;
  readonly notices: Notices | undefined;
  readonly #engine: RoleEngine;
  readonly #parts: HandParts;
  /** The last commit before those in advance, which may be taken back. */
  #standing: CommitWork['last'];
  /** The taking back that runs. */
  #undoing: { isOver: boolean; readonly done: Promise<unknown> } | undefined;

  constructor(engine: RoleEngine, parts: HandParts) {
    this.#engine = engine;
    this.#parts = parts;
    this.mastership = parts.mastership;
    this.notices = parts.peer?.notices;
  }

  facts(): PeerFacts {
    const { peer } = this.#parts;
    const { isCaughtUp } = this.#engine.catchUp;
    // Without a peer channel nobody can list its flows.
    if (peer === undefined) return { isKeepstate: false, ability: 'cannot', isCaughtUp };
    const now = this.#engine.ports.clock.now();
    return { isKeepstate: peer.isKeepstate(now), ability: peer.ability(), isCaughtUp };
  }

  get heardAt(): Microseconds | undefined {
    return this.#engine.replicator.receiver.lastAcceptedAt;
  }

  get following(): 'takeover' | 'merge' | undefined {
    return this.#parts.commits.following;
  }

  bulkEntries(): number {
    return this.#engine.internal.table.alive;
  }

  setStance(stance: Stance): void {
    if (stance === 'committingAhead') this.#standing = this.#parts.commits.last;
    this.#engine.internal.setStance(stance);
  }

  async stop(): Promise<void> {
    const undoing = this.#undoing;
    if (undoing !== undefined) undoing.isOver = true;
    await this.#parts.commits.cancel();
    await undoing?.done;
  }

  commit(onProgress: (committed: number) => void): Promise<CommitSummary> {
    const { commits } = this.#parts;
    commits.follow('takeover');
    return commits.commit({ table: 'all', onExisting: 'replace', isUnheard: true, onProgress });
  }

  followMerge(): void {
    this.#parts.commits.follow('merge');
  }

  stopFollowing(): number {
    const created = this.#parts.commits.followed();
    this.#parts.commits.stopFollowing();
    return created;
  }

  undo(): Promise<number> {
    const { external, internal, feed, ports } = this.#engine;
    const { commits } = this.#parts;
    const failures = new FailureLog('a flow committed in advance could not be taken back', ports);
    const state = { isOver: false };
    const removed = undoCommit({
      ...ports,
      external,
      internal: internal.table,
      onPort: (portId) => feed.addOwn(portId),
      isOver: () => state.isOver,
      onFailure: (_slot, errno) => {
        failures.note(errno);
      },
    });
    const done = removed.then(
      () => {
        if (!state.isOver) commits.last = this.#standing;
      },
      () => undefined,
    );
    this.#undoing = Object.assign(state, { done });
    return removed;
  }

  async resync(): Promise<void> {
    await this.#engine.feed.resync();
  }

  readLeftovers(): Promise<void> {
    return this.#parts.leftovers.begin();
  }

  renewLeftovers(): Promise<void> {
    return this.#parts.leftovers.renew();
  }

  dropLeftovers(): void {
    this.#parts.leftovers.drop();
  }

  purge(by: 'content' | 'completion'): Promise<PurgeOutcome> {
    const { purge, peer } = this.#parts;
    return by === 'completion' ? purge.removeAll() : purge.removeCompared(peer);
  }

  stopPurge(): void {
    this.#parts.purge.stop();
  }

  openWindows(onProgress: () => void): Promise<{ readonly cancelled: boolean }> {
    return this.#parts.commits.openWindows(onProgress);
  }

  async mergePass(onProgress: () => void): Promise<MergePass & { readonly followed: number }> {
    const { commits } = this.#parts;
    const pass = await commits.merge(onProgress);
    return { ...pass, followed: commits.followed() };
  }

  startBulk(because: string): void {
    this.#engine.replicator.startBulk(because);
  }

  clearExternal(): void {
    this.#engine.external.clear(true);
  }

  askForAll(because: string): void {
    this.#engine.askForAll(because);
  }

  checkContent(): void {
    this.#engine.check.roleChanged();
  }

  sayWasMaster(until: Microseconds): void {
    this.#parts.peer?.wasMaster(until);
  }
}
