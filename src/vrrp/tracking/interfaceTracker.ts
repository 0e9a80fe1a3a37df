/**
 * Which interfaces are up and running, debounced by `interface_up_down_delays`. An interface that
 * does not exist is bad; one that is created again under its name is the same interface to an
 * operator.
 */
import { microseconds, type ArmedTimer, type Timers } from '../../base/time.js';
import type { NetworkWatch } from '../../net/ports.js';
import type { VrrpSettings } from '../settings.js';
import type { TrackVerdict } from './observations.js';

const noDelay = microseconds(0);

/** Follows every name it was asked about. */
export class InterfaceTracker {
  readonly #ports: { readonly network: NetworkWatch; readonly timers: Timers };
  readonly #onVerdict: (name: string, verdict: TrackVerdict) => void;
  readonly #known = new Map<string, TrackVerdict>();
  readonly #pending = new Map<string, { verdict: TrackVerdict; timer: ArmedTimer }>();
  #delays: VrrpSettings['interfaceDelays'];

  constructor(
    ports: { readonly network: NetworkWatch; readonly timers: Timers },
    delays: VrrpSettings['interfaceDelays'],
    onVerdict: (name: string, verdict: TrackVerdict) => void,
  ) {
    this.#ports = ports;
    this.#delays = delays;
    this.#onVerdict = onVerdict;
  }

  get verdicts(): ReadonlyMap<string, TrackVerdict> {
    return this.#known;
  }

  /**
   * The names to follow from now on. New ones get their verdict at once, without a delay or a call.
   */
  follow(names: Iterable<string>, delays: VrrpSettings['interfaceDelays']): void {
    this.#delays = delays;
    const wanted = new Set(names);
    for (const name of this.#known.keys()) {
      if (!wanted.has(name)) this.#forget(name);
    }
    for (const name of wanted) {
      if (!this.#known.has(name)) this.#known.set(name, this.#look(name));
    }
  }

  /** Something about this link changed. */
  linkChanged(name: string): void {
    const known = this.#known.get(name);
    if (known === undefined) return;
    const verdict = this.#look(name);
    const pending = this.#pending.get(name);
    if (pending !== undefined && pending.verdict !== verdict) {
      pending.timer.cancel();
      this.#pending.delete(name);
    }
    if (verdict === known || this.#pending.has(name)) return;
    const delay = this.#delay(name, verdict);
    const settle = (): void => {
      this.#pending.delete(name);
      this.#known.set(name, verdict);
      this.#onVerdict(name, verdict);
    };
    if (delay === 0) settle();
    else this.#pending.set(name, { verdict, timer: this.#ports.timers.after(delay, settle) });
  }

  close(): void {
    for (const name of [...this.#known.keys()]) this.#forget(name);
  }

  #delay(name: string, verdict: TrackVerdict): typeof noDelay {
    const delays = this.#delays.find((delay) => delay.interfaceName === name);
    return (verdict === 'good' ? delays?.up : delays?.down) ?? noDelay;
  }

  #look(name: string): TrackVerdict {
    const link = this.#ports.network.linkByName(name);
    return link?.isUp === true && link.isRunning ? 'good' : 'bad';
  }

  #forget(name: string): void {
    this.#pending.get(name)?.timer.cancel();
    this.#pending.delete(name);
    this.#known.delete(name);
  }
}
