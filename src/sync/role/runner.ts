/**
 * Gives the role machine its events and carries its actions out, one event at a time: what an
 * action causes is handled after the step that asked for it. A work that has ended is reported back
 * under its number; an engine that has ended reports no more.
 */
import type { LogFields, Logger } from '../../base/logger.js';
import { MachineRecorder } from '../../base/machineRecord.js';
import type { ArmedTimer, Clock, Timers } from '../../base/time.js';
import { errorText } from '../../base/errors.js';
import type { SyncReport } from '../messages.js';
import { roleStep } from './machine.js';
import type { RoleAction } from './roleActions.js';
import type { RoleEvent, RoleTimer, WorkReport } from './roleEvents.js';
import type { RoleHands } from './roleHands.js';
import { isAtRest, type RoleSettings, type RoleState } from './roleState.js';

export interface RolePorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly report: (report: SyncReport) => void;
  /** For `run --record`: lines of src/base/machineRecord.ts. */
  readonly record?: (line: object) => void;
}

type Untimed<E> = E extends unknown ? Omit<E, 'at'> : never;
export type RoleInput = Untimed<RoleEvent>;

type ActionHandlers = {
  readonly [Kind in RoleAction['kind']]: (action: Extract<RoleAction, { kind: Kind }>) => void;
};

export class RoleRunner {
  readonly #hands: RoleHands;
  readonly #ports: RolePorts;
  readonly #settings: () => RoleSettings;
  #state: RoleState;
  readonly #inputs: RoleInput[] = [];
  #isStepping = false;
  #isClosed = false;
  readonly #timers = new Map<RoleTimer, ArmedTimer>();
  readonly #handlers: ActionHandlers;
  #resting: (() => void)[] = [];
  readonly #recorder: MachineRecorder<RoleState, RoleSettings, RoleEvent, RoleAction> | undefined;

  /**
   * `state`: of the runner before, or `initialRole`. The machine learns that an engine is there.
   */
  constructor(hands: RoleHands, ports: RolePorts, settings: () => RoleSettings, state: RoleState) {
    this.#hands = hands;
    this.#ports = ports;
    this.#settings = settings;
    this.#state = state;
    this.#handlers = this.#actionHandlers();
    const { record } = ports;
    if (record === undefined) return;
    this.#recorder = new MachineRecorder('role', record);
    this.#recorder.begin(state, settings());
  }

  get state(): RoleState {
    return this.#state;
  }

  /** About ten times a second: what is known of the peer may have changed. */
  tick(): void {
    this.#lookAtPeer();
  }

