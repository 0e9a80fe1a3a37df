/**
 * The role of this node on one engine: builds the works, the hands and the runner of the role
 * machine, and joins them to the engine. What the next engine takes along is `close`d into it.
 */
import type { FlowCursor } from '../../conntrack/record/flowRecord.js';
import type { Microseconds } from '../../base/time.js';
import { Mastership } from '../comparison/mastership.js';
import type { OwnRole } from '../comparison/ownRole.js';
import type { EngineObserver } from '../engine/engineObserver.js';
import { AdoptWork } from './adoptWork.js';
import { CommitWork } from './commitWork.js';
import { EngineHands, type RoleEngine, type RolePeer } from './engineHands.js';
import { LeftoverWork } from './leftoverWork.js';
import { PurgeWork } from './purgeWork.js';
import { initialRole, type PurgeView, type RoleSettings, type RoleState } from './roleState.js';
import { RoleRunner, type RoleInput } from './runner.js';

/** What an engine that is started afresh takes along. */
export interface InheritedRole {
  readonly state: RoleState;
  readonly mastership: Mastership;
}

export class NodeRole implements EngineObserver, OwnRole {
  readonly commits: CommitWork;
  readonly mastership: Mastership;
  readonly leftovers: LeftoverWork;
  readonly #engine: RoleEngine;
  readonly #purge: PurgeWork;
  readonly #adoption: AdoptWork;
  readonly #inherited: RoleState;
  readonly #record: ((line: object) => void) | undefined;
  /** Present once the engine begins. */
  #runner: RoleRunner | undefined;

  /** For an engine that is built and not started yet. */
  constructor(engine: RoleEngine, inherited?: InheritedRole, record?: (line: object) => void) {
    const { ports, names, filter, internal, external } = engine;
    this.#engine = engine;
    this.#inherited = inherited?.state ?? initialRole;
    this.#record = record;
    const isInjected = (flow: FlowCursor): boolean => engine.externalMode.injected.holds(flow);
    const common = { names, filter, isInjected, feed: () => engine.feed, ...ports };
    this.mastership = new Mastership(ports.random, internal, inherited?.mastership);
    this.#purge = new PurgeWork(common);
    this.commits = new CommitWork({
      settings: () => engine.settings,
      internal,
      external,
      feed: () => engine.feed,
      ...ports,
    });
    this.leftovers = new LeftoverWork({
      ...common,
      isPeerMaster: () => this.state.purge.isMasterHeard && engine.announcesEnds(ports.clock.now()),
      endsHere: (flow) => {
        internal.endHere(flow);
      },
    });
    this.#adoption = new AdoptWork(engine, this.commits, this.mastership);
    internal.onTouched((flow) => {
      this.leftovers.touched(flow);
    });
    external.onDeleted((flow) => {
      this.leftovers.peerEnded(flow);
    });
    engine.observe(this);
  }

  get state(): RoleState {
    return this.#runner?.state ?? this.#inherited;
  }

  /** Flows of the peer that were committed here; undefined where there were none. */
  get adopted(): { readonly entries: number; readonly refused: number } | undefined {
    const { adopted: entries, refused } = this.#adoption;
    return entries + refused === 0 ? undefined : { entries, refused };
  }

  get purgeView(): PurgeView | undefined {
    return this.state.purge.view;
  }

  get isPurgePending(): boolean {
    const { due, waitsForMaster } = this.state.purge;
    return due !== undefined && waitsForMaster;
  }

  /** The machine learns that the engine is there; before this nothing is decided. */
  begin(peer: RolePeer | undefined): void {
    const { commits, leftovers, mastership } = this;
    const hands = new EngineHands(this.#engine, {
      ...{ commits, leftovers, mastership, peer },
      purge: this.#purge,
    });
    const { ports } = this.#engine;
    const record = this.#record;
    this.#runner = new RoleRunner(
      hands,
      { ...ports, ...(record === undefined ? {} : { record }) },
      () => this.#settings(),
      this.#inherited,
    );
    this.#runner.input({ kind: 'engineStarted' });
  }

  input(event: RoleInput): void {
    this.#runner?.input(event);
  }

  /** Resolves when nothing is committed in advance any more, nor being done for a role. */
  async rest(): Promise<void> {
    await this.#runner?.rest();
    await this.commits.settled();
  }

  /**
   * Removes what passes the filter from the kernel at once; number of flows. Failures are logged.
   */
  flushKernel(what: string): Promise<number> {
    return this.#purge.flush(what);
  }

  /** The peer says that it was MASTER until `endedAt`, or (undefined) nothing of that. */
  peerWasMaster(endedAt: Microseconds | undefined, now: Microseconds): void {
    this.#adoption.peerWasMaster(endedAt, now);
  }

  tick(): void {
    this.#runner?.tick();
    this.commits.rehearse();
  }

  isBusy(): boolean {
    return this.commits.isRunning || this.commits.following !== undefined;
  }

  /** The engine ends: nothing more is begun on it. */
  close(): InheritedRole {
    const state = this.#runner?.close() ?? this.#inherited;
    return { state, mastership: this.mastership };
  }

  async engineEnds(): Promise<void> {
    this.commits.stopFollowing();
    this.leftovers.drop();
    await this.commits.cancel();
  }

  #settings(): RoleSettings {
    const { settings, internal, externalMode } = this.#engine;
    return {
      purgeTimeout: settings.purgeTimeout,
      internalBypass: internal.fullTable === undefined,
      injectsDirectly: externalMode.committable === undefined,
    };
  }
}
