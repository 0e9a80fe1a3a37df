/** What a script is played on: a real kernel in namespaces, or the model. */
import type { Clock, Timers, Turns } from '../../../src/base/time.js';
import type { Tuple } from '../kernel/kernelPorts.js';
import type { RulesName, Side, SysctlName } from './script.js';

export interface ScriptPacket {
  readonly from: Side;
  readonly tuple: Tuple;
  /** Bits of the TCP header. */
  readonly tcpFlags: number;
  readonly connection: string;
  readonly data: number;
  readonly scale: number | undefined;
  readonly outsideWindow: boolean;
  readonly again: boolean;
}

export interface TruthWorld {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly turns: Turns;
  /** Sockets that `open` opens belong to this kernel. */
  enter<T>(open: () => T): T;
  /** The tuple as it left on the other side; undefined where nothing did. */
  send(packet: ScriptPacket): Promise<Tuple | undefined>;
  sysctl(name: SysctlName, value: number): Promise<void>;
  address(change: 'add' | 'delete', side: Side, address: string): Promise<void>;
  link(side: Side, isUp: boolean): Promise<void>;
  wait(seconds: number): Promise<void>;
  /** Lets `work` come to its end. */
  until<T>(work: Promise<T>): Promise<T>;
  /** nf_conntrack_max. */
  readonly largestTable: number;
}

/** Opens worlds: one for each script, with an empty table. */
export type OpenWorld = (rules: RulesName) => Promise<TruthWorld>;

/** The firewall's own addresses, and who lives on either side. */
export const place = {
  inside: { interfaceName: 'inside', network: '10.1.0', router: '10.1.0.254', prefixLength: 24 },
  outside: { interfaceName: 'outside', network: '10.2.0', router: '10.2.0.254', prefixLength: 24 },
} as const;

/** What the source of flows from inside becomes under `snat`, `narrow` and `masquerade`. */
export const natAddress = place.outside.router;
/** `narrow`: two ports for all. */
export const narrowPorts = [5_000, 5_001] as const;
/** `dnat`: to this port of the router goes what this server gets. */
export const published = { port: 8_080, server: '10.1.0.9', serverPort: 80 } as const;
