/**
 * What the rest of keepstate asks of the kernel and the wire, as interfaces only. `vrrp` and `sync`
 * see nothing else of this room; the real parts are constructed in src/daemon/compose.ts and in the
 * worker entry.
 */
import type { IpAddress, IpFamily } from '../base/ipAddress.js';

/** Network operations end in one of these; only `refused` is a surprise. `errno` is positive. */
export type KernelOutcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'exists' }
  | { readonly kind: 'absent' }
  | { readonly kind: 'refused'; readonly errno: number; readonly message: string };

// ---- links, addresses, routes (rtnetlink)
// ------------------------------------------------------------

/** RTM_NEWLINK. `mac` has 6 bytes on Ethernet, else the hardware's length. */
export interface LinkState {
  readonly index: number;
  readonly name: string;
  readonly mac: Uint8Array;
  readonly mtu: number;
  /** IFF_UP. */
  readonly isUp: boolean;
  /** IFF_RUNNING: carrier and operational state allow traffic. */
  readonly isRunning: boolean;
  readonly isLoopback: boolean;
  /** IFLA_CARRIER_DOWN_COUNT: a short carrier loss shows only here. */
  readonly carrierDownCount: number | undefined;
}

/** RTM_NEWADDR. */
export interface AddressState {
  readonly linkIndex: number;
  readonly address: IpAddress;
  readonly prefixLength: number;
  readonly peer: IpAddress | undefined;
  readonly broadcast: IpAddress | undefined;
  readonly label: string | undefined;
  /** RT_SCOPE_*: 0 universe, 200 site, 253 link, 254 host. */
  readonly scope: number;
  /** IFA_F_*. */
  readonly flags: number;
  /** IFA_PROTO: origin tag; keepalived uses 18. */
  readonly protocol: number | undefined;
}

export type NetworkEvent =
  | { readonly kind: 'link'; readonly link: LinkState }
  | { readonly kind: 'linkGone'; readonly link: LinkState }
  | { readonly kind: 'address'; readonly address: AddressState }
  | { readonly kind: 'addressGone'; readonly address: AddressState }
  /**
   * After an overrun the whole state was read again; differences were delivered as events before
   * this.
   */
  | { readonly kind: 'resynced' };

/** The kernel's links and addresses, kept current. `links` and `addresses` are snapshots. */
export interface NetworkWatch {
  links(): readonly LinkState[];
  linkByName(name: string): LinkState | undefined;
  addresses(): readonly AddressState[];
  /** Returns the function that ends the subscription. */
  subscribe(listener: (event: NetworkEvent) => void): () => void;
}

/** What to add or delete. Absent fields take the kernel's default. */
export interface AddressSpec {
  readonly interfaceName: string;
  readonly address: IpAddress;
  readonly prefixLength: number;
  readonly peer?: IpAddress;
  readonly broadcast?: IpAddress;
  readonly label?: string;
  readonly scope?: number;
  /** IFA_F_*; IPv6 VIPs carry NODAD (0x02). */
  readonly flags?: number;
  readonly protocol?: number;
  /** Seconds; undefined is for ever. */
  readonly preferredLifetimeSeconds?: number;
  /**
   * The interface by its index, for a deletion: it may have another name by now. Absent: by its
   * name.
   */
  readonly interfaceIndex?: number;
}

export interface RouteSpec {
  readonly family: IpFamily;
  /** undefined is the default route. */
  readonly destination?: IpAddress;
  readonly prefixLength: number;
  readonly gateway?: IpAddress;
  readonly interfaceName?: string;
  readonly source?: IpAddress;
  readonly metric?: number;
  readonly table?: number;
  readonly scope?: number;
  /** RTN_*: 1 unicast, 6 blackhole, 7 unreachable, 8 prohibit. */
  readonly type?: number;
  /** RTPROT_*: 18 keepalived. */
  readonly protocol?: number;
  readonly mtu?: number;
  /** Path MTU discovery may not lower it. */
  readonly mtuIsLocked?: boolean;
  readonly onlink?: boolean;
  readonly tos?: number;
}

export interface RuleSpec {
  readonly family: IpFamily;
  readonly from?: { readonly address: IpAddress; readonly prefixLength: number };
  readonly to?: { readonly address: IpAddress; readonly prefixLength: number };
  readonly inputInterface?: string;
  readonly outputInterface?: string;
  readonly fwmark?: number;
  readonly fwmask?: number;
  readonly priority?: number;
  readonly table?: number;
  readonly protocol?: number;
  /**
   * FR_ACT_* (linux/fib_rules.h): 6 blackhole, 7 unreachable, 8 prohibit; absent: look `table` up.
   */
  readonly action?: number;
}

/**
 * A route or rule that the kernel has no more, whoever took it; `unknown`: some were not read in
 * time.
 */
