/**
 * One flow as a person reads it: plain objects, decoded on demand for listings and never on the hot
 * path. A field is present only where the kernel or the peer named it; text formats print just what
 * is present. Numbers are in host order; names follow the kernel's CTA_* attributes
 * (linux/netfilter/nfnetlink_conntrack.h).
 */
import type { IpAddress } from '../../base/ipAddress.js';

export interface FlowCounters {
  readonly packets: bigint;
  readonly bytes: bigint;
}

/** CTA_TUPLE_ORIG, CTA_TUPLE_REPLY or CTA_TUPLE_MASTER. */
export interface TupleView {
  readonly source?: IpAddress;
  readonly destination?: IpAddress;
  /** IP protocol number. */
  readonly protocol: number;
  /** Ports, or the keys of GRE. */
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  readonly icmpId?: number;
  readonly icmpType?: number;
  readonly icmpCode?: number;
  /** Direction-specific zone. */
  readonly zone?: number;
  readonly counters?: FlowCounters;
}

export interface SequenceAdjustment {
  readonly correctionPosition: number;
  readonly offsetBefore: number;
  readonly offsetAfter: number;
}

export interface FlowView {
  /** AF_INET (2) or AF_INET6 (10). */
  readonly family: number;
  readonly original: TupleView;
  /** Absent at the external cache: the protocol does not carry it. */
  readonly reply?: TupleView;
  readonly master?: TupleView;
  /** IPS_*. */
  readonly status?: number;
  readonly timeoutSeconds?: number;
  /** TCP, SCTP or DCCP state, the kernel's number. */
  readonly protocolState?: number;
  readonly windowScaleOriginal?: number;
  readonly windowScaleReply?: number;
  readonly tcpFlagsOriginal?: number;
  readonly tcpFlagsReply?: number;
  readonly mark?: number;
  readonly secmark?: number;
  readonly securityContext?: string;
  readonly zone?: number;
  readonly use?: number;
  readonly id?: number;
  readonly helper?: string;
  /** Bit n is byte n/8, bit n%8. */
  readonly labels?: Uint8Array;
  readonly sequenceOriginal?: SequenceAdjustment;
  readonly sequenceReply?: SequenceAdjustment;
  /** Nanoseconds since 1970. */
  readonly start?: bigint;
  readonly stop?: bigint;
}

/** CTA_EXPECT_*. */
export interface ExpectationView {
  readonly family: number;
  readonly tuple: TupleView;
  readonly mask: TupleView;
  readonly master: TupleView;
  readonly timeoutSeconds?: number;
  readonly zone?: number;
  /** 1 PERMANENT, 2 INACTIVE, 4 USERSPACE. */
  readonly flags?: number;
  readonly class?: number;
  readonly helper?: string;
  readonly functionName?: string;
}

export type EventKind = 'new' | 'update' | 'destroy';

/** IPS_* bits that text formats show (linux/netfilter/nf_conntrack_common.h). */
export const flowStatus = {
  expected: 0x0001,
  seenReply: 0x0002,
  assured: 0x0004,
  sourceNatDone: 0x0080,
  destinationNatDone: 0x0100,
  fixedTimeout: 0x0400,
  offload: 0x4000,
  hardwareOffload: 0x8000,
} as const;
