/**
 * What a node remembers of the agreement on one unit: plain readonly data, so that it can be
 * recorded and replayed.
 */
import { microseconds, type Microseconds } from '../base/time.js';
import type { PathState, Reach, Role, UnitStatement } from './statement.js';

export type AgreementTimer =
  /** A BACKUP waits for better candidates, one limit for each. */
  | 'turn'
  /** A hand-over was tried for long enough: the role is taken without. */
  | 'force'
  /** An agreement that was not reached: VRRP's rules hold. */
  | 'deadline'
  /** A segment in doubt is asked again. */
  | 'again'
  /** Who stood still, or starts again, has listened for long enough. */
  | 'listen'
  /** The role may move again. */
  | 'moveHold'
  /** A segment was whole for long enough. */
  | 'rise'
  /** A silence that was none is forgotten. */
  | 'forgive'
  /** The loop of a MASTER that stands still has had VRRP's time. */
  | 'loop'
  /** In FAULT, and nobody was MASTER for VRRP's time. */
  | 'lastResort'
  /** The MASTER that was followed has had time to hear of it. */
  | 'succession'
  /** The role may move by choice again. */
  | 'damped'
  /** A MASTER that lost its lease has stepped down by now. */
  | 'lease'
  /** The lease of whoever gave the role away is free by now. */
  | 'leaseGrace';

export interface PeerPath {
  readonly state: PathState;
  /** Share of the peer's beats that were lost here, 0 to 1. */
  readonly loss: number;
}

/** Another keepstate with the same unit. */
export interface Peer {
  readonly paths: Readonly<Record<string, PeerPath>>;
  /** Of its last statement; undefined: none was heard, or it ended in order. */
  readonly said: UnitStatement | undefined;
  readonly session: string | undefined;
  readonly sequence: number;
  /** Sessions that are over: a late datagram of one is no news. */
  readonly over: readonly string[];
  /** Since when its main loop stands still, by this node's clock; undefined: it turns. */
  readonly standsSince: Microseconds | undefined;
  /** The worst that it reported. */
  readonly lateness: Microseconds;
  readonly hasRealTime: boolean;
  /** What the beat thread was told to watch for: an `allSilent` comes after this. */
  readonly watched: Microseconds | undefined;
  /** All its paths were silent for the whole limit, in this session. */
  readonly fellSilent: string | undefined;
}

/** What this node is, as its statement says it. */
export interface OwnFacts {
  readonly role: Role;
  readonly held: number;
  readonly priority: number;
  readonly faulty: readonly string[];
  readonly isLastResort: boolean;
  readonly isSynchronised: boolean;
  readonly isWorkerDown: boolean;
  readonly isInMaintenance: boolean;
}

/** By segment: what a probe found. */
export interface SegmentAnswers extends Reach {
  /** The peer's kernel answered for its own address. */
  readonly peer: boolean;
}

export type Answers = Readonly<Record<string, SegmentAnswers>>;

/** A path that this node sees silent, or is told to be silent at the other's. */
export interface Doubt {
  readonly segments: readonly string[];
  readonly peer: string;
  readonly since: Microseconds;
  /** The probe whose answers are awaited. */
  readonly probe: number | undefined;
  readonly answers: Answers | undefined;
  /** Neighbours that were asked: the peer is to ask the same. */
  readonly asks: readonly string[];
  /** `handing`: a hand-over is tried. `claiming`: the other is to take its addresses off. */
  readonly stage: 'asking' | 'judged' | 'handing' | 'waiting' | 'claiming';
}

/** A MASTER whose paths all fell silent. */
export interface Silence {
  readonly peer: string;
  readonly since: Microseconds;
  /** Its last sign of life. */
  readonly began: Microseconds;
  readonly probe: number;
  readonly answers: Answers | undefined;
  /** The whole limit has passed. */
  readonly isWhole: boolean;
}