export type RoutingLoss =
  | {
      readonly kind: 'route';
      readonly family: IpFamily;
      /** Absent: the default route. */
      readonly destination?: IpAddress;
      readonly prefixLength: number;
    }
  | { readonly kind: 'rule'; readonly family: IpFamily }
  | { readonly kind: 'unknown' };

export interface RoutingWatch {
  /** Returns the function that ends the subscription. */
  subscribe(listener: (loss: RoutingLoss) => void): () => void;
  close(): void;
}

/** Adding what exists gives `exists`, deleting what is gone gives `absent`; neither rejects. */
export interface NetworkControl {
  addAddress(spec: AddressSpec): Promise<KernelOutcome>;
  deleteAddress(spec: AddressSpec): Promise<KernelOutcome>;
  addRoute(spec: RouteSpec): Promise<KernelOutcome>;
  deleteRoute(spec: RouteSpec): Promise<KernelOutcome>;
  addRule(spec: RuleSpec): Promise<KernelOutcome>;
  deleteRule(spec: RuleSpec): Promise<KernelOutcome>;
}

// ---- VRRP datagrams (raw IP, protocol 112)
// ----------------------------------------------------------

/**
 * A received VRRP datagram. `payload` starts at the VRRP header and is a copy owned by the
 * receiver.
 */
export interface VrrpDatagram {
  readonly source: IpAddress;
  /** undefined where the kernel does not tell (IPv6). */
  readonly destination: IpAddress | undefined;
  /** TTL or hop limit; undefined where the kernel does not tell. */
  readonly ttl: number | undefined;
  /** IPv4 total length; undefined on IPv6. */
  readonly totalLength: number | undefined;
  /** Bytes of IP payload, IP options and header excluded. */
  readonly payload: Uint8Array;
}

export interface VrrpSocketSpec {
  readonly family: IpFamily;
  readonly interfaceName: string;
  /** Joined on the interface; undefined is a unicast socket. */
  readonly multicastGroup?: IpAddress;
  /** Unicast: the local address that datagrams must be sent to. */
  readonly localAddress?: IpAddress;
  readonly receiveBufferBytes?: number;
}

export interface VrrpSend {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** IPv4 identification field. */
  readonly identification: number;
  readonly ttl: number;
  readonly payload: Uint8Array;
}

/** One socket serves all instances with the same family, interface and group or local address. */
export interface VrrpSocket {
  onDatagram(listener: (datagram: VrrpDatagram) => void): void;
  /** Delivers, before returning, each datagram that already waits in the kernel. */
  drain(): void;
  send(request: VrrpSend): KernelOutcome;
  close(): void;
}

export interface VrrpSocketFactory {
  open(spec: VrrpSocketSpec): { readonly socket: VrrpSocket } | { readonly refused: KernelOutcome };
}

// ---- Ethernet frames
// --------------------------------------------------------------------------------

/**
 * Gratuitous ARP (IPv4) and unsolicited neighbour advertisements (IPv6); the MAC is read at send
 * time.
 */
export interface NeighbourAnnouncer {
  announce(interfaceName: string, address: IpAddress): KernelOutcome;
}

// ---- replication channel (UDP, TCP)
// ---------------------------------------------------------------------

export interface ChannelSpec {
  readonly kind: 'udp' | 'multicast';
  readonly family: IpFamily;
  readonly interfaceName: string;
  /** UDP: address the receiver binds to. Multicast: interface address (IPv4), may be absent. */
  readonly localAddress?: IpAddress;
  /** UDP: the peer. Multicast: the group. */
  readonly destination: IpAddress;
  readonly port: number;
  readonly sendBufferBytes?: number;
  readonly receiveBufferBytes?: number;
  readonly checksum: boolean;
  /**
   * SO_BINDTODEVICE on both sockets, as multicast has it always. Default false: what comes in by
   * another device is delivered, and `Arrival` names the device.
   */
  readonly bindToInterface?: boolean;
  /**
   * The sender has a port below 1024, where this process may bind one: then only a privileged
   * program of this machine can speak from there.
   */
  readonly fromPrivilegedPort?: boolean;
}

/** How a datagram came. Absent over connections. */
export interface Arrival {
  /** TTL or hop limit; undefined where the kernel does not tell. */
  readonly ttl: number | undefined;
  /** Name of the device where that is not the channel's own. */
  readonly strangeDevice?: string;
}

/** Where a datagram came from, and how. */
export interface DatagramOrigin {
  readonly source: IpAddress;
  readonly port: number;
  /** Absent over connections. */
  readonly arrival?: Arrival | undefined;
}

/** Fixed receive memory: `datagram` is valid only during the call. */
export type ChannelListener = (
  datagram: Uint8Array,
  source: IpAddress,
  sourcePort: number,
  arrival?: Arrival,
) => void;