  input(event: RoleInput): void {
    if (this.#isClosed) return;
    this.#inputs.push(event);
    if (this.#isStepping) return;
    this.#isStepping = true;
    try {
      for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift()) {
        this.#step(next);
      }
    } finally {
      this.#isStepping = false;
    }
    if (isAtRest(this.#state)) for (const resolve of this.#resting.splice(0)) resolve();
  }

  /**
   * Takes back what is committed in advance, and resolves when nothing is being done for a role.
   */
  async rest(): Promise<void> {
    while (!this.#isClosed && !isAtRest(this.#state)) {
      this.input({ kind: 'restartWanted' });
      if (isAtRest(this.#state)) return;
      await new Promise<void>((resolve) => this.#resting.push(resolve));
    }
  }

  /** The engine ends: nothing more is begun on it. What the next one goes on from. */
  close(): RoleState {
    this.input({ kind: 'closed' });
    this.#isClosed = true;
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
    for (const resolve of this.#resting.splice(0)) resolve();
    return this.#state;
  }

  #step(input: RoleInput): void {
    // What the machine decides by is what is known now.
    if (looksAtPeer(input)) this.#lookAtPeer();
    // The parts of a union of events, each with its time added, are that union again.
    const event = { ...input, at: this.#ports.clock.now() } as RoleEvent;
    const settings = this.#settings();
    const { state, actions } = roleStep(this.#state, event, settings);
    this.#recorder?.step(event, settings, actions);
    this.#state = state;
    this.#trace(event);
    for (const action of actions) this.#carryOut(action);
  }

  #lookAtPeer(): void {
    const facts = this.#hands.facts();
    const { peer } = this.#state;
    const isSame =
      facts.isKeepstate === peer.isKeepstate &&
      facts.ability === peer.ability &&
      facts.isCaughtUp === peer.isCaughtUp;
    if (isSame) return;
    if (this.#isStepping) this.#step({ kind: 'peer', ...facts });
    else this.input({ kind: 'peer', ...facts });
  }

  /** With `--log-level debug` a takeover reads as a story: one line for each command and report. */
  #trace(event: RoleEvent): void {
    const { epoch } = this.#state;
    this.#ports.logger.log('debug', `sync role: ${event.kind}`, { ...traced(event), epoch });
  }

  #carryOut(action: RoleAction): void {
    // The table's type pairs each kind with its action.
    const handle = this.#handlers[action.kind] as (action: RoleAction) => void;
    handle(action);
  }

  /** `done` becomes the report of a work, `failed` where it could not be done. */
  #await<T>(
    work: () => Promise<T>,
    done: (result: T) => WorkReport,
    failed: (because: string) => WorkReport,
  ): void {
    const begun = async (): Promise<T> => work();
    begun().then(
      (result) => this.input(done(result)),
      (error: unknown) => this.input(failed(errorText(error))),
    );
  }

  #actionHandlers(): ActionHandlers {
    const hands = this.#hands;
    const { clock, logger, report } = this.#ports;
    return {
      setStance: ({ stance }) => hands.setStance(stance),
      stop: ({ work }) => {
        const stopped = (): WorkReport => ({ kind: 'stopped', work });
        this.#await(() => hands.stop(), stopped, stopped);
      },
      commit: (action) => this.#commit(action),
      followMerge: () => this.#followMerge(),
      stopFollowing: ({ isCounted }) => {
        const created = hands.stopFollowing();
        if (isCounted) this.input({ kind: 'followed', created });
      },
      undo: ({ work }) => {
        this.#await(
          () => hands.undo(),
          (removed) => ({ kind: 'undone', work, removed }),
          (because) => ({ kind: 'undone', work, removed: 0, because }),
        );
      },
      resync: ({ work }) => {
        this.#await(
          () => hands.resync(),
          () => ({ kind: 'resynced', work }),
          (because) => ({ kind: 'resynced', work, because }),
        );
      },
      startBulk: ({ because }) => hands.startBulk(because),
      clearExternal: () => hands.clearExternal(),
      askForAll: ({ because }) => hands.askForAll(because),
      checkContent: () => hands.checkContent(),
      readLeftovers: ({ work }) => this.#leftovers(work, () => hands.readLeftovers()),
      renewLeftovers: ({ work }) => this.#leftovers(work, () => hands.renewLeftovers()),
      dropLeftovers: () => hands.dropLeftovers(),
      purge: ({ work, by }) => {
        this.#await(
          () => hands.purge(by),
          (outcome) => ({ kind: 'purgeEnded', work, outcome }),
          (because) => ({
            kind: 'purgeEnded',
            work,
            outcome: { kind: by === 'content' ? 'undecided' : 'failed', because },
          }),
        );
      },
      stopPurge: () => hands.stopPurge(),
      beginMastership: () => hands.mastership.begin(clock.now()),
      completeMastership: () => hands.mastership.complete(),
      endMastership: () => hands.mastership.end(),
      sayWasMaster: ({ until }) => hands.sayWasMaster(until),
      openWindows: ({ work }) => {
        this.#await(
          () => hands.openWindows(() => this.input({ kind: 'mergeProgress', work })),
          ({ cancelled }) => ({ kind: 'windowsOpened', work, cancelled }),
          (because) => ({ kind: 'mergeBroke', work, because }),
        );
      },
      mergePass: ({ work }) => {
        this.#await(
          () => hands.mergePass(() => this.input({ kind: 'mergeProgress', work })),
          (found) => ({ kind: 'mergePassed', work, ...found }),
          (because) => ({ kind: 'mergeBroke', work, because }),
        );
      },
      tellStepDown: ({ notice }) => hands.notices?.tell(notice),
      forgetStepDown: () => hands.notices?.forget(),
      answerNotice: ({ merged }) => hands.notices?.acknowledge(merged),
      abandonNotice: () => hands.notices?.abandon(),
      startTimer: ({ timer, duration }) => {
        this.#timers.get(timer)?.cancel();
        const armed = this.#ports.timers.after(duration, () => this.#timerFired(timer));
        this.#timers.set(timer, armed);
      },
      stopTimer: ({ timer }) => this.#timers.get(timer)?.cancel(),
      report: (action) => report(action.report),
      reportTakeover: ({ epoch }) =>
        report({ kind: 'takeoverDone', epoch, bulkEntries: hands.bulkEntries() }),
      log: ({ level, message, fields }) => logger.log(level, message, fields),
    };
  }

  #commit({ work, epoch }: Extract<RoleAction, { kind: 'commit' }>): void {
    const hands = this.#hands;
    this.#await(
      () =>
        hands.commit((committed) => {
          this.input({ kind: 'commitProgress', work, epoch, committed });
        }),
      (summary) => ({ kind: 'committed', work, epoch, summary }),
      (because) => ({
        kind: 'commitFailed',
        work,
        epoch,
        because,
        isFollowing: hands.following === 'takeover',
      }),
    );
  }

  #leftovers(work: number, read: () => Promise<void>): void {
    const done = (): WorkReport => ({ kind: 'leftoversRead', work });
    this.#await(read, done, done);
  }

  #followMerge(): void {
    try {
      this.#hands.followMerge();
    } catch (error) {
      this.input({ kind: 'followFailed', because: errorText(error) });
    }
  }

  #timerFired(timer: RoleTimer): void {
    this.#timers.delete(timer);
    const { heardAt } = this.#hands;
    this.input({ kind: 'timer', timer, ...(heardAt === undefined ? {} : { heardAt }) });
  }
}

/** An engine that is not there yet, or no more, has no peer. */
function looksAtPeer({ kind }: RoleInput): boolean {
  return kind !== 'peer' && kind !== 'engineStarted' && kind !== 'closed';
}

/** Figures of a report on one level, as log fields are. */
function traced(event: RoleEvent): LogFields {
  return Object.fromEntries(
    Object.entries(event)
      .filter(([name]) => name !== 'kind' && name !== 'at')
      .map(([name, value]) => [name, isFlat(value) ? value : JSON.stringify(value)]),
  );
}

function isFlat(value: unknown): value is LogFields[string] {
  return typeof value !== 'object';
}
