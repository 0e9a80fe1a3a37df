/**
 * Gives the role coordinator its events and carries its actions out. One event at a time: what an action causes is
 * handled after the step that asked for it.
 */
import { unreachable } from '../base/errors.js';
import type { LogFields, Logger } from '../base/logger.js';
import {
  microseconds,
  type ArmedTimer,
  type Clock,
  type Microseconds,
  type Timers,
} from '../base/time.js';
import { refusal, type ControlResult } from '../control/protocol.js';
import type { CommitSummary, MergeSummary, SyncCommand } from '../sync/messages.js';
import {
  initialCoordinator,
  type CoordinatorAction,
  type CoordinatorEvent,
  type CoordinatorSettings,
  type CoordinatorState,
  type CoordinatorTimer,
} from './vocabulary.js';
import { coordinatorStep } from './step.js';

/** What the coordinator can do to the bound unit (VrrpRouter). */
export interface RoleHands {
  releaseVips(unit: string, epoch: number): void;
  grantPreemption(unit: string, epoch: number): void;
  resign(unit: string, because: string): void;
  assumeRole(unit: string, because: string, vipsCommitted: boolean): void;
  releasePreemption(unit: string): void;
  setMaintenance(on: boolean): void;
  announceAgain(unit: string): void;
  testify(unit: string): void;
}

export interface CoordinatorWorld {
  readonly unit: string;
  readonly hands: () => RoleHands;
  readonly post: (command: SyncCommand) => void;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly takeoverDone: (summary: CommitSummary, duration: Microseconds) => void;
  readonly maintenanceChanged: (on: boolean) => void;
  readonly split: (because: string) => void;
  readonly merged: (summary: MergeSummary) => void;
}

type WithoutTime<E> = E extends unknown ? Omit<E, 'at'> : never;
export type CoordinatorInput = WithoutTime<CoordinatorEvent>;
type OperatorInput = Extract<CoordinatorInput, { readonly requestId: number }>;
export type OperatorRequest = OperatorInput extends infer E
  ? E extends unknown
    ? Omit<E, 'requestId'>
    : never
  : never;

type News = Extract<
  CoordinatorAction,
  { kind: 'takeoverDone' | 'split' | 'merged' | 'answer' | 'log' }
>;

/**
 * What these wait for comes from the worker. Where the whole process stood still, or the machine, the worker had no chance
 * either, and what it said before is still to be read: so they are divided, and a standstill counts for one part.
 */
const waitsForWorker: ReadonlySet<CoordinatorTimer> = new Set(['commitProgress', 'merge']);
const looksOfPatience = 10;

export class CoordinatorRunner {
  readonly #world: CoordinatorWorld;
  #settings: CoordinatorSettings;
  #state: CoordinatorState;
  readonly #inputs: CoordinatorInput[] = [];
  #isStepping = false;
  readonly #timers = new Map<CoordinatorTimer, ArmedTimer>();
  readonly #answers = new Map<number, (result: ControlResult) => void>();
  #nextRequest = 1;

  constructor(world: CoordinatorWorld, settings: CoordinatorSettings, maintenance: boolean) {
    this.#world = world;
    this.#settings = settings;
    this.#state = { ...initialCoordinator, maintenance };
  }

  get state(): CoordinatorState {
    return this.#state;
  }

  /** One word for `status`. */
  get phase(): string {
    const { handOver, preparation, takeover } = this.#state;
    if (handOver !== undefined) return `handing over: ${handOver.stage}`;
    if (preparation !== undefined) return `preparing a takeover: ${preparation.stage}`;
    if (takeover === undefined) return 'steady';
    return takeover.vips === 'held' ? 'committing' : 'completing the takeover';
  }

  reload(settings: CoordinatorSettings): void {
    this.#settings = settings;
  }

  input(event: CoordinatorInput): void {
    this.#inputs.push(event);
    if (this.#isStepping) return;
    this.#isStepping = true;
    try {
      for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift()) {
        // The parts of a union of events, each with its time added, are that union again.
        const timed = { ...next, at: this.#world.clock.now() } as CoordinatorEvent;
        const { state, actions } = coordinatorStep(this.#state, timed, this.#settings);
        this.#state = state;
        for (const action of actions) this.#carryOut(action);
      }
    } finally {
      this.#isStepping = false;
    }
  }

  /** A request of the operator; resolves when the machine has answered. */
  ask(request: OperatorRequest): Promise<ControlResult> {
    const requestId = this.#nextRequest++;
    return new Promise((resolve) => {
      this.#answers.set(requestId, resolve);
      this.input({ ...request, requestId });
    });
  }

  close(): void {
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
    for (const answer of this.#answers.values()) answer(refusal('stopping', 'the daemon stops'));
    this.#answers.clear();
  }

  #carryOut(action: CoordinatorAction): void {
    const { unit, post, maintenanceChanged } = this.#world;
    const hands = this.#world.hands();
    switch (action.kind) {
      case 'post':
        post(action.command);
        return;
      case 'releaseVips':
        hands.releaseVips(unit, action.unitEpoch);
        return;
      case 'grantPreemption':
        hands.grantPreemption(unit, action.unitEpoch);
        return;
      case 'resign':
        hands.resign(unit, action.because);
        return;
      case 'assumeRole':
        hands.assumeRole(unit, action.because, true);
        return;
      case 'releasePreemption':
        hands.releasePreemption(unit);
        return;
      case 'maintenance':
        hands.setMaintenance(action.on);
        maintenanceChanged(action.on);
        post({ kind: 'maintenance', on: action.on });
        return;
      case 'startTimer':
        this.#startTimer(action.timer, action.duration);
        return;
      case 'stopTimer':
        this.#timers.get(action.timer)?.cancel();
        return;
      case 'announce':
        hands.announceAgain(unit);
        return;
      case 'testify':
        hands.testify(unit);
        return;
      default:
        this.#tell(action);
    }
  }

  #startTimer(timer: CoordinatorTimer, duration: Microseconds): void {
    const looks = waitsForWorker.has(timer) ? looksOfPatience : 1;
    const after = (left: number): void => {
      this.#timers.get(timer)?.cancel();
      const part = microseconds(Math.ceil(duration / looks));
      const ring = (): void => {
        if (left > 1) after(left - 1);
        else this.input({ kind: 'timer', timer });
      };
      this.#timers.set(timer, this.#world.timers.after(part, ring));
    };
    after(looks);
  }

  /** What is only news. */
  #tell(action: News): void {
    const { unit, logger, takeoverDone, split, merged } = this.#world;
    switch (action.kind) {
      case 'takeoverDone':
        takeoverDone(action.summary, action.duration);
        return;
      case 'split':
        split(action.because);
        return;
      case 'merged':
        merged(action.summary);
        return;
      case 'answer':
        this.#answer(action);
        return;
      case 'log':
        logger.log(action.level, action.message, withUnit(action.fields, unit));
        return;
      default:
        unreachable(action);
    }
  }

  #answer(action: Extract<CoordinatorAction, { kind: 'answer' }>): void {
    const { requestId, ok, code, message, remedy } = action;
    const answer = this.#answers.get(requestId);
    this.#answers.delete(requestId);
    answer?.(ok ? { ok, result: { message } } : refusal(code, message, remedy));
  }
}

function withUnit(fields: LogFields, unit: string): LogFields {
  return { unit, ...fields };
}
