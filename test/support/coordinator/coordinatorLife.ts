/** Lives of the role coordinator for its tests: events in, actions out. */
import { microseconds, milliseconds, seconds } from '../../../src/base/time.js';
import {
  initialCoordinator,
  type CoordinatorAction,
  type CoordinatorEvent,
  type CoordinatorSettings,
  type CoordinatorState,
} from '../../../src/coordinator/vocabulary.js';
import { coordinatorStep } from '../../../src/coordinator/step.js';
import { nothingCommitted } from '../../../src/sync/messages';

export const settings: CoordinatorSettings = {
  commitDeadline: milliseconds(1000),
  commitLimit: seconds(10),
  preemptSyncTimeout: seconds(30),
  preempts: true,
};
/** Of a commit that put all in. */
export const summary = { ...nothingCommitted, entries: 7, durationMs: 3 };

/** An event as a test writes it: the life adds its time. */
export type Untimed<E> = E extends unknown ? Omit<E, 'at'> : never;

/** A life: feeds events at growing times and shows what each one asked for. */
export class CoordinatorLife {
  state: CoordinatorState = initialCoordinator;
  #now = 0;
  readonly #settings: CoordinatorSettings;

  constructor(changes: Partial<CoordinatorSettings> = {}) {
    this.#settings = { ...settings, ...changes };
  }

  feed(event: Untimed<CoordinatorEvent>, after = 1): readonly CoordinatorAction[] {
    this.#now += after * 1_000;
    const timed = { ...event, at: microseconds(this.#now) } as CoordinatorEvent;
    const { state, actions } = coordinatorStep(this.state, timed, this.#settings);
    this.state = state;
    return actions;
  }

  becomes(to: 'MASTER' | 'BACKUP' | 'FAULT', change: object = {}): readonly CoordinatorAction[] {
    return this.feed({
      kind: 'roleChanged',
      to,
      because: 'test',
      unitEpoch: 5,
      vipsWait: to === 'MASTER',
      isResumed: false,
      ...change,
    });
  }
}

/** What goes to the worker, as `kind` or `kind:epoch`. */
export function posted(actions: readonly CoordinatorAction[]): string[] {
  return actions.flatMap((a) => (a.kind === 'post' ? [a.command.kind] : []));
}

export function answers(actions: readonly CoordinatorAction[]): string[] {
  return actions.flatMap((a) => (a.kind === 'answer' ? [a.message] : []));
}

export function kinds(actions: readonly CoordinatorAction[]): string[] {
  return actions.map((a) => a.kind);
}

export function backup(): CoordinatorLife {
  const life = new CoordinatorLife();
  life.feed({ kind: 'workerReady' });
  life.becomes('BACKUP');
  life.feed({ kind: 'peer', peerKind: 'keepstate', isSynchronised: true });
  return life;
}

export function master(): CoordinatorLife {
  const life = backup();
  life.becomes('MASTER');
  life.feed({ kind: 'committed', epoch: life.state.epoch, summary });
  life.feed({ kind: 'vipsUp' });
  return life;
}