export interface Channel {
  onDatagram(listener: ChannelListener): void;
  /** Sends at once; the bytes may be reused after the call. */
  send(datagram: Uint8Array): KernelOutcome;
  /**
   * Datagrams of `size` bytes each, end to end, the last may be shorter: all are sent or none. At
   * most 64, and 65,000 bytes. Absent, or refused with another errno than EAGAIN: each must be sent
   * by itself.
   */
  sendRun?(datagrams: Uint8Array, size: number): KernelOutcome;
  /** After a send was refused with EAGAIN: calls back once when the kernel has room again. */
  onceWritable?(callback: () => void): void;
  /**
   * Present where to open a datagram costs, as on sealed channels: `admits` is asked before that,
   * and what it refuses is dropped. Not over connections, which are judged when they come in.
   */
  screen?(admits: (origin: DatagramOrigin) => boolean): void;
  /** MTU of the link when the channel was opened, where the channel has a link. */
  readonly mtu?: number | undefined;
  /** Bytes that the channel adds to each datagram; absent: none. */
  readonly overhead?: number;
  /**
   * Index of the interface when the channel was opened, where its sockets depend on it: they are
   * dead once the interface is gone, also where one of the same name follows.
   */
  readonly interfaceIndex?: number | undefined;
  /** Reads that failed, and datagrams that were dropped because they were too long. */
  readonly receiveErrors?: number;
  /** Present where the channel runs over connections. */
  readonly stream?: StreamControl | undefined;
  close(): void;
}

/**
 * TCP. Own messages travel on the connection that this node opened, the peer's on the one that the
 * peer opened. `send` is refused with EAGAIN while a connection is being made or is full, and with
 * ENOTCONN while there is none; `onceWritable` calls back in each case once that has changed.
 */
export interface StreamSpec {
  readonly family: IpFamily;
  readonly interfaceName: string;
  /** Listens here, and connects from here. */
  readonly localAddress: IpAddress;
  readonly destination: IpAddress;
  /** Of both ends. */
  readonly port: number;
  readonly sendBufferBytes?: number;
  readonly receiveBufferBytes?: number;
}

export interface StreamControl {
  /** The own connection stands. */
  readonly isSending: boolean;
  /** The peer's connection stands. */
  readonly isReceiving: boolean;
  /** Before this call nobody's connection is taken. */
  watch(watcher: StreamWatcher): void;
  /**
   * Drops what is still under way on the own connection, and makes another at once, without a
   * pause.
   */
  restart(): void;
}

export interface StreamWatcher {
  /** False closes a connection that has just come in. */
  admits(source: IpAddress): boolean;
  /** One of the two connections came to stand, or ended; `because` is for a person. */
  changed(direction: 'sending' | 'receiving', isConnected: boolean, because: string): void;
}

/**
 * Cuts whole messages off one connection's bytes. Knows the protocol; holds little more than one
 * message.
 */
export interface StreamFraming {
  /**
   * Delivers the whole messages, many in one call where they lie together; valid during the call.
   * False where the bytes can be no messages: the connection is to be closed, nothing behind them
   * can be found again, and the message before them is not delivered.
   */
  push(chunk: Uint8Array, deliver: (messages: Uint8Array) => void): boolean;
}

// ---- probes of reachability
// ---------------------------------------------------------------------------------

/** Whom to ask, and how. `interfaceName`: probes leave and answers come by this device alone. */
export type ProbeSpec = {
  readonly address: IpAddress;
  readonly interfaceName?: string;
  readonly source?: IpAddress;
  /** TTL or hop limit. */
  readonly ttl?: number;
} & (
  | {
      readonly kind: 'icmp';
      /** Bytes of payload, at least 24. */
      readonly size: number;
    }
  | { readonly kind: 'arp'; readonly interfaceName: string }
  | { readonly kind: 'tcp'; readonly port: number }
);

/** Called on the owner's thread, never from within `send`. */
export interface ProbeListener {
  /** The answer to the probe of that number. */
  answered(probe: number): void;
  /** The kernel did not send it after all, or (TCP) the answer is no. */
  failed(probe: number, errno: number): void;
}

/** What came in beside the answers; counters since the start. */
export interface ProbeCounters {
  /** Of another pinger, with a wrong source, number or payload, or malformed. */
  readonly junk: number;
  readonly duplicates: number;
  /** After the probe was given up. */
  readonly late: number;
  /** How often reading was paused because too much came in. */
  readonly floods: number;
}

/** Asks one address. */
export interface Prober {
  /** Sends the probe of that number, which must not be one that is open. */
  send(probe: number): KernelOutcome;
  /** The probe is given up. */
  forget(probe: number): void;
  /** More comes in than is read, so that answers may be lost here. */
  readonly isFlooded: boolean;
  close(): void;
}

export interface ProberFactory {
  /** Which socket ICMP goes through, for people: `raw-socket`, or `batched socket`. */
  readonly icmpSocket: string;
  readonly counters: ProbeCounters;
  open(spec: ProbeSpec, listener: ProbeListener): Prober;
}
