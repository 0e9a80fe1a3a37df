/**
 * Which flows are kept and replicated (conntrackd 1.4.7 `Filter`, user space semantics), and what
 * is never: own addresses and VIPs, loopback, multicast and broadcast, so that nothing of this node
 * itself, the replication channel included, is replicated. An address matches as original source or
 * as reply source (the real server behind DNAT); so a translated flow through a VIP is kept, a flow
 * to the VIP itself is not.
 */
import type { IpAddress } from '../base/ipAddress.js';
import { protocol } from './constants.js';
import {
  presenceBit,
  addressRole,
  type AddressRole,
  type FlowCursor,
} from './record/flowRecord.js';

export interface FilterList<T> {
  readonly policy: 'accept' | 'ignore';
  readonly entries: readonly T[];
}

export interface FilterPrefix {
  readonly address: IpAddress;
  readonly prefixLength: number;
}

/**
 * A flow must pass every list that is present. Same shape as the settings of the replication
 * engine.
 */
export interface FlowFilterSettings {
  readonly protocol?: FilterList<number>;
  readonly address?: FilterList<FilterPrefix>;
  /** Kernel TCP state numbers; other protocols, and messages without a state, pass. */
  readonly tcpState?: FilterList<number>;
}

/** Never replicated: loopback, multicast, broadcast, IPv6 link-local (which no router forwards). */
const alwaysIgnored: readonly FilterPrefix[] = [
  prefix([127, 0, 0, 0], 8),
  prefix([224, 0, 0, 0], 4),
  prefix([255, 255, 255, 255], 32),
  prefix([...new Array<number>(15).fill(0), 1], 128),
  prefix([0xff, ...new Array<number>(15).fill(0)], 8),
  prefix([0xfe, 0x80, ...new Array<number>(14).fill(0)], 10),
];

export class FlowFilter {
  readonly #protocols: Uint8Array | undefined;
  readonly #addresses: AddressSet | undefined;
  readonly #acceptListed: boolean;
  readonly #states: Uint8Array | undefined;
  #own: AddressSet;

  /** `ignoresOwn`: false where flows of the node itself are to be kept too. */
  constructor(
    settings: FlowFilterSettings,
    ownAddresses: readonly IpAddress[] = [],
    ignoresOwn = true,
  ) {
    this.#protocols = verdicts(settings.protocol);
    this.#states = verdicts(settings.tcpState);
    this.#addresses =
      settings.address === undefined ? undefined : new AddressSet(settings.address.entries);
    this.#acceptListed = settings.address?.policy === 'accept';
    this.#own = ignoresOwn ? ownSet(ownAddresses) : new AddressSet([]);
  }

  /** The addresses of this node as they are now, VIPs included. */
  setOwnAddresses(addresses: readonly IpAddress[]): void {
    this.#own = ownSet(addresses);
  }

  /** True for flows to or from this node itself, whatever the configuration says. */
  isOwn(flow: FlowCursor): boolean {
    return (
      this.#own.has(flow, addressRole.originalSource) ||
      this.#own.has(flow, addressRole.replySource) ||
      // Multicast and broadcast are destinations; the reply source is the same unless translated.
      this.#own.hasFixed(flow, addressRole.originalDestination)
    );
  }

