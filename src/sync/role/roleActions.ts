/** What the role machine asks for. A work is answered by a report of the same number. */
import type { LogFields, LogLevel } from '../../base/logger.js';
import type { Microseconds } from '../../base/time.js';
import type { Stance } from '../local/internalCache.js';
import type { MergeSummary, SyncReport } from '../messages.js';
import type { RoleTimer } from './roleEvents.js';
import type { RoleState, StepDown } from './roleState.js';

export type RoleAction =
  /** Of the internal cache: whose flows are told to the peer. */
  | { readonly kind: 'setStance'; readonly stance: Stance }
  /**
   * Ends a commit, a pass of a merge and the taking back; answered by `stopped` when they have
   * ended.
   */
  | { readonly kind: 'stop'; readonly work: number }
  /**
   * Follows the peer from now on, and commits the external cache; answered by `commitProgress`,
   * `committed` or `commitFailed`. The kernel tells nothing of flows that begin meanwhile.
   */
  | { readonly kind: 'commit'; readonly work: number; readonly epoch: number }
  /**
   * What the peer tells is created where it is missing; `followFailed` where that cannot be done.
   */
  | { readonly kind: 'followMerge' }
  /** `isCounted`: answered by `followed`. */
  | { readonly kind: 'stopFollowing'; readonly isCounted: boolean }
  /** Removes what was committed in advance; answered by `undone`. */
  | { readonly kind: 'undo'; readonly work: number }
  /** Compares with the kernel, the peer hears nothing of it; answered by `resynced`. */
  | { readonly kind: 'resync'; readonly work: number }
  | { readonly kind: 'startBulk'; readonly because: string }
  | { readonly kind: 'clearExternal' }
  | { readonly kind: 'askForAll'; readonly because: string }
  /** The content of cache and kernel is to be compared: another role. */
  | { readonly kind: 'checkContent' }
  /** What the kernel holds now is left over; answered by `leftoversRead`. */
  | { readonly kind: 'readLeftovers'; readonly work: number }
  /** Times and ids have changed by this node's own work; answered by `leftoversRead`. */
  | { readonly kind: 'renewLeftovers'; readonly work: number }
  | { readonly kind: 'dropLeftovers' }
  /** Answered by `purgeEnded`. */
  | { readonly kind: 'purge'; readonly work: number; readonly by: 'content' | 'completion' }
  /** From now on the purge that runs removes nothing more. */
  | { readonly kind: 'stopPurge' }
  | { readonly kind: 'beginMastership' }
  | { readonly kind: 'completeMastership' }
  | { readonly kind: 'endMastership' }
  /** The hello says so while leftovers are kept. */
  | { readonly kind: 'sayWasMaster'; readonly until: Microseconds }
  /** Answered by `windowsOpened` or `mergeBroke`. */
  | { readonly kind: 'openWindows'; readonly work: number }
  /**
   * Creates what the kernel lacks of the external cache; answered by `mergePassed` or `mergeBroke`.
   */
  | { readonly kind: 'mergePass'; readonly work: number }
  /** Tells the peer until it answers: `stepDownAnswered`. */
  | { readonly kind: 'tellStepDown'; readonly notice: StepDown }
  | { readonly kind: 'forgetStepDown' }
  /** The peer's own notice: `merged` undefined where there was nothing to merge. */
  | { readonly kind: 'answerNotice'; readonly merged?: MergeSummary }
  /** Nobody works on the peer's notice any more: its next repetition is news. */
  | { readonly kind: 'abandonNotice' }
  | {
      readonly kind: 'startTimer';
      readonly timer: RoleTimer;
      readonly duration: Microseconds;
    }
  | { readonly kind: 'stopTimer'; readonly timer: RoleTimer }
  | { readonly kind: 'report'; readonly report: SyncReport }
  /** The runner adds how many entries are sent. */
  | { readonly kind: 'reportTakeover'; readonly epoch: number }
  | {
      readonly kind: 'log';
      readonly level: LogLevel;
      readonly message: string;
      readonly fields: LogFields;
    };

/** State, and what it asked for so far. */
export interface RoleStep {
  readonly state: RoleState;
  readonly actions: readonly RoleAction[];
}

/** `step` with a changed state and further actions. */
export function extend(
  step: RoleStep,
  change: Partial<RoleState>,
  ...actions: readonly RoleAction[]
): RoleStep {
  return { state: { ...step.state, ...change }, actions: [...step.actions, ...actions] };
}

/** Asks for a work; `change` and `action` are given its number. */
export function begin(
  step: RoleStep,
  change: (work: number) => Partial<RoleState>,
  action: (work: number) => RoleAction,
): RoleStep {
  const work = step.state.works + 1;
  return extend(step, { works: work, ...change(work) }, action(work));
}

export function withStance(step: RoleStep, stance: Stance): RoleStep {
  if (step.state.stance === stance) return step;
  return extend(step, { stance }, { kind: 'setStance', stance });
}

export function report(step: RoleStep, message: SyncReport): RoleStep {
  return extend(step, {}, { kind: 'report', report: message });
}

export function logLine(level: LogLevel, message: string, fields: LogFields = {}): RoleAction {
  return { kind: 'log', level, message, fields };
}
