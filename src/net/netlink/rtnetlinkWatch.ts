/**
 * The kernel's links and addresses, kept current: the NetworkWatch port over rtnetlink. Events and
 * dumps have a socket each. After an overrun everything is read again and the differences become
 * events.
 */
import { FlagsGet } from 'netlink/dist/constants';
import type { NetlinkSocket } from 'netlink/dist/netlink';
import { MessageType } from 'netlink/dist/rt/structs';
import { DecodeError } from '../../base/errors.js';
import { formatIp } from '../../base/ipAddress.js';
import { silentLogger, type Logger } from '../../base/logger.js';
import { milliseconds, type ArmedTimer, type Timers } from '../../base/time.js';
import type { BatchedSocket } from '../socket/batchedSocket.js';
import { ENOBUFS } from '../../base/errno.js';
import type { AddressState, LinkState, NetworkEvent, NetworkWatch } from '../ports.js';
import {
  decodeAddress,
  decodeLink,
  RTM_DELADDR,
  RTM_DELLINK,
  RTM_NEWADDR,
  RTM_NEWLINK,
  splitMessages,
  type RtnetlinkMessage,
} from './rtnetlinkDecode.js';
import {
  forKernelDatagrams,
  netlinkSocketOver,
  openRtnetlinkSocket,
} from './rtnetlinkTransport.js';

/** RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR. */
const groups = [1, 5, 9];
const defaultReceiveBufferBytes = 4 * 1024 * 1024;
/** Pause between two full reads while overruns go on. */
const resyncPause = milliseconds(50);
/** Before another try when a full read failed. */
const retryPause = milliseconds(1_000);
const dumpTimeoutMilliseconds = 10_000;
/** NLM_F_DUMP_INTR: the table changed under the dump. */
const dumpInterrupted = 0x10;

export interface RtnetlinkWatchOptions {
  readonly timers: Timers;
  readonly logger?: Logger;
  readonly receiveBufferBytes?: number;
}

interface Snapshot {
  readonly links: Map<number, LinkState>;
  readonly addresses: Map<string, AddressState>;
}

export class RtnetlinkWatch implements NetworkWatch {
  readonly #events: BatchedSocket;
  readonly #dumps: NetlinkSocket;
  readonly #timers: Timers;
  readonly #logger: Logger;
  readonly #listeners = new Set<(event: NetworkEvent) => void>();
  #state: Snapshot = { links: new Map(), addresses: new Map() };
  /** Messages that arrive while a full read runs; they are applied on top of it. */
  #pending: RtnetlinkMessage[] | undefined;
  #isStale = true;
  #isReading = false;
  #isClosed = false;
  #retry: ArmedTimer | undefined;
  #overruns = 0;