/** The role is to be taken as soon as that is allowed. */
export interface Taking {
  readonly rule: number;
  readonly because: string;
  /**
   * `turn`: better candidates first. `arbiter`: its answer is awaited. `lease`: granted, and a MASTER
   * that lost its lease has still to step down. `done`: VRRP was told.
   */
  readonly stage: 'turn' | 'arbiter' | 'lease' | 'done';
  /** VRRP has asked, and waits for an answer. */
  readonly isAsked: boolean;
  /** Nobody gave the role away: where there is an arbiter, its lease is asked for. */
  readonly needsLease: boolean;
  /** Of the question to the arbiter. */
  readonly question: number;
}

/** Who stood still, or starts again, hears before it speaks. */
export interface Listening {
  readonly for: 'resume' | 'standstill';
  /** All that waited in the sockets was handled. */
  readonly isRead: boolean;
  /** Three beat periods have passed. */
  readonly isOver: boolean;
}

/** The last statement that it may not have known better in. */
export interface Predecessor {
  readonly peer: string;
  readonly session: string | undefined;
  readonly sequence: number;
}

export interface HeardMaster {
  readonly address: string;
  readonly priority: number;
  readonly at: Microseconds;
}

export interface AgreementState {
  readonly own: OwnFacts;
  /** The highest that is known. */
  readonly term: number;
  readonly peers: Readonly<Record<string, Peer>>;
  /** By segment: another router, no peer, that said MASTER. */
  readonly strangers: Readonly<Record<string, HeardMaster>>;
  readonly silence: Silence | undefined;
  readonly doubt: Doubt | undefined;
  readonly taking: Taking | undefined;
  /** Neither adverts nor beats as MASTER until all paths were read and the time has passed. */
  readonly listening: Listening | undefined;
  /** This node followed a living MASTER: what that one said before counts no more. */
  readonly predecessor: Predecessor | undefined;
  /** A MASTER of lower rank that has not given way yet. */
  readonly rival: string | undefined;
  /** Since when VRRP is kept from the role because a MASTER is heard. */
  readonly refusedSince: Microseconds | undefined;
  /** An agreement was not reached: VRRP's rules hold until the next one begins. */
  readonly isLeftToVrrp: boolean;
  /** In FAULT, nobody is MASTER, and this node would serve as the last resort. */
  readonly isLastHope: boolean;
  /** What keeps VRRP's preemption off. */
  readonly holds: { readonly move: boolean; readonly segments: readonly string[] };
  /** When the role moved, in the last minute. */
  readonly moves: readonly Microseconds[];
  /** By which the limits are multiplied. */
  readonly doubling: number;
  readonly lease: 'none' | 'held' | 'refused' | 'lost';
  /** The role was given to this node: the lease of whoever had it may not be free yet. */
  readonly isLeaseYoung: boolean;
  /** Codes of problems that were raised. */
  readonly problems: readonly string[];
  /** Number of the last probe, and of the last question. */
  readonly works: number;
}

export const initialAgreement: AgreementState = {
  own: {
    role: 'INIT',
    held: 0,
    priority: 0,
    faulty: [],
    isLastResort: false,
    isSynchronised: false,
    isWorkerDown: false,
    isInMaintenance: false,
  },
  term: 0,
  peers: {},
  strangers: {},
  silence: undefined,
  doubt: undefined,
  taking: undefined,
  listening: undefined,
  predecessor: undefined,
  rival: undefined,
  refusedSince: undefined,
  isLeftToVrrp: false,
  isLastHope: false,
  holds: { move: false, segments: [] },
  moves: [],
  doubling: 1,
  lease: 'none',
  isLeaseYoung: false,
  problems: [],
  works: 0,
};

export const unknownPeer: Peer = {
  paths: {},
  said: undefined,
  session: undefined,
  sequence: 0,
  over: [],
  standsSince: undefined,
  lateness: microseconds(0),
  hasRealTime: true,
  watched: undefined,
  fellSilent: undefined,
};
