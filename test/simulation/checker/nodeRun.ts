/**
 * One node while an event is handled: the VRRP machine and the coordinator, joined as
 * src/daemon/node.ts joins them, and the worker (workerRun.ts). Whatever the world may decide on
 * the way (a datagram is lost, a commit is slow) is asked of `choose`.
 */
import { formatIp } from '../../../src/base/ipAddress.js';
import { microseconds } from '../../../src/base/time.js';
import type { CoordinatorInput } from '../../../src/coordinator/runner.js';
import { coordinatorStep } from '../../../src/coordinator/step.js';
import {
  initialCoordinator,
  type CoordinatorAction,
  type CoordinatorEvent,
  type CoordinatorState,
} from '../../../src/coordinator/vocabulary.js';
import { peersTimeout, slowestPeerTimeout } from '../../../src/vrrp/machine/timing.js';
import type { UnitAction } from '../../../src/vrrp/machine/actions.js';
import type { UnitEvent } from '../../../src/vrrp/machine/events.js';
import { unitStep } from '../../../src/vrrp/machine/unit.js';
import { initialUnit, type UnitState } from '../../../src/vrrp/machine/state.js';
import { advertOf } from '../../../src/vrrp/wire/advert.js';
import { encodeAdvert } from '../../../src/vrrp/wire/packet.js';
import {
  addressOf,
  coordinatorSettings,
  memberNames,
  other,
  unitSettingsOf,
  type MemberName,
  type Message,
  type NodeIndex,
  type NodeState,
  type Report,
} from './clusterState.js';
import { WorkerRun } from './workerRun.js';

type WithoutTime<E> = E extends unknown ? Omit<E, 'at'> : never;
type UnitInput = WithoutTime<UnitEvent>;

/** One of `count` ways in which things may go; 0 is the quiet one. */
export type Choose = (count: number) => number;

/** What a datagram may do: arrive at once, get lost, come half a second late. */
export const datagramDelays = [0, undefined, 500_000] as const;

/** What a node asks of the world around it. */
export interface World {
  readonly now: number;
  readonly choose: Choose;
  send(message: Message): void;
  /** Datagrams that have arrived at this member and were not read yet. */
  takeArrived(to: NodeIndex, member: MemberName): readonly Message[];
  isAlive(node: NodeIndex): boolean;
  /** The peer channel: that a MASTER gave way, and the answer. */
  tellStory(to: NodeIndex, token: number, event: CoordinatorInput): void;
  answerStory(to: NodeIndex, wasMerged: boolean): void;
}

export class NodeRun {
  readonly index: NodeIndex;
  readonly #world: World;
  #state: NodeState;
  #unit: UnitState;
  #coordinator: CoordinatorState;
  readonly #timers: Record<string, number>;
  #reports: readonly Report[];
  readonly #worker: WorkerRun;
  readonly #vips: Set<MemberName>;
  readonly #unitInputs: UnitInput[] = [];
  readonly #coordinatorInputs: CoordinatorInput[] = [];
  #unitIsStepping = false;
  #coordinatorIsStepping = false;

  constructor(index: NodeIndex, state: NodeState, world: World) {
    this.index = index;
    this.#world = world;
    this.#state = state;
    this.#unit = state.unit;
    this.#coordinator = state.coordinator;
    this.#timers = { ...state.timers };
    this.#reports = state.reports;
    this.#vips = new Set(state.vips);
    this.#worker = new WorkerRun(index, state.worker, world, {
      later: (delay, report) => {
        // The parts of a union, each with its time added, are that union again.
        const timed = { ...report, due: world.now + delay } as Report;
        this.#reports = [...this.#reports, timed];
      },
      startTimer: (key, delay) => (this.#timers[key] = world.now + delay),
      stopTimer: (key) => Reflect.deleteProperty(this.#timers, key),
    });
  }

  get worker(): WorkerRun {
    return this.#worker;
  }

