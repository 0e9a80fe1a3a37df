/** The questions of two nodes about one target: raised, heard and answered. Pure. */
import type { Microseconds } from '../../base/time.js';
import type { Answer } from './comparison.js';
import { isAnsweredSince, isInDoubt, targetVerdict, type AddressState } from './targetState.js';

/** A question of the peer, and when this node heard it. */
export interface HeardQuestion {
  /** 1 to 2^32 - 1. */
  readonly question: number;
  readonly heardAt: Microseconds;
}

/**
 * The number of the question that is open: raised at the first lost probe, the same as long as the
 * target is lost or in doubt, 0 where there is nothing to ask. `draw` gives a number that was not
 * used lately.
 */
export function openQuestion(
  open: number,
  states: readonly AddressState[],
  required: number,
  draw: () => number,
): number {
  const verdict = targetVerdict(states, required);
  if (verdict === 'unable') return 0;
  if (verdict !== 'bad' && !isInDoubt(states, required)) return 0;
  return open === 0 ? draw() : open;
}

/** The same question keeps the time at which it was heard first. */
export function hearQuestion(
  heard: HeardQuestion | undefined,
  question: number,
  at: Microseconds,
): HeardQuestion | undefined {
  if (question === 0) return undefined;
  return heard?.question === question ? heard : { question, heardAt: at };
}

/**
 * undefined: no probe that was sent after the question is decided yet. `isHeld`: the loss counts
 * here although the target may answer again, so this node must not be taken for one that has it.
 */
export function answerTo(
  { heardAt }: HeardQuestion,
  states: readonly AddressState[],
  required: number,
  isHeld: boolean,
): Answer | undefined {
  const verdict = targetVerdict(states, required);
  if (verdict === 'bad' || isHeld) return 'lost';
  if (verdict === 'unable') return 'unable';
  if (verdict === 'unknown') return undefined;
  return isAnsweredSince(states, required, heardAt) ? 'answered' : undefined;
}
