/**
 * What is configured of the agreement of one unit, frozen. The machine knows a path by a name that
 * both nodes use for it.
 */
import type { Microseconds } from '../base/time.js';

/** A way on which a node hears its peer. */
export interface PathSettings {
  readonly name: string;
  /** `segment`: a VRRP interface of the unit. `link`: a sync link. */
  readonly kind: 'segment' | 'link';
}

export interface AgreementSettings {
  /** Address of this node's first member, as text: VRRP's order among equal priorities. */
  readonly node: string;
  readonly paths: readonly PathSettings[];
  readonly beatInterval: Microseconds;
  /** `peer_silence`; undefined: 100 ms with real-time right, 300 ms without. */
  readonly peerSilence: Microseconds | undefined;
  /** This process has the right to real-time scheduling. */
  readonly hasRealTime: boolean;
  /** VRRP's own time: when a BACKUP that hears nothing takes the role. */
  readonly masterDown: Microseconds;
  /** How long the role stays where rule 2 or 3 has put it. */
  readonly moveHold: Microseconds;
  /** How long a segment must be whole before preemption may move the role again. */
  readonly rise: Microseconds;
  /** The role is taken from a living MASTER of lower priority; false with nopreempt. */
  readonly preempts: boolean;
  /** Beats are sealed by a key. */
  readonly hasKey: boolean;
  /** Where nobody can serve without a fault, the better one serves on what is left. */
  readonly lastResort: boolean;
  readonly arbiter: 'none' | 'default' | 'required';
}