  finish(): NodeState {
    return {
      ...this.#state,
      unit: this.#unit,
      coordinator: this.#coordinator,
      worker: this.#worker.state,
      timers: this.#timers,
      reports: this.#reports,
      vips: memberNames.filter((name) => this.#vips.has(name)),
    };
  }

  // ---- what happens

  /** The process starts: with what a crash has left in the kernel and in role.json. */
  start(): void {
    const { now } = this.#world;
    const settings = unitSettingsOf[this.index];
    const { lastAdvert } = this.#state;
    const silence = lastAdvert === undefined ? Infinity : now - lastAdvert;
    const within = (timeoutOf: typeof peersTimeout, combine: typeof Math.min): boolean =>
      silence < combine(...settings.members.map(timeoutOf));
    const resumes = within(peersTimeout, Math.min);
    const isAwaited = !resumes && within(slowestPeerTimeout, Math.max);
    this.#state = { ...this.#state, isAlive: true, lastAdvert: undefined };
    this.#unit = initialUnit(settings, microseconds(now));
    this.#coordinator = initialCoordinator;
    if (!resumes) this.#vips.clear();
    for (const name of memberNames) {
      const sourceAddress = addressOf(this.index, name);
      const conditions = { faults: [], awaiting: [], contributions: [], sourceAddress };
      this.#unitInput({ kind: 'conditions', instance: name, conditions });
    }
    this.#unitInput({ kind: 'start', resumeMaster: resumes });
    if (isAwaited) this.#unitInput({ kind: 'goodbye' });
    this.#worker.input({ kind: 'engineStarted' });
    if (lastAdvert !== undefined && !resumes) {
      this.#worker.input({ kind: 'wasMaster', until: microseconds(lastAdvert) });
    }
    this.#coordinatorInput({ kind: 'workerReady' });
    this.#coordinatorInput({ kind: 'peer', peerKind: 'keepstate', isSynchronised: true });
  }

  ring(key: string, due: number): void {
    Reflect.deleteProperty(this.#timers, key);
    const [name = '', member = ''] = key.split(' ');
    if (name === 'coordinator') {
      // The key was written by #startCoordinatorTimer.
      const timer = member as Extract<CoordinatorInput, { kind: 'timer' }>['timer'];
      this.#coordinatorInput({ kind: 'timer', timer });
      return;
    }
    if (name === 'role') {
      this.#worker.ring(member);
      return;
    }
    const timer = name as Extract<UnitEvent, { kind: 'timer' }>['timer'];
    this.#unitInput({ kind: 'timer', instance: member, timer, due: microseconds(due) });
  }

  receive({ member, datagram }: Message): void {
    this.#unitInput({ kind: 'datagram', instance: member, datagram });
  }

  report(report: Report): void {
    this.#reports = this.#reports.filter((one) => one !== report);
    switch (report.to) {
      case 'coordinator':
        this.#coordinatorInput(report.event);
        return;
      case 'worker':
        this.#worker.input(report.event);
        return;
      case 'table':
        this.#worker.tableArrived();
        return;
    }
  }

  /** The peer came or went, or sends its table. */
  lookAtPeer(): void {
    const { awaitsTable } = this.#worker.state;
    const isThere = this.#world.isAlive(other(this.index));
    const isComing = this.#reports.some(({ to }) => to === 'table');
    if (awaitsTable && isThere && !isComing) {
      this.#reports = [...this.#reports, { due: this.#world.now, to: 'table' }];
    }
    this.#worker.lookAtPeer();
  }

  // ---- VRRP

  #unitInput(input: UnitInput): void {
    this.#unitInputs.push(input);
    if (this.#unitIsStepping) return;
    this.#unitIsStepping = true;
    for (let next = this.#unitInputs.shift(); next !== undefined; next = this.#unitInputs.shift()) {
      // The parts of a union, each with its time added, are that union again.
      const event = { ...next, at: microseconds(this.#world.now) } as UnitEvent;
      const { state, actions } = unitStep(this.#unit, event, unitSettingsOf[this.index]);
      this.#unit = state;
      for (const action of actions) this.#carryOut(action);
      if (event.kind === 'datagram') this.#lookAtOtherMaster();
    }
    this.#unitIsStepping = false;
  }

  #carryOut(action: UnitAction): void {
    switch (action.kind) {
      case 'sendAdvert':
        this.#send(action.instance as MemberName, action.priority);
        return;
      case 'startTimer':
        this.#timers[`${action.timer} ${action.instance}`] = this.#world.now + action.duration;
        return;
      case 'stopTimer':
        Reflect.deleteProperty(this.#timers, `${action.timer} ${action.instance}`);
        return;
      case 'drainSockets': {
        const arrived = this.#world.takeArrived(this.index, action.instance as MemberName);
        for (const { member, datagram } of arrived) {
          this.#unitInputs.push({ kind: 'datagram', instance: member, datagram });
        }
        this.#unitInputs.push({ kind: 'drained', instance: action.instance });
        return;
      }
      case 'addVips':
        this.#vips.add(action.instance as MemberName);
        this.#reportVips();
        return;
      case 'removeVips':
        this.#vips.delete(action.instance as MemberName);
        return;
      case 'roleChanged': {
        const { to, because, epoch, vipsWait, isResumed, yieldedTo } = action;
        const change = { to, because, vipsWait, isResumed, unitEpoch: epoch };
        const yielded = yieldedTo === undefined ? {} : { yieldedTo };
        this.#coordinatorInput({ kind: 'roleChanged', ...change, ...yielded });
        if (to === 'MASTER') this.#reportVips();
        return;
      }
      case 'preemptionWanted':
        this.#coordinatorInput({ kind: 'preemptionWanted', unitEpoch: action.epoch });
        return;
      case 'preemptionWithdrawn':
        this.#coordinatorInput({ kind: 'preemptionWithdrawn', because: action.because });
        return;
      case 'masterSilent':
        this.#coordinatorInput({ kind: 'masterSilent' });
        return;
      case 'otherMasterSeen': {
        const address = formatIp(action.from);
        this.#coordinatorInput({ kind: 'otherMasterSeen', because: address, address });
        return;
      }
      default:
        return;
    }
  }

  #send(member: MemberName, priority: number): void {
    const settings = unitSettingsOf[this.index].members[memberNames.indexOf(member)];
    if (settings === undefined) throw new Error(`no member ${member}`);
    const source = addressOf(this.index, member);
    const destination = settings.multicastGroup;
    const payload = encodeAdvert(advertOf(settings, priority), { source, destination });
    const datagram = { source, destination, ttl: 255, totalLength: 20 + payload.length, payload };
    const delay = datagramDelays[this.#world.choose(datagramDelays.length)];
    if (delay === undefined) return;
    this.#world.send({ due: this.#world.now + delay, to: other(this.index), member, datagram });
  }

  #reportVips(): void {
    if (this.#vips.size === memberNames.length) this.#coordinatorInput({ kind: 'vipsUp' });
  }

  /** The node's tick: another router is MASTER, or says that it leaves. */
  #lookAtOtherMaster(): void {
    if (this.#unit.role === 'MASTER') return;
    const members = Object.values(this.#unit.members);
    const isHeard = members.some(({ master }) => (master?.lastHeard ?? -1) > this.#unit.since);
    if (isHeard && !this.#coordinator.otherMasterHeard) {
      this.#coordinatorInput({ kind: 'otherMasterHeard' });
    }
  }

  // ---- the coordinator

  #coordinatorInput(input: CoordinatorInput): void {
    this.#coordinatorInputs.push(input);
    if (this.#coordinatorIsStepping) return;
    this.#coordinatorIsStepping = true;
    const inputs = this.#coordinatorInputs;
    for (let next = inputs.shift(); next !== undefined; next = inputs.shift()) {
      const event = { ...next, at: microseconds(this.#world.now) } as CoordinatorEvent;
      const { state, actions } = coordinatorStep(this.#coordinator, event, coordinatorSettings);
      this.#coordinator = state;
      for (const action of actions) this.#coordinate(action);
    }
    this.#coordinatorIsStepping = false;
  }

  #coordinate(action: CoordinatorAction): void {
    switch (action.kind) {
      case 'post':
        this.#worker.handle(action.command);
        return;
      case 'releaseVips':
        this.#unitInput({ kind: 'vipsReleased', epoch: action.unitEpoch });
        return;
      case 'grantPreemption':
        this.#unitInput({ kind: 'preemptionGranted', epoch: action.unitEpoch });
        return;
      case 'startTimer':
        this.#timers[`coordinator ${action.timer}`] = this.#world.now + action.duration;
        return;
      case 'stopTimer':
        Reflect.deleteProperty(this.#timers, `coordinator ${action.timer}`);
        return;
      case 'testify':
        for (const name of memberNames) this.#send(name, this.#priority(name));
        return;
      default:
        return;
    }
  }

  #priority(member: MemberName): number {
    return this.#unit.members[member]?.effectivePriority ?? 0;
  }
}