  private constructor(options: RtnetlinkWatchOptions) {
    this.#timers = options.timers;
    this.#logger = options.logger ?? silentLogger;
    const receiveBufferBytes = options.receiveBufferBytes ?? defaultReceiveBufferBytes;
    this.#events = openRtnetlinkSocket(groups, receiveBufferBytes);
    this.#dumps = netlinkSocketOver(openRtnetlinkSocket());
    this.#events.startReceiving({
      onBatch: (count) => {
        this.#receive(count);
      },
      onOverrun: () => {
        this.#overruns++;
        this.#isStale = true;
        void this.#resync();
      },
      onError: (errno) => {
        this.#logger.log('warning', 'rtnetlink events cannot be read', { errno });
      },
    });
  }

  /**
   * Subscribes, in the network namespace of the calling thread. Call `load` next. Throws
   * KernelError.
   */
  static open(options: RtnetlinkWatchOptions): RtnetlinkWatch {
    return new RtnetlinkWatch(options);
  }

  /** Reads everything for the first time; rejects with KernelError or a time-out. */
  async load(): Promise<void> {
    this.#isReading = true;
    try {
      await this.#readAll();
    } finally {
      this.#isReading = false;
    }
    if (this.#isStale) void this.#resync();
  }

  /** How often the kernel dropped events because nobody read them in time. */
  get overruns(): number {
    return this.#overruns;
  }

  links(): readonly LinkState[] {
    return [...this.#state.links.values()];
  }

  linkByName(name: string): LinkState | undefined {
    for (const link of this.#state.links.values()) if (link.name === name) return link;
    return undefined;
  }

  addresses(): readonly AddressState[] {
    return [...this.#state.addresses.values()];
  }

  subscribe(listener: (event: NetworkEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Whether a watch keeps the process alive (default true). */
  setReferenced(referenced: boolean): void {
    this.#events.setReferenced(referenced);
  }

  close(): void {
    this.#isClosed = true;
    this.#retry?.cancel();
    this.#listeners.clear();
    this.#events.close();
    this.#dumps.close();
  }

  #receive(count: number): void {
    const messages: RtnetlinkMessage[] = [];
    forKernelDatagrams(this.#events, count, (datagram) => {
      // Copied: the ring is reused before a waiting message is applied.
      messages.push(...this.#decoded(() => splitMessages(datagram.slice()), []));
    });
    if (this.#pending !== undefined) this.#pending.push(...messages);
    else for (const message of messages) this.#apply(message);
  }

  #apply(message: RtnetlinkMessage): void {
    if (this.#isClosed) return;
    const { type, body } = message;
    if (type === RTM_NEWLINK || type === RTM_DELLINK) {
      const link = this.#decoded(() => decodeLink(body), undefined);
      if (link !== undefined) this.#setLink(link, type === RTM_DELLINK);
    } else if (type === RTM_NEWADDR || type === RTM_DELADDR) {
      const address = this.#decoded(() => decodeAddress(body), undefined);
      if (address !== undefined) this.#setAddress(address, type === RTM_DELADDR);
    }
  }

  #setLink(link: LinkState, isGone: boolean): void {
    const before = this.#state.links.get(link.index);
    if (!isGone) {
      this.#state.links.set(link.index, link);
      // Renamed while it is up (Linux 6.2 and later allow it): who goes by the old name must hear
      // of it.
      if (before !== undefined && before.name !== link.name) {
        this.#emit({ kind: 'linkGone', link: before });
      }
      if (before === undefined || !sameLink(before, link)) this.#emit({ kind: 'link', link });
    } else if (before !== undefined) {
      for (const address of this.addresses()) {
        if (address.linkIndex === link.index) this.#setAddress(address, true);
      }
      this.#state.links.delete(link.index);
      this.#emit({ kind: 'linkGone', link: before });
    }
  }

  #setAddress(address: AddressState, isGone: boolean): void {
    const key = addressKey(address);
    const before = this.#state.addresses.get(key);
    if (!isGone) {
      this.#state.addresses.set(key, address);
      if (before === undefined || !sameAddress(before, address)) {
        this.#emit({ kind: 'address', address });
      }
    } else if (before !== undefined) {
      this.#state.addresses.delete(key);
      this.#emit({ kind: 'addressGone', address: before });
    }
  }

  /** Reads everything again, once more for as long as overruns come in between. */
  async #resync(): Promise<void> {
    if (this.#isReading || this.#isClosed) return;
    this.#isReading = true;
    this.#retry?.cancel();
    let pause = resyncPause;
    try {
      await this.#readAll();
      if (this.#isCurrent()) this.#emit({ kind: 'resynced' });
    } catch (error) {
      this.#isStale = true;
      pause = retryPause;
      this.#logger.log('warning', 'links and addresses cannot be read', { error: String(error) });
    } finally {
      this.#isReading = false;
    }
    if (!this.#isCurrent()) {
      this.#retry = this.#timers.after(pause, () => void this.#resync());
    }
  }

  /** Nothing to read. A method, because both can change during any await. */
  #isCurrent(): boolean {
    return !this.#isStale || this.#isClosed;
  }

  async #readAll(): Promise<void> {
    const waiting: RtnetlinkMessage[] = [];
    this.#pending = waiting;
    try {
      // Let the callback that reported an overrun return first.
      await Promise.resolve();
      this.#discardWaiting();
      const links = await this.#dump(MessageType.GETLINK, decodeLink);
      const addresses = await this.#dump(MessageType.GETADDR, decodeAddress);
      if (this.#isClosed) return;
      this.#adopt(links, addresses);
    } finally {
      this.#pending = undefined;
      for (const message of waiting) this.#apply(message);
    }
  }

  /**
   * After an overrun the kernel drops without a further word until the queue was empty once
   * (NETLINK_S_CONGESTED), so a read that starts earlier could miss changes for good. What is
   * discarded is older than what will be read.
   */
  #discardWaiting(): void {
    while (!this.#isClosed) {
      const count = this.#events.receive();
      if (count === 0 || (count < 0 && count !== -ENOBUFS)) break;
    }
    this.#isStale = false;
  }

  /** Makes the state what was read, by the events that lead there: losses first. */
  #adopt(links: readonly LinkState[], addresses: readonly AddressState[]): void {
    const linkIndices = new Set(links.map((link) => link.index));
    const addressKeys = new Set(addresses.map(addressKey));
    for (const address of this.addresses()) {
      if (!addressKeys.has(addressKey(address))) this.#setAddress(address, true);
    }
    for (const link of this.links()) if (!linkIndices.has(link.index)) this.#setLink(link, true);
    for (const link of links) this.#setLink(link, false);
    for (const address of addresses) this.#setAddress(address, false);
  }

  /**
   * A whole table. One that changed meanwhile is read again; the last try counts, events complete
   * it.
   */
  async #dump<T>(type: number, decode: (body: Uint8Array) => T | undefined): Promise<T[]> {
    // ifinfomsg, 16 bytes, family 0 for all; the first 8 are a valid ifaddrmsg.
    const everything = Buffer.alloc(16);
    for (let attempt = 1; ; attempt++) {
      const [messages] = await this.#dumps.request(type, everything, {
        flags: FlagsGet.DUMP,
        timeout: dumpTimeoutMilliseconds,
      });
      const isWhole = messages.every((message) => (message.flags & dumpInterrupted) === 0);
      if (!isWhole && attempt < 5) continue;
      return messages.flatMap((message) =>
        this.#decoded<T | T[]>(() => decode(message.data) ?? [], []),
      );
    }
  }

  #decoded<T>(decode: () => T, otherwise: T): T {
    try {
      return decode();
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#logger.log('warning', 'rtnetlink message skipped', { because: error.code });
      return otherwise;
    }
  }

  #emit(event: NetworkEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }
}

function addressKey(address: AddressState): string {
  const peer = address.peer === undefined ? '' : formatIp(address.peer);
  return `${address.linkIndex} ${formatIp(address.address)}/${address.prefixLength} ${peer}`;
}

function sameLink(a: LinkState, b: LinkState): boolean {
  return (
    a.name === b.name &&
    a.mtu === b.mtu &&
    a.isUp === b.isUp &&
    a.isRunning === b.isRunning &&
    a.carrierDownCount === b.carrierDownCount &&
    Buffer.compare(a.mac, b.mac) === 0
  );
}

function sameAddress(a: AddressState, b: AddressState): boolean {
  const broadcast = (state: AddressState): string =>
    state.broadcast === undefined ? '' : formatIp(state.broadcast);
  return (
    a.label === b.label &&
    a.scope === b.scope &&
    a.flags === b.flags &&
    a.protocol === b.protocol &&
    broadcast(a) === broadcast(b)
  );
}
