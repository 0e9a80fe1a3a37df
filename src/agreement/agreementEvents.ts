/**
 * What happens to the agreement on a unit: news of the beat thread and of the prober, the peers'
 * statements, facts of VRRP and of this node, answers of the arbiter, timers, the operator. Each
 * carries the monotonic time at which it happened.
 */
import type { Microseconds } from '../base/time.js';
import type { Answers, AgreementTimer } from './agreementState.js';
import type { PathState, Role, UnitStatement } from './statement.js';

/** Why VRRP is about to take the role. */
export type Wish = 'masterDown' | 'priorityZero' | 'preemption' | 'resume';

export type AgreementEvent = { readonly at: Microseconds } &
  /**
   * What changed since the last tick of the beat thread, by path; after a statement of that tick.
   */
  (
    | {
        readonly kind: 'paths';
        readonly peer: string;
        readonly states: Readonly<Record<string, PathState>>;
      }
    /** Share of the peer's beats that were lost, by path. */
    | {
        readonly kind: 'loss';
        readonly peer: string;
        readonly shares: Readonly<Record<string, number>>;
      }
    /**
     * No path of the peer that was living has shown a sign of life for this long: half of the limit,
     * then all of it; said after all sockets were emptied behind the last tick and the node's own
     * probe came through the loop-back.
     */
    | { readonly kind: 'allSilent'; readonly peer: string; readonly lasted: Microseconds }
    /** The first beat of a peer that says this; the same again is no event. */
    | {
        readonly kind: 'statement';
        readonly peer: string;
        readonly path: string;
        readonly session: string;
        readonly sequence: number;
        readonly lateness: Microseconds;
        readonly hasRealTime: boolean;
        /** Stop, reload, upgrade: its silence from now on says nothing. */
        readonly hasEnded: boolean;
        readonly says: UnitStatement;
      }
    /** Its thread beats and its main loop has not turned for so long; 0: it turns again. */
    | { readonly kind: 'peerLoopStandsStill'; readonly peer: string; readonly lasted: Microseconds }
    | { readonly kind: 'ownLoopStoodStill'; readonly lasted: Microseconds }
    /** What waited in the sockets of all paths was handled. */
    | { readonly kind: 'pathsRead' }
    /** A router that is no peer said MASTER on a segment. */
    | {
        readonly kind: 'strangerHeard';
        readonly segment: string;
        readonly address: string;
        readonly priority: number;
      }
    | { readonly kind: 'role'; readonly role: Role }
    | {
        readonly kind: 'facts';
        readonly priority: number;
        readonly faulty: readonly string[];
        readonly isSynchronised: boolean;
        readonly isWorkerDown: boolean;
      }
    /** A MASTER whose members begin to fail asks before it enters FAULT. */
    | { readonly kind: 'faultImminent'; readonly faulty: readonly string[] }
    /** VRRP is about to take the role; answered by `allowTake` or `refuseTake`. */
    | { readonly kind: 'takeWanted'; readonly wish: Wish }
    | { readonly kind: 'maintenance'; readonly isOn: boolean }
    | {
        readonly kind: 'probed';
        readonly probe: number;
        readonly answers: Answers;
        readonly asked: readonly string[];
      }
    | {
        readonly kind: 'arbiterAnswer';
        readonly question: number;
        readonly answer: 'granted' | 'refused' | 'none';
      }
    /** Of the lease that a MASTER renews. */
    | { readonly kind: 'lease'; readonly state: 'held' | 'refused' | 'lost' }
    | { readonly kind: 'timer'; readonly timer: AgreementTimer }
  );

export type EventOf<Kind extends AgreementEvent['kind']> = Extract<AgreementEvent, { kind: Kind }>;
