/** What the agreement asks for, in order, and the step that gathers it. */
import type { Microseconds } from '../base/time.js';
import type { AgreementState, AgreementTimer, Answers, Peer } from './agreementState.js';
import type { PathState, Reach, UnitStatement } from './statement.js';

/** Why the role moved, or why it did not: one line of the history. */
export interface Account {
  /** Of docs/decisions/agreement.md, 1 to 9. */
  readonly rule: number;
  readonly because: string;
  /** By peer and path. */
  readonly paths: Readonly<Record<string, Readonly<Record<string, PathState>>>>;
  /** By peer: the limit of its silence. */
  readonly limits: Readonly<Record<string, Microseconds>>;
  /** What this node and its peers were answered. */
  readonly evidence: {
    readonly own?: Answers;
    readonly peers?: Readonly<Record<string, Readonly<Record<string, Reach>>>>;
  };
}

export type AgreementAction =
  /** The beat thread says `allSilent` after half of this time, and after all of it. */
  | { readonly kind: 'watchSilence'; readonly peer: string; readonly limit: Microseconds }
  /**
   * On each segment the peer is asked for its own address, and neighbours for theirs: 2 of the
   * node's table after a silence; up to 8, `also` among them, where a segment is in doubt. Three
   * rounds within the time; answered by `probed`.
   */
  | {
      readonly kind: 'probe';
      readonly probe: number;
      readonly peer: string;
      readonly segments: readonly string[];
      readonly neighbours: number;
      readonly within: Microseconds;
      readonly also: readonly string[];
    }
  | { readonly kind: 'startTimer'; readonly timer: AgreementTimer; readonly duration: Microseconds }
  | { readonly kind: 'stopTimer'; readonly timer: AgreementTimer }
  /** VRRP's wish is granted. */
  | { readonly kind: 'allowTake' }
  | { readonly kind: 'refuseTake'; readonly because: string }
  /**
   * Unasked by VRRP: flows are committed first, unless the worker is down; then MASTER. Answered by
   * `role`, also where it did not come.
   */
  | {
      readonly kind: 'take';
      readonly rule: number;
      readonly because: string;
      readonly awaitsCommit: boolean;
    }
  /** A MASTER is heard again before the role was taken. */
  | { readonly kind: 'withdrawTake'; readonly because: string }
  /** Addresses off at once; VRRP is BACKUP, or FAULT. */
  | {
      readonly kind: 'giveWay';
      readonly rule: number;
      readonly because: string;
      readonly to: 'BACKUP' | 'FAULT';
    }
  /** The answer to `faultImminent`: MASTER on the members that work. */
  | { readonly kind: 'stayMaster' }
  /** A planned hand-over by the coordinator. */
  | { readonly kind: 'handOver'; readonly because: string }
  /** What the next beat says; the first statement after a change, each time. */
  | { readonly kind: 'announce'; readonly statement: UnitStatement }
  /** No advert, no beat as MASTER and no gratuitous ARP until `resumeSending`. */
  | { readonly kind: 'holdSending' }
  | { readonly kind: 'resumeSending' }
  /** Answered by `pathsRead`. */
  | { readonly kind: 'readPaths' }
  /** Gratuitous ARP: the other MASTER is silent by now. */
  | { readonly kind: 'announceAddresses' }
  | { readonly kind: 'holdPreemption' }
  | { readonly kind: 'releasePreemption' }
  /**
   * While on: where the main loop stands still for the time, the beat thread says MASTER no more,
   * and ends the process as soon as a peer says MASTER.
   */
  | { readonly kind: 'guardLoop'; readonly after: Microseconds | undefined }
  /**
   * Asked until it grants, or a lease has had time to end (600 ms): who is refused then is refused
   * by one that renews it. No answer for 100 ms is none.
   */
  | { readonly kind: 'askArbiter'; readonly question: number }
  | { readonly kind: 'releaseLease' }
  | { readonly kind: 'raiseProblem'; readonly code: string; readonly text: string }
  | { readonly kind: 'endProblem'; readonly code: string }
  | { readonly kind: 'history'; readonly account: Account };

/** State, and what it asked for so far. */
export interface AgreementStep {
  readonly state: AgreementState;
  readonly actions: readonly AgreementAction[];
}

/** `step` with a changed state and further actions. */
export function extend(
  step: AgreementStep,
  change: Partial<AgreementState>,
  ...actions: readonly AgreementAction[]
): AgreementStep {
  return { state: { ...step.state, ...change }, actions: [...step.actions, ...actions] };
}

export function startTimer(timer: AgreementTimer, duration: Microseconds): AgreementAction {
  return { kind: 'startTimer', timer, duration };
}

export function stopTimer(timer: AgreementTimer): AgreementAction {
  return { kind: 'stopTimer', timer };
}

export function patchPeer(step: AgreementStep, name: string, change: Partial<Peer>): AgreementStep {
  const { peers } = step.state;
  const peer = peers[name];
  if (peer === undefined) return step;
  return extend(step, { peers: { ...peers, [name]: { ...peer, ...change } } });
}
