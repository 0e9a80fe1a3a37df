/**
 * When results of a script change its verdict: keepalived's counter from 0 to rise + fall - 1.
 * Pure.
 */
import type { TrackVerdict } from './observations.js';

export interface RiseFallSettings {
  readonly rise: number;
  readonly fall: number;
}

/** `counter` at or above `rise` is good. */
export interface RiseFall {
  readonly verdict: TrackVerdict;
  readonly counter: number;
}

/**
 * `init_fail` starts bad, so that `rise` successes are needed; otherwise the first result decides.
 */
export function initialRiseFall(initFail: boolean): RiseFall {
  return { verdict: initFail ? 'bad' : 'unknown', counter: 0 };
}

export function afterResult(
  state: RiseFall,
  succeeded: boolean,
  { rise, fall }: RiseFallSettings,
): RiseFall {
  const top = rise + fall - 1;
  if (state.verdict === 'unknown') {
    return succeeded ? { verdict: 'good', counter: top } : { verdict: 'bad', counter: 0 };
  }
  if (succeeded) {
    const counter = state.counter + 1;
    if (counter < rise) return { verdict: 'bad', counter };
    return { verdict: 'good', counter: state.counter < rise ? top : Math.min(top, counter) };
  }
  const counter = state.counter - 1;
  if (counter >= rise) return { verdict: 'good', counter };
  return { verdict: 'bad', counter: state.counter >= rise ? 0 : Math.max(0, counter) };
}
