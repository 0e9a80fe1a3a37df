/** One entry of the kernel's table. */
import { statusBit } from '../../../src/conntrack/constants.js';
import { isIpv6Text } from './addressText.js';
import type { FlowView, Tuple } from './kernelPorts.js';
import { tupleKey } from './tuple.js';

/** Where a zone holds: both directions (CTA_ZONE), or one of them (CTA_TUPLE_ZONE). */
export type ZoneScope = 'both' | 'original' | 'reply';

export interface TcpTracking {
  /** enum tcp_conntrack. */
  state: number;
  /** Of the original and the reply direction. */
  readonly scales: [number, number];
  /** IP_CT_TCP_FLAG_*. */
  readonly flags: [number, number];
  /** A packet of this direction has passed: from then on it is known what waits for an answer. */
  readonly hasPassed: [boolean, boolean];
  /** The packet before, for a connection that begins anew after an RST. */
  lastWasOriginalReset: boolean;
  /** The packet before was a SYN that changed nothing; its answer shows that it was meant. */
  ignoredSyn: { readonly side: 0 | 1; readonly flags: number; readonly scale: number } | undefined;
}

export interface SctpTracking {
  state: number;
  readonly tags: [number, number];
}

/** Payloads of attributes that the model stores and reads back without a meaning of its own. */
export interface StoredAttributes {
  /** CTA_SEQ_ADJ_ORIG and _REPLY: three words each. */
  sequence?: [Uint32Array, Uint32Array];
  /** CTA_SYNPROXY. Every flow that was injected has it. */
  synproxy?: Uint32Array;
  labels?: Uint8Array;
}

export class Flow implements FlowView {
  readonly original: Tuple;
  reply: Tuple;
  readonly originalKey: string;
  replyKey: string;
  readonly zone: number;
  readonly zoneScope: ZoneScope;
  readonly isIpv6: boolean;
  status = 0;
  mark = 0;
  /** Microseconds of the world's clock. */
  expiresAt = 0;
  readonly tcp: TcpTracking | undefined;
  sctp: SctpTracking | undefined;
  /** From when on a UDP flow is a stream: two seconds after its beginning. */
  streamsFrom = 0;
  helper: string | undefined;
  /** The extension stays where a helper was taken away. */
  hadHelper = false;
  master: Flow | undefined;
  stored: StoredAttributes = {};
  masqueradeInterface: string | undefined;
  /** Place in the kernel's memory: the CTA_ID comes of it, and a successor may get it. */
  readonly memory: number;
  /** Place in the hash table: the order of dumps. */
  readonly bucket: number;
  id = 0;
  /** Whether the entry can make events at all (nf_conntrack_events). */
  readonly hasEvents: boolean;
  /** Bits of events that reliable delivery owes. */
  owedEvents = 0;

  constructor(options: {
    readonly original: Tuple;
    readonly reply: Tuple;
    readonly zone: number;
    readonly zoneScope: ZoneScope;
    readonly memory: number;
    readonly bucket: number;
    readonly hasEvents: boolean;
  }) {
    const { original, reply } = options;
    this.original = original;
    this.reply = reply;
    this.zone = options.zone;
    this.zoneScope = options.zoneScope;
    this.originalKey = tupleKey(original, this.zoneOf('original'));
    this.replyKey = tupleKey(reply, this.zoneOf('reply'));
    this.isIpv6 = isIpv6Text(original.source);
    this.memory = options.memory;
    this.bucket = options.bucket;
    this.hasEvents = options.hasEvents;
    if (original.protocol === 6) {
      this.tcp = {
        state: 0,
        scales: [0, 0],
        flags: [0, 0],
        hasPassed: [false, false],
        lastWasOriginalReset: false,
        ignoredSyn: undefined,
      };
    }
  }

  get tcpState(): number {
    return this.tcp?.state ?? 0;
  }

  has(bit: number): boolean {
    return (this.status & bit) !== 0;
  }

  get isDying(): boolean {
    return this.has(statusBit.dying);
  }

  zoneOf(direction: 'original' | 'reply'): number {
    return this.zoneScope === 'both' || this.zoneScope === direction ? this.zone : 0;
  }

  /** NAT has changed what answers look like; only before the flow is in the table. */
  setReply(reply: Tuple): void {
    this.reply = reply;
    this.replyKey = tupleKey(reply, this.zoneOf('reply'));
  }

  /** A whole number of seconds, as CTA_TIMEOUT says it. */
  secondsLeft(now: number): number {
    return Math.max(0, Math.floor((this.expiresAt - now) / 1_000_000));
  }
}
