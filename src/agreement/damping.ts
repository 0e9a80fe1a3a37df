/**
 * Rule 6: after a move by rule 2 or 3 only silence, a new fault of the MASTER or the operator moves
 * the unit within `moveHold`; at most 6 moves a minute; a silence that was none doubles the limits
 * for 10 minutes.
 */
import { addTime, seconds, subtractTime, type Microseconds } from '../base/time.js';
import { extend, startTimer, type AgreementStep } from './agreementActions.js';
import type { AgreementState } from './agreementState.js';
import { tell } from './roleAccount.js';
import type { AgreementSettings } from './settings.js';

const minute = seconds(60);
const mostMoves = 6;
const forgivenAfter = seconds(600);
/** A limit that is longer than VRRP's own time means nothing. */
const mostDoubling = 64;

function movesWithinAMinute({ moves }: AgreementState, at: Microseconds): number {
  return moves.filter((moved) => subtractTime(at, moved) < minute).length;
}

/** A move that a fault of the MASTER makes necessary: the last of a minute are kept for these. */
export function mayMoveByFault(state: AgreementState, at: Microseconds): boolean {
  return movesWithinAMinute(state, at) < mostMoves;
}

/** A move to the better one of two that serve; one more is kept for a fault that follows. */
export function mayMoveByChoice(state: AgreementState, at: Microseconds): boolean {
  return !state.holds.move && movesWithinAMinute(state, at) < mostMoves - 1;
}

/** Until the role may move by choice, but for a hold, whose end is an event of its own. */
export function untilChoice({ moves }: AgreementState, at: Microseconds): Microseconds {
  const last = moves.at(1 - mostMoves);
  return last === undefined ? seconds(0) : subtractTime(addTime(last, minute), at);
}

/** Each node counts what it sees: its own takeovers, and those of a peer. */
export function countMove(step: AgreementStep, at: Microseconds): AgreementStep {
  const recent = step.state.moves.filter((before) => subtractTime(at, before) < minute);
  return extend(step, { moves: [...recent, at] });
}

/** The role moves by rule 2 or 3, here or at the peer; by rule 3 because of these segments. */
export function holdRole(
  step: AgreementStep,
  segments: readonly string[],
  { moveHold }: AgreementSettings,
): AgreementStep {
  const held = [...new Set([...step.state.holds.segments, ...segments])];
  return extend(
    step,
    { holds: { move: true, segments: held } },
    { kind: 'holdPreemption' },
    startTimer('moveHold', moveHold),
  );
}

export function moveHoldOver(step: AgreementStep): AgreementStep {
  return released(extend(step, { holds: { ...step.state.holds, move: false } }));
}

/** The segments were whole for long enough. */
export function segmentsRose(step: AgreementStep): AgreementStep {
  return released(extend(step, { holds: { ...step.state.holds, segments: [] } }));
}

function released(step: AgreementStep): AgreementStep {
  const { move, segments } = step.state.holds;
  return move || segments.length > 0 ? step : extend(step, {}, { kind: 'releasePreemption' });
}

/** A peer that was silent for the whole limit goes on in the session in which it was. */
export function falseSilence(step: AgreementStep, settings: AgreementSettings): AgreementStep {
  const doubling = Math.min(mostDoubling, step.state.doubling * 2);
  const doubled = extend(step, { doubling }, startTimer('forgive', forgivenAfter));
  return tell(doubled, 6, 'a silence was none: the limits are doubled', settings);
}

export function forgiven(step: AgreementStep): AgreementStep {
  return extend(step, { doubling: 1 });
}
