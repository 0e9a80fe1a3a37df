/**
 * The sync worker of one node while an event is handled: the real role machine, and works that
 * succeed without flows. A work is answered by an event of its own, so that everything else may
 * come before it.
 */
import { microseconds, seconds, subtractTime } from '../../../src/base/time.js';
import { toCoordinator } from '../../../src/daemon/worker/syncReports.js';
import { nothingCommitted, type SyncCommand } from '../../../src/sync/messages.js';
import { roleStep } from '../../../src/sync/role/machine.js';
import type { RoleAction } from '../../../src/sync/role/roleActions.js';
import type { RoleEvent, RoleTimer } from '../../../src/sync/role/roleEvents.js';
import type { PeerFacts, RoleSettings, RoleState } from '../../../src/sync/role/roleState.js';
import type { RoleInput } from '../../../src/sync/role/runner.js';
import { other, type NodeIndex, type Report } from './clusterState.js';
import type { World } from './nodeRun.js';

/** The purge is due soon, so that it falls on the quarters of a second too. */
const roleSettings: RoleSettings = {
  purgeTimeout: seconds(1),
  internalBypass: false,
  injectsDirectly: false,
};
/** What a commit may take: nothing, or longer than addresses wait for it. */
export const commitDelays = [0, 1_500_000] as const;
/** A MASTER that gave way says so twice a second, until it is answered. */
const storyPeriod = 500_000;
const nothingMerged = { created: 0, failed: 0, durationMs: 0 } as const;

/** What the worker keeps besides its role. */
export interface WorkerState {
  readonly role: RoleState;
  /** The peer was asked for its table and has not sent it yet. */
  readonly awaitsTable: boolean;
  readonly hasTable: boolean;
  /** The story of the peer that is being worked on. */
  readonly heardStory: number | undefined;
}

type WithoutDue<R> = R extends unknown ? Omit<R, 'due'> : never;

/** What the node does for its worker. */
export interface WorkerPorts {
  later(delay: number, report: WithoutDue<Report>): void;
  startTimer(key: string, delay: number): void;
  stopTimer(key: string): void;
}

export class WorkerRun {
  readonly #index: NodeIndex;
  readonly #world: World;
  readonly #ports: WorkerPorts;
  #state: WorkerState;
  readonly #inputs: RoleInput[] = [];
  #isStepping = false;

  constructor(index: NodeIndex, state: WorkerState, world: World, ports: WorkerPorts) {
    this.#index = index;
    this.#state = state;
    this.#world = world;
    this.#ports = ports;
  }

  get state(): WorkerState {
    return this.#state;
  }

  input(input: RoleInput): void {
    this.#inputs.push(input);
    if (this.#isStepping) return;
    this.#isStepping = true;
    for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift()) {
      this.lookAtPeer();
      this.#step(next);
    }
    this.#isStepping = false;
  }

  /** A command of the coordinator; what is no matter of the role is done by nobody. */
  handle(command: SyncCommand): void {
    switch (command.kind) {
      case 'becomeBackup': {
        const { kind, epoch, peerHeard, yieldedAfter: masterFor } = command;
        const gaveWay = masterFor === undefined ? {} : { stepDown: { masterFor, token: epoch } };
        this.input({ kind, epoch, peerHeard, ...gaveWay });
        return;
      }
      case 'preCommit':
      case 'undoPreCommit':
      case 'becomeMaster':
      case 'takeoverComplete':
      case 'becomeFault':
      case 'otherMasterHeard':
      case 'mergeAfterSplit':
      case 'yieldIgnored':
      case 'yieldUnproven':
        this.input(command);
        return;
      default:
        return;
    }
  }

  /** The peer's whole table has come. */
  tableArrived(): void {
    this.#state = { ...this.#state, awaitsTable: false, hasTable: true };
    this.#ports.later(0, { to: 'coordinator', event: { kind: 'caughtUp' } });
    this.lookAtPeer();
  }