  /** The configured lists alone. */
  passesLists(flow: FlowCursor): boolean {
    if (!this.#passesStaticLists(flow)) return false;
    if (this.#states === undefined || flow.protocol !== protocol.tcp) return true;
    return !flow.knows(presenceBit.state) || this.#states[flow.state] !== 0;
  }

  /** Whether a flow is kept. Ends of flows must not be asked for: an end is always let through. */
  accepts(flow: FlowCursor): boolean {
    return !this.isOwn(flow) && this.passesLists(flow);
  }

  /**
   * Whether the flow can have been sent, whatever its state is now: for the ends of flows that
   * nothing remembers, and for tuples that have no state.
   */
  acceptsTuple(flow: FlowCursor): boolean {
    return !this.isOwn(flow) && this.#passesStaticLists(flow);
  }

  #passesStaticLists(flow: FlowCursor): boolean {
    if (this.#protocols !== undefined && this.#protocols[flow.protocol] === 0) return false;
    if (this.#addresses !== undefined) {
      const isListed =
        this.#addresses.has(flow, addressRole.originalSource) ||
        this.#addresses.has(flow, addressRole.replySource);
      if (isListed !== this.#acceptListed) return false;
    }
    return true;
  }
}

/** 1 where the number passes. */
function verdicts(list: FilterList<number> | undefined): Uint8Array | undefined {
  if (list === undefined) return undefined;
  const listed = list.policy === 'accept' ? 1 : 0;
  const table = new Uint8Array(256).fill(1 - listed);
  for (const number of list.entries) table[number & 0xff] = listed;
  return table;
}

function ownSet(addresses: readonly IpAddress[]): AddressSet {
  const single = addresses.map((address) => ({
    address,
    prefixLength: address.bytes.length * 8,
  }));
  return new AddressSet(single, alwaysIgnored);
}

/**
 * A handful of numbers is looked through faster than hashed; a node has few addresses of its own.
 */
const fewAddresses = 16;

/**
 * Addresses and networks, compared as words in memory order: single IPv4 addresses as numbers,
 * everything else as (network, mask) rows. Most addresses are ruled out by their first octet.
 */
class AddressSet {
  /** By first octet of IPv4: 1 where something of the set begins with it. */
  readonly #octets4 = new Uint8Array(256);
  readonly #few4: Int32Array;
  readonly #many4: Set<number> | undefined;
  /** network, mask. */
  readonly #networks4: Int32Array;
  /** Four words of network, four of mask. */
  readonly #networks6: Int32Array;
  readonly #fixed4: Int32Array;
  readonly #fixed6: Int32Array;

  constructor(entries: readonly FilterPrefix[], fixed: readonly FilterPrefix[] = []) {
    const isSingle = ({ address, prefixLength }: FilterPrefix): boolean =>
      address.family === 4 && prefixLength === 32;
    const single = entries.filter(isSingle).map(({ address }) => wordsOf(address.bytes)[0]!);
    const networks = entries.filter((entry) => !isSingle(entry));
    for (const entry of [...entries, ...fixed]) markOctets(this.#octets4, entry);
    this.#few4 = Int32Array.from(single.length <= fewAddresses ? single : []);
    this.#many4 = single.length <= fewAddresses ? undefined : new Set(single);
    this.#networks4 = rowsOf(networks, 4);
    this.#networks6 = rowsOf(networks, 6);
    this.#fixed4 = rowsOf(fixed, 4);
    this.#fixed6 = rowsOf(fixed, 6);
  }

  has(flow: FlowCursor, which: AddressRole): boolean {
    if (flow.isIpv6) {
      return match6(this.#fixed6, flow, which) || match6(this.#networks6, flow, which);
    }
    const value = flow.addressWord(which, 0) | 0;
    if (this.#octets4[value & 0xff] === 0) return false;
    return (
      match4(this.#fixed4, value) ||
      isAmong(this.#few4, value) ||
      this.#many4?.has(value) === true ||
      match4(this.#networks4, value)
    );
  }

  hasFixed(flow: FlowCursor, which: AddressRole): boolean {
    if (flow.isIpv6) return match6(this.#fixed6, flow, which);
    const value = flow.addressWord(which, 0) | 0;
    return this.#octets4[value & 0xff] !== 0 && match4(this.#fixed4, value);
  }
}

/** The first octet is the lowest byte of a word in memory order. */
function markOctets(octets: Uint8Array, { address, prefixLength }: FilterPrefix): void {
  if (address.family !== 4) return;
  const mask = maskBytes(1, prefixLength)[0]!;
  const first = address.bytes[0]! & mask;
  for (let octet = 0; octet < 256; octet++) if ((octet & mask) === first) octets[octet] = 1;
}

function isAmong(numbers: Int32Array, value: number): boolean {
  for (const number of numbers) if (number === value) return true;
  return false;
}

function match4(rows: Int32Array, value: number): boolean {
  for (let i = 0; i < rows.length; i += 2) {
    if ((value & rows[i + 1]!) === rows[i]) return true;
  }
  return false;
}

function match6(rows: Int32Array, flow: FlowCursor, which: AddressRole): boolean {
  for (let i = 0; i < rows.length; i += 8) {
    let word = 0;
    while (word < 4 && (flow.addressWord(which, word) & rows[i + 4 + word]!) === rows[i + word]) {
      word++;
    }
    if (word === 4) return true;
  }
  return false;
}

function rowsOf(prefixes: readonly FilterPrefix[], family: 4 | 6): Int32Array {
  return Int32Array.from(
    prefixes
      .filter(({ address }) => address.family === family)
      .flatMap(({ address, prefixLength }) => {
        const mask = wordsOf(maskBytes(address.bytes.length, prefixLength));
        const network = wordsOf(address.bytes).map((word, i) => word & mask[i]!);
        return [...network, ...mask];
      }),
  );
}

function maskBytes(length: number, prefixLength: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => {
    const bits = Math.max(0, Math.min(8, prefixLength - 8 * i));
    return (0xff00 >>> bits) & 0xff;
  });
}

/** Signed words as they stand in memory on a little-endian machine. */
function wordsOf(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / 4 }, (_, i) => view.getInt32(4 * i, true));
}

function prefix(bytes: readonly number[], prefixLength: number): FilterPrefix {
  const address: IpAddress = { family: bytes.length === 4 ? 4 : 6, bytes: Uint8Array.from(bytes) };
  return { address, prefixLength };
}
