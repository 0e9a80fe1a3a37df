/**
 * A recorded life of a pure machine: what it began with, then each event with the actions that it
 * led to. Replaying the events through the same step gives the same actions; another version of the
 * step shows where it differs. All of it is plain data.
 */

export type MachineLine<State, Settings, Event, Action> = { readonly machine: string } & (
  | { readonly state: State; readonly settings: Settings }
  /** From now on. */
  | { readonly settings: Settings }
  | { readonly event: Event; readonly actions: readonly Action[] }
);

export interface MachineStep<State, Action> {
  readonly state: State;
  readonly actions: readonly Action[];
}

/** Writes the lines of one machine. */
export class MachineRecorder<State, Settings, Event, Action> {
  readonly #machine: string;
  readonly #write: (line: object) => void;
  #settings: Settings | undefined;

  constructor(machine: string, write: (line: object) => void) {
    this.#machine = machine;
    this.#write = write;
  }

  /** A life begins. */
  begin(state: State, settings: Settings): void {
    this.#settings = settings;
    this.#line({ machine: this.#machine, state, settings });
  }

  step(event: Event, settings: Settings, actions: readonly Action[]): void {
    if (JSON.stringify(settings) !== JSON.stringify(this.#settings)) {
      this.#settings = settings;
      this.#line({ machine: this.#machine, settings });
    }
    this.#line({ machine: this.#machine, event, actions });
  }

  #line(line: MachineLine<State, Settings, Event, Action>): void {
    this.#write(line);
  }
}

/** What a recorded event led to, now. */
export interface ReplayedEvent<State, Event, Action> extends MachineStep<State, Action> {
  readonly event: Event;
  /** As recorded. */
  readonly recorded: readonly Action[];
}

/** Lives the lines of one machine again, in any number of lives. */
export class MachineReplay<State, Settings, Event, Action> {
  readonly #step: (state: State, event: Event, settings: Settings) => MachineStep<State, Action>;
  #life: { state: State; settings: Settings } | undefined;

  constructor(
    step: (state: State, event: Event, settings: Settings) => MachineStep<State, Action>,
  ) {
    this.#step = step;
  }

  /** undefined where the line is no event, or one before the beginning of a life. */
  line(
    line: MachineLine<State, Settings, Event, Action>,
  ): ReplayedEvent<State, Event, Action> | undefined {
    if ('state' in line) {
      this.#life = { state: line.state, settings: line.settings };
      return undefined;
    }
    const life = this.#life;
    if (life === undefined) return undefined;
    if ('settings' in line) {
      life.settings = line.settings;
      return undefined;
    }
    const { state, actions } = this.#step(life.state, line.event, life.settings);
    life.state = state;
    return { event: line.event, recorded: line.actions, state, actions };
  }
}
