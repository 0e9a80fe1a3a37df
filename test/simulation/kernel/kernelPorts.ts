/**
 * What the simulator asks of a model kernel, and what a model kernel asks of the world. One kernel
 * is one boot of one node: a power-off ends it, the next boot is another one. A crash of the
 * process leaves the kernel as it is and closes the sockets of that process.
 *
 * The product reaches the kernel by two doors:
 *
 *   ctnetlink     the native addon, replaced by simulatedAddon.ts: the product's sockets, codec,
 *                 event reader, dumps and injectors run as they are, on real netlink bytes
 *   rtnetlink     `KernelNetwork.portsOf(thread)`: the ports of src/net/ports.ts
 *
 *   installSimulatedAddon();              // before the first socket of the product is opened
 *   const kernel = new Kernel({ clock, timers, random });
 *   enterThread({ kernel, timers: timersOfThatThread });
 *   ... code of the product; its microtasks run before the next thread is entered ...
 *   kernel.closeSocketsOf(thread);        // the thread or its process died
 */
import type { Clock, RandomSource, Timers } from '../../../src/base/time.js';
import type { NetworkControl, NetworkWatch, RoutingWatch } from '../../../src/net/ports.js';

/**
 * Addresses are text as formatIp writes them. ICMP and ICMPv6: `sourcePort` is the id,
 * `destinationPort` is type << 8 | code. Protocols without ports: 0.
 */
export interface Tuple {
  /** IPPROTO_*. */
  readonly protocol: number;
  readonly source: string;
  readonly sourcePort: number;
  readonly destination: string;
  readonly destinationPort: number;
}

/** One packet that comes in by `input` (name of an interface). */
export interface Packet {
  readonly tuple: Tuple;
  readonly input: string;
  /** TCP: FIN 0x01, SYN 0x02, RST 0x04, PSH 0x08, ACK 0x10 (RFC 9293, section 3.1). */
  readonly tcpFlags?: number;
  /** TCP: the segment carries data, which waits for its acknowledgement. */
  readonly hasData?: boolean;
  /** TCP, of a SYN or SYN-ACK: the scale that the side offers (RFC 7323), and SACK (RFC 2018). */
  readonly windowScale?: number;
  readonly permitsSelectiveAck?: boolean;
  /**
   * TCP: the segment lies outside the window that the tracker has seen. The model computes no
   * windows; where they are liberal such a segment passes.
   */
  readonly isOutOfWindow?: boolean;
}

export type TrackingState = 'NEW' | 'ESTABLISHED' | 'RELATED' | 'INVALID';

/** What became of a packet. `tuple` is the packet as it leaves, translated. */
export type Verdict =
  | {
      readonly kind: 'forwarded' | 'local';
      readonly tuple: Tuple;
      readonly state: TrackingState;
      readonly direction: 'original' | 'reply';
    }
  | {
      readonly kind: 'dropped';
      /**
       * `ruleset`: a rule; `tableFull`: nf_conntrack_max; `clash`: no free mapping, or the flow
       * could not be inserted.
       */
      readonly because: 'ruleset' | 'tableFull' | 'clash';
      readonly state: TrackingState;
    };

/** What a NAT rule asks for. The port is kept where it is free (`[low, high]`, inclusive, else). */
export interface NatMapping {
  readonly address: string;
  readonly ports?: readonly [number, number];
  /** MASQUERADE: the mapping goes when this address or interface goes. */
  readonly masqueradeInterface?: string;
}

/** The rules of the node, as far as packets of the simulator meet them. */
export interface Ruleset {
  /** The forward chain, or the input chain where the packet is for the node itself. */
  accepts(
    packet: Packet,
    state: TrackingState,
    kind: 'forward' | 'input',
    direction: 'original' | 'reply',
  ): boolean;
  /** The nat chains, asked for the first packet of a flow. */
  destinationNat(packet: Packet): NatMapping | undefined;
  sourceNat(packet: Packet): NatMapping | undefined;
  /** Without a chain of type nat no flow is translated, injected ones neither. Absent: there is. */
  readonly hasNatChains?: boolean;
}

