/**
 * Gives the role coordinator its events and carries its actions out. One event at a time: what an
 * action causes is handled after the step that asked for it.
 */
import type { Logger } from '../base/logger.js';
import { MachineRecorder } from '../base/machineRecord.js';
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
export interface UnitControl {
  releaseVips(unit: string, epoch: number): void;
  grantPreemption(unit: string, epoch: number): void;
  resign(unit: string, because: string): void;
  assumeRole(unit: string, because: string, vipsCommitted: boolean): void;
  releasePreemption(unit: string): void;
  setMaintenance(on: boolean): void;
  announceAgain(unit: string): void;
  testify(unit: string): void;
}

export interface CoordinatorPorts {
  readonly unit: string;
  readonly unitControl: () => UnitControl;
  readonly post: (command: SyncCommand) => void;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly takeoverDone: (summary: CommitSummary, duration: Microseconds) => void;
  readonly maintenanceChanged: (on: boolean) => void;
  readonly split: (because: string) => void;
  readonly merged: (summary: MergeSummary) => void;
  /** For `run --record`: lines of src/base/machineRecord.ts. */
  readonly record?: (line: object) => void;
}

type WithoutTime<E> = E extends unknown ? Omit<E, 'at'> : never;
export type CoordinatorInput = WithoutTime<CoordinatorEvent>;
type OperatorInput = Extract<CoordinatorInput, { readonly requestId: number }>;
export type OperatorRequest = OperatorInput extends infer E
  ? E extends unknown
    ? Omit<E, 'requestId'>
    : never
  : never;

/** How each kind of action is carried out. */
type ActionHandlers = {
  readonly [Kind in CoordinatorAction['kind']]: (
    action: Extract<CoordinatorAction, { kind: Kind }>,
  ) => void;
};

/**
 * What these wait for comes from the worker. Where the whole process stood still, or the machine,
 * the worker had no chance either, and what it said before is still to be read: so they are
 * divided, and a standstill counts for one part.
 */
const waitsForWorker: ReadonlySet<CoordinatorTimer> = new Set(['commitProgress', 'merge']);
const checksUntilTimeout = 10;

export class CoordinatorRunner {
  readonly #ports: CoordinatorPorts;
  #settings: CoordinatorSettings;
  #state: CoordinatorState;
  readonly #inputs: CoordinatorInput[] = [];
  #isStepping = false;
  readonly #timers = new Map<CoordinatorTimer, ArmedTimer>();
  readonly #answers = new Map<number, (result: ControlResult) => void>();
  #nextRequest = 1;
  readonly #recorder:
    | MachineRecorder<CoordinatorState, CoordinatorSettings, CoordinatorEvent, CoordinatorAction>
    | undefined;
  readonly #handlers: ActionHandlers = {
    post: ({ command }) => this.#ports.post(command),
    releaseVips: ({ unitEpoch }) => this.#unit.releaseVips(this.#ports.unit, unitEpoch),
    grantPreemption: ({ unitEpoch }) => this.#unit.grantPreemption(this.#ports.unit, unitEpoch),
    resign: ({ because }) => this.#unit.resign(this.#ports.unit, because),
    assumeRole: ({ because }) => this.#unit.assumeRole(this.#ports.unit, because, true),
    releasePreemption: () => this.#unit.releasePreemption(this.#ports.unit),
    announce: () => this.#unit.announceAgain(this.#ports.unit),
    testify: () => this.#unit.testify(this.#ports.unit),
    maintenance: ({ on }) => {
      this.#unit.setMaintenance(on);
      this.#ports.maintenanceChanged(on);
      this.#ports.post({ kind: 'maintenance', on });
    },
    startTimer: ({ timer, duration }) => this.#startTimer(timer, duration),
    stopTimer: ({ timer }) => this.#timers.get(timer)?.cancel(),
    takeoverDone: ({ summary, duration }) => this.#ports.takeoverDone(summary, duration),
    split: ({ because }) => this.#ports.split(because),
    merged: ({ summary }) => this.#ports.merged(summary),
    answer: (action) => this.#answer(action),
    log: ({ level, message, fields }) =>
      this.#ports.logger.log(level, message, { unit: this.#ports.unit, ...fields }),
  };

  constructor(ports: CoordinatorPorts, settings: CoordinatorSettings, maintenance: boolean) {
    this.#ports = ports;
    this.#settings = settings;
    this.#state = { ...initialCoordinator, maintenance };
    const { record } = ports;
    if (record === undefined) return;
    this.#recorder = new MachineRecorder('coordinator', record);
    this.#recorder.begin(this.#state, settings);
  }

  get state(): CoordinatorState {
    return this.#state;
  }

  get #unit(): UnitControl {
    return this.#ports.unitControl();
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
        const timed = { ...next, at: this.#ports.clock.now() } as CoordinatorEvent;
        const { state, actions } = coordinatorStep(this.#state, timed, this.#settings);
        this.#recorder?.step(timed, this.#settings, actions);
        this.#trace(next, state);
        this.#state = state;
        for (const action of actions) this.#carryOut(action);
      }
    } finally {
      this.#isStepping = false;
    }
  }

  /**
   * With `--log-level debug` a takeover reads as a story: one line for each event that matters to
   * the role.
   */
  #trace({ kind }: CoordinatorInput, { epoch, role }: CoordinatorState): void {
    if (kind === 'peer') return;
    this.#ports.logger.log('debug', `coordinator: ${kind}`, { epoch, role });
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
    // The table's type pairs each kind with its action; TypeScript cannot follow the pairing
    // through the index.
    const handle = this.#handlers[action.kind] as (action: CoordinatorAction) => void;
    handle(action);
  }

  #startTimer(timer: CoordinatorTimer, duration: Microseconds): void {
    const checks = waitsForWorker.has(timer) ? checksUntilTimeout : 1;
    const after = (left: number): void => {
      this.#timers.get(timer)?.cancel();
      const part = microseconds(Math.ceil(duration / checks));
      const fired = (): void => {
        if (left > 1) after(left - 1);
        else this.input({ kind: 'timer', timer });
      };
      this.#timers.set(timer, this.#ports.timers.after(part, fired));
    };
    after(checks);
  }

  #answer(action: Extract<CoordinatorAction, { kind: 'answer' }>): void {
    const { requestId, ok, code, message, remedy } = action;
    const answer = this.#answers.get(requestId);
    this.#answers.delete(requestId);
    answer?.(ok ? { ok, result: { message } } : refusal(code, message, remedy));
  }
}