  /** The peer says that it gave way; the same story again is no news. */
  hearStory(token: number, event: Extract<Report, { to: 'coordinator' }>['event']): void {
    if (this.#state.heardStory === token) return;
    this.#state = { ...this.#state, heardStory: token };
    this.#ports.later(0, { to: 'coordinator', event });
  }

  ring(timer: string): void {
    if (timer === 'story') this.#tellStory();
    // The key was written by #carryOut.
    else this.input({ kind: 'timer', timer: timer as RoleTimer });
  }

  lookAtPeer(): void {
    const isKeepstate = this.#world.isAlive(other(this.#index));
    const ability = isKeepstate ? 'compares' : 'unknown';
    const facts: PeerFacts = { isKeepstate, ability, isCaughtUp: this.#state.hasTable };
    const { peer } = this.#state.role;
    const isSame =
      peer.isKeepstate === facts.isKeepstate &&
      peer.ability === facts.ability &&
      peer.isCaughtUp === facts.isCaughtUp;
    if (!isSame) this.#step({ kind: 'peer', ...facts });
  }

  #step(input: RoleInput): void {
    // The parts of a union, each with its time added, are that union again.
    const event = { ...input, at: microseconds(this.#world.now) } as RoleEvent;
    const { state, actions } = roleStep(this.#state.role, event, roleSettings);
    this.#state = { ...this.#state, role: state };
    for (const action of actions) this.#carryOut(action);
  }

  #carryOut(action: RoleAction): void {
    switch (action.kind) {
      case 'startTimer':
        this.#ports.startTimer(`role ${action.timer}`, action.duration);
        return;
      case 'stopTimer':
        this.#ports.stopTimer(`role ${action.timer}`);
        return;
      case 'report': {
        const event = toCoordinator(action.report, () => false);
        if (event !== undefined) this.#ports.later(0, { to: 'coordinator', event });
        return;
      }
      case 'askForAll':
        this.#state = { ...this.#state, awaitsTable: true, hasTable: false };
        return;
      case 'stopFollowing':
        if (action.isCounted) this.#inputs.push({ kind: 'followed', created: 0 });
        return;
      case 'tellStepDown':
        this.#tellStory();
        return;
      case 'forgetStepDown':
        this.#ports.stopTimer('role story');
        return;
      case 'answerNotice':
        this.#world.answerStory(other(this.#index), action.merged !== undefined);
        return;
      case 'abandonNotice':
        this.#state = { ...this.#state, heardStory: undefined };
        return;
      default:
        this.#work(action);
    }
  }

  /** What is answered by a report of its number. */
  #work(action: RoleAction): void {
    if (!('work' in action)) return;
    const { work } = action;
    const answer = (event: RoleInput, delay = 0): void => {
      this.#ports.later(delay, { to: 'worker', event });
    };
    switch (action.kind) {
      case 'stop':
        answer({ kind: 'stopped', work });
        return;
      case 'commit': {
        const delay = commitDelays[this.#world.choose(commitDelays.length)] ?? 0;
        const { epoch } = action;
        answer({ kind: 'committed', work, epoch, summary: nothingCommitted }, delay);
        return;
      }
      case 'undo':
        answer({ kind: 'undone', work, removed: 0 });
        return;
      case 'resync':
        answer({ kind: 'resynced', work });
        return;
      case 'readLeftovers':
      case 'renewLeftovers':
        answer({ kind: 'leftoversRead', work });
        return;
      case 'purge': {
        const isThere = this.#world.isAlive(other(this.#index));
        const because = 'the peer is silent';
        const compared = { kind: 'compared', removed: 0, neither: 0 } as const;
        const outcome = isThere ? compared : ({ kind: 'undecided', because } as const);
        answer({ kind: 'purgeEnded', work, outcome });
        return;
      }
      case 'openWindows':
        answer({ kind: 'windowsOpened', work, cancelled: false });
        return;
      case 'mergePass':
        answer({ kind: 'mergePassed', work, created: 0, failed: 0, cancelled: false, followed: 0 });
        return;
    }
  }

  #tellStory(): void {
    const { stepDown } = this.#state.role;
    if (stepDown === undefined) return;
    this.#ports.startTimer('role story', storyPeriod);
    const { token, masterFor, endedAt } = stepDown;
    const ago = subtractTime(microseconds(this.#world.now), endedAt);
    const name = `node ${this.#index}`;
    const event = { kind: 'peerYielded', name, masterFor, ago } as const;
    this.#world.tellStory(other(this.#index), token, event);
  }

  /** The MASTER to which this node gave way knows it. */
  storyAnswered(wasMerged: boolean): void {
    const merged = wasMerged ? { merged: nothingMerged } : {};
    this.#ports.later(0, { to: 'worker', event: { kind: 'stepDownAnswered', ...merged } });
  }
}
