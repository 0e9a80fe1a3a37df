/**
 * The pure machine's front door: one step of a unit, that is of a sync group with all its members, or of a
 * lone instance. Members of a group change role within the same step, so they never disagree for longer
 * than one event. Order and rules of groups: docs/vrrp.md, keepalived 2.2.7.
 */
import { BugError } from '../base/errors.js';
import type { UnitAction } from './actions.js';
import type { UnitEvent } from './events.js';
import type { UnitSettings, UnitState } from './state.js';

export interface UnitStep {
  readonly state: UnitState;
  /** To be carried out in this order. */
  readonly actions: readonly UnitAction[];
}

/** `settings` may differ from those of the step before only where `event` is `reload`. */
export function unitStep(state: UnitState, event: UnitEvent, settings: UnitSettings): UnitStep {
  throw new BugError(`not yet: ${event.kind} ${settings.name} ${state.role}`);
}