/** net.netfilter.nf_conntrack_*; timeouts in seconds. */
export interface ConntrackSysctls {
  max: number;
  /** 0: never an event, 1: always, 2: for flows that began while somebody listened. */
  events: 0 | 1 | 2;
  tcpLoose: boolean;
  tcpBeLiberal: boolean;
  timeouts: ConntrackTimeouts;
}

export interface ConntrackTimeouts {
  tcpSynSent: number;
  tcpSynReceived: number;
  tcpEstablished: number;
  tcpFinWait: number;
  tcpCloseWait: number;
  tcpLastAck: number;
  tcpTimeWait: number;
  tcpClose: number;
  tcpMaxRetransmissions: number;
  tcpUnacknowledged: number;
  udp: number;
  udpStream: number;
  icmp: number;
  gre: number;
  greStream: number;
  generic: number;
}

/** A thread of the product. A frozen thread has timers that are late. */
export interface KernelThread {
  readonly kernel: KernelModel;
  /** Wake-ups of sockets, and answers of rtnetlink, come by these. */
  readonly timers: Timers;
}

/** Everything here belongs to the world: none of it stops when a process does. */
export interface KernelOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: RandomSource;
  readonly sysctls?: Partial<ConntrackSysctls>;
  /** Absent: everything is accepted, nothing is translated. */
  readonly ruleset?: Ruleset;
}

/** A flow as the kernel holds it, for invariants. Live views: read, never written. */
export interface FlowView {
  readonly original: Tuple;
  readonly reply: Tuple;
  /** IPS_*. */
  readonly status: number;
  readonly mark: number;
  /** Key of the entry: 0 where no zone is used. */
  readonly zone: number;
  /** enum tcp_conntrack; 0 for others. */
  readonly tcpState: number;
  /** Microseconds of the world's clock at which the flow runs out. */
  readonly expiresAt: number;
  /** CTA_ID. */
  readonly id: number;
}

export interface KernelModel {
  readonly sysctls: ConntrackSysctls;
  readonly network: KernelNetwork;
  /** The rules may be changed while the kernel runs. */
  ruleset: Ruleset;
  packet(packet: Packet): Verdict;
  /** Flows that are found by lookups and dumps: neither expired nor dying. */
  flows(): Iterable<FlowView>;
  /** By the tuple of either direction. */
  find(tuple: Tuple, zone?: number): FlowView | undefined;
  /** nf_conntrack_count: expired and dying entries that are not collected yet count too. */
  readonly count: number;
  /** A foreign program deletes a flow (`conntrack -D`); false where there is none. */
  deleteFlow(tuple: Tuple, zone?: number): boolean;
  /** A foreign program empties the table (`conntrack -F`). */
  flush(): void;
  /** The thread ended or died: its sockets are closed, its subscriptions and answers go. */
  closeSocketsOf(thread: KernelThread): void;
  /** No timer, socket or subscription is left. */
  powerOff(): void;
}

/** Links and addresses. They outlive processes. */
export interface KernelNetwork {
  /** An interface that is up and has carrier; its index is the next free one. */
  addLink(name: string, mac?: Uint8Array): void;
  /** Its addresses go first. */
  removeLink(name: string): void;
  /** Carrier. */
  setRunning(name: string, isRunning: boolean): void;
  /** IFF_UP: MASQUERADE mappings of the interface go, and its IPv6 addresses. */
  setUp(name: string, isUp: boolean): void;
  isUsable(name: string): boolean;
  /** A foreign program adds an address; false where it exists or the interface does not. */
  addAddress(name: string, address: string, prefixLength: number): boolean;
  /** A foreign program takes an address from wherever it is. */
  deleteAddress(address: string): boolean;
  hasAddress(address: string): boolean;
  addressesOf(name: string): readonly string[];
  /**
   * What a thread of the product sees and asks: notifications come in a turn of that thread,
   * answers too. Requests are carried out at once.
   */
  portsOf(thread: KernelThread): NetworkPorts;
}

export interface NetworkPorts {
  readonly watch: NetworkWatch;
  readonly control: NetworkControl;
  readonly routing: RoutingWatch;
}
