/**
 * A script: what is done to a kernel, step by step. A recording is the script with what the kernel
 * answered to each step, and its table at the end. Both are plain JSON.
 */

/** `tcp 10.1.0.2:1000>10.2.0.9:80`; of ICMP the ports are the id, and type * 256 + code. */
export type TupleText = string;

/** A flow as the peer would tell it. */
export interface FlowSpec {
  readonly original: TupleText;
  /** Default: the inverse of `original`. */
  readonly reply?: TupleText;
  /** IPS_*; default 0x0e (SEEN_REPLY, ASSURED, CONFIRMED). */
  readonly status?: number;
  /** Seconds; default 100. */
  readonly timeout?: number;
  /** enum tcp_conntrack. */
  readonly state?: number;
  /** IP_CT_TCP_FLAG_* of both directions. */
  readonly flags?: readonly [number, number];
  readonly scales?: readonly [number, number];
  readonly mark?: number;
  readonly zone?: number;
  readonly helper?: string;
  readonly master?: TupleText;
}

export type Side = 'inside' | 'outside';

export type Operation =
  /** TCP flags as letters: S, A, F, R, P. Answer: the tuple that left, or null. */
  | {
      readonly op: 'packet';
      readonly from: Side;
      readonly tuple: TupleText;
      readonly flags?: string;
      /** Segments of one name share sequence numbers; default `a`. */
      readonly connection?: string;
      /** Bytes of data. */
      readonly data?: number;
      readonly scale?: number;
      readonly outsideWindow?: boolean;
      /** The segment of this side before it, once more. */
      readonly again?: boolean;
    }
  /**
   * The requests of src/conntrack/codec/flowRequests.ts, one each. Answer: errno, 0 for success.
   */
  | { readonly op: 'create' | 'update' | 'delete' | 'liberal'; readonly flow: FlowSpec }
  /** Answer: the entry as a line, or errno. */
  | { readonly op: 'get'; readonly flow: FlowSpec }
  /** FlowCommit of the product. Answer: its counts. */
  | {
      readonly op: 'commit';
      readonly flows: readonly FlowSpec[];
      readonly onExisting: 'replace' | 'liberal' | 'keep';
      readonly windowTracking?: boolean;
      readonly fixedTimeout?: number;
    }
  /** FlowInjector.remove, as a purge does. Answer: its counts. */
  | { readonly op: 'purge'; readonly flows: readonly FlowSpec[] }
  /** FlowInjector.update, as DisableExternalCache does. Answer: its counts. */
  | { readonly op: 'inject'; readonly flows: readonly FlowSpec[] }
  /** An event socket. */
  | { readonly op: 'listen'; readonly bufferBytes?: number; readonly reliable?: boolean }
  /** Answer: what was read, `overrun` where the kernel said ENOBUFS. At most `limit` datagrams. */
  | { readonly op: 'read'; readonly limit?: number }
  | { readonly op: 'unlisten' }
  /** FlowMirror and KernelWatch of the product. */
  | { readonly op: 'watch'; readonly bufferBytes?: number; readonly reliable?: boolean }
  /** Answer: the mirror's table when it has settled, and whether there was an overrun. */
  | { readonly op: 'settle' }
  /** UDP flows by ctnetlink, source ports from `port` on. Answer: how many were refused. */
  | {
      readonly op: 'burst';
      readonly count: number;
      readonly port: number;
      readonly remove?: boolean;
    }
  /** Answer: how many were removed is not told by the kernel; errno. */
  | { readonly op: 'flush'; readonly mark?: number; readonly zone?: number }
  /** The table is filled with assured flows until `leaving` more fit. */
  | { readonly op: 'fill'; readonly leaving: number }
  /** Answer: the table as lines. */
  | { readonly op: 'table' }
  /** Answer: entries, without those of `fill`. */
  | { readonly op: 'count' }
  | { readonly op: 'wait'; readonly seconds: number }
  | { readonly op: 'sysctl'; readonly name: SysctlName; readonly value: number }
  | {
      readonly op: 'address';
      readonly change: 'add' | 'delete';
      readonly side: Side;
      readonly address: string;
    }
  | { readonly op: 'link'; readonly side: Side; readonly isUp: boolean };

export type SysctlName =
  | 'events'
  | 'tcp_loose'
  | 'tcp_be_liberal'
  | 'udp_timeout'
  | 'udp_timeout_stream'
  | 'tcp_timeout_time_wait'
  | 'tcp_timeout_close'
  | 'icmp_timeout'
  | 'generic_timeout';

export type RulesName =
  'plain' | 'snat' | 'narrow' | 'masquerade' | 'dnat' | 'noNatChains' | 'acceptInvalid';

export interface Script {
  readonly name: string;
  /** Why the simulator needs it. */
  readonly title: string;
  readonly rules: RulesName;
  /**
   * The kernel takes a free port by chance: ports that the script does not name are not compared.
   */
  readonly choosesPorts?: boolean;
  readonly steps: readonly Operation[];
}

export type Answer = string | number | boolean | null | readonly string[] | AnswerFields;

/** Plain fields, such as the counts of a commit. */
export type AnswerFields = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** One line per step, and a last one with the table. */
export interface Recording {
  readonly name: string;
  readonly answers: readonly Answer[];
  readonly table: readonly string[];
}
