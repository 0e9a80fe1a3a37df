/**
 * The layout of one flow in memory, and FlowCursor, the window through which codecs read and write
 * it. A record is 20 words of 32 bits (80 bytes); IPv6 addresses (64 bytes) and rare attributes
 * (128 bytes) stand in slabs of their own. Records of all tables, and scratch records, share this
 * layout, so a message can be encoded from any of them and decoded into any scratch record.
 *
 *   presence | kind | original source, destination, ports | reply source, destination, ports | zone
 *   status | timeout | mark | protocol info | id | created | updated | queue next, previous, sequence | rare
 *
 * Addresses hold the network-order bytes as they stand in memory (write them with little-endian
 * stores); every other number is in host order.
 */
import { protocol, statusBit } from '../constants.js';
import type { NameTable } from './nameTable.js';

/** Word offsets inside a record. */
export const recordWord = {
  /** Bits of `presenceBit`: which attributes are known. */
  presence: 0,
  /** See `kindField`. */
  kind: 1,
  /** IPv4: the address. IPv6: index of the address record (0 in a scratch record). */
  originalSource: 2,
  originalDestination: 3,
  /**
   * source << 16 | destination; ICMP: id << 16 | type << 8 | code; GRE: source key << 16 |
   * destination key.
   */
  originalPorts: 4,
  replySource: 5,
  replyDestination: 6,
  replyPorts: 7,
  /** Bits 0-15: zone id; bits 16-17: see `zoneScope`. */
  zone: 8,
  /** IPS_* bits. */
  status: 9,
  /** Seconds, as received when the record was last updated. */
  timeout: 10,
  mark: 11,
  /** See `infoField`. */
  info: 12,
  /** CTA_ID, opaque. */
  id: 13,
  /** Seconds of the monotonic clock. */
  created: 14,
  updated: 15,
  /** For the replication queues; slot numbers of the same table, 0 is "none". */
  queueNext: 16,
  queuePrevious: 17,
  queueSequence: 18,
  /** Index of the rare record; 0 is "none". */
  rare: 19,
} as const;

export const recordWords = 20;

/** Fields of `recordWord.kind`: shift and mask (after the shift). */
export const kindField = {
  protocolMask: 0xff,
  ipv6: 0x100,
  lifecycleShift: 9,
  lifecycleMask: 0x3,
  /** Bits 11-15 and 24-31 belong to the replication engine; tables keep them across merges. */
  ownerShift: 24,
  ownerMask: 0xff,
  lowOwnerShift: 11,
  ownerBits: 0xff00f800,
  generationShift: 16,
  generationMask: 0xff,
} as const;

/**
 * Life of a slot. A DEAD flow keeps its slot and its key until the replication engine removes it.
 */
export const lifecycle = { free: 0, fresh: 1, alive: 2, dead: 3 } as const;

/** Direction of the zone in `recordWord.zone`: CTA_ZONE, or CTA_TUPLE_ZONE of one direction. */
export const zoneScope = { both: 0, original: 0x1_0000, reply: 0x2_0000, mask: 0x3_0000 } as const;

/**
 * Fields of `recordWord.info`: byte 0 state; TCP: flags per direction and window scales; DCCP:
 * role.
 */
export const infoField = {
  stateMask: 0xff,
  flagsOriginalShift: 8,
  flagsReplyShift: 16,
  scaleOriginalShift: 24,
  scaleReplyShift: 28,
  /** DCCP role takes the place of the original flags. */
  roleShift: 8,
} as const;

/** Presence bits: the attribute is known. What is not known is neither printed nor sent. */
export const presenceBit = {
  status: 1 << 0,
  timeout: 1 << 1,
  mark: 1 << 2,
  /** TCP, SCTP or DCCP state. */
  state: 1 << 3,
  tcpFlagsOriginal: 1 << 4,
  tcpFlagsReply: 1 << 5,
  scaleOriginal: 1 << 6,
  scaleReply: 1 << 7,
  zone: 1 << 8,
  id: 1 << 9,
  /**
   * The reply tuple was received; without this bit it is the derived inverse, still valid in the
   * record.
   */
  reply: 1 << 10,
  /** Ports, ICMP fields or GRE keys of the original tuple. */
  ports: 1 << 11,
  vtagOriginal: 1 << 12,
  vtagReply: 1 << 13,
  dccpRole: 1 << 14,
  dccpHandshake: 1 << 15,
  master: 1 << 16,
  helper: 1 << 17,
  labels: 1 << 18,
  sequenceOriginal: 1 << 19,
  sequenceReply: 1 << 20,
  /** May be all zero (every injected flow has it so): then no rare record is spent on it. */
  synproxy: 1 << 21,
  securityContext: 1 << 22,
  securityMark: 1 << 23,
  // Held by scratch records only; tables drop them (they are out of date at once).
  countersOriginal: 1 << 24,
  countersReply: 1 << 25,
  start: 1 << 26,
  stop: 1 << 27,
  eventTime: 1 << 28,
  use: 1 << 29,
  /** Ports of the master tuple. */
  masterPorts: 1 << 30,
} as const;

/** Attributes that tables do not hold. */
export const transientPresence =
  presenceBit.countersOriginal |
  presenceBit.countersReply |
  presenceBit.start |
  presenceBit.stop |
  presenceBit.eventTime |
  presenceBit.use;

/** Attributes that need a rare record. */
export const rarePresence =
  presenceBit.vtagOriginal |
  presenceBit.vtagReply |
  presenceBit.dccpHandshake |
  presenceBit.master |
  presenceBit.masterPorts |
  presenceBit.helper |
  presenceBit.labels |
  presenceBit.sequenceOriginal |
  presenceBit.sequenceReply |
  presenceBit.synproxy |
  presenceBit.securityContext |
  presenceBit.securityMark;

/** Word offsets inside a rare record. 64-bit values are two words, high first. */
export const rareWord = {
  /** Four words in memory order: bit n of the label is byte n/8, bit n%8. */
  labels: 0,
  /** Correction position, offset before, offset after. */
  sequenceOriginal: 4,
  sequenceReply: 7,
  /** ISN, ITS, TSOFF. */
  synproxy: 10,
  vtagOriginal: 13,
  vtagReply: 14,
  dccpHandshake: 15,
  /** Id in the name table. */
  helper: 17,
  securityContext: 18,
  securityMark: 19,
  /** Protocol, and bit 8 for IPv6. */
  masterKind: 20,
  masterPorts: 21,
  /** Four words each; IPv4 uses the first. */
  masterSource: 22,
  masterDestination: 26,
  /** Bytes of labels that were received, a multiple of 4. */
  labelsLength: 30,
  // From here on scratch records only.
  packetsOriginal: 32,
  bytesOriginal: 34,
  packetsReply: 36,
  bytesReply: 38,
  start: 40,
  stop: 42,
  eventTime: 44,
  use: 46,
} as const;

export const rareWords = 32;
const scratchRareWords = 48;
export const addressRecordWords = 16;

/** Which of the four addresses. */
export const addressRole = {
  originalSource: 0,
  originalDestination: 1,
  replySource: 2,
  replyDestination: 3,
} as const;
export type AddressRole = 0 | 1 | 2 | 3;

const roleWord = [
  recordWord.originalSource,
  recordWord.originalDestination,
  recordWord.replySource,
  recordWord.replyDestination,
] as const;

const noWords = new Uint32Array(scratchRareWords);

/**
 * A window onto one record: FlowTable.seek points it at a slot, newScratch gives one with memory of
 * its own. Valid until the slot is removed or the table cleared. Reading an absent rare attribute
 * gives 0.
 */
export class FlowCursor {
  words: Uint32Array;
  at = 0;
  /** IPv6 addresses, four words per role. */
  addresses: Uint32Array;
  addressesAt = 0;
  rare: Uint32Array;
  rareAt = 0;
  readonly names: NameTable;

  constructor(names: NameTable, words = noWords, addresses = noWords, rareRecord = noWords) {
    this.names = names;
    this.words = words;
    this.addresses = addresses;
    this.rare = rareRecord;
  }

  /** A word of the record; see `recordWord`. */
  get(field: number): number {
    return this.words[this.at + field]!;
  }

  set(field: number, value: number): void {
    this.words[this.at + field] = value;
  }

  get presence(): number {
    return this.words[this.at]!;
  }

  /** True where all of `bits` are known. */
  knows(bits: number): boolean {
    return (this.words[this.at]! & bits) === bits;
  }

  /** Marks attributes as known. */
  learn(bits: number): void {
    this.words[this.at]! |= bits;
  }

  get protocol(): number {
    return this.words[this.at + recordWord.kind]! & kindField.protocolMask;
  }

  get isIpv6(): boolean {
    return (this.words[this.at + recordWord.kind]! & kindField.ipv6) !== 0;
  }

  /** Sets family and protocol, keeps lifecycle, generation and the owner's bits. */
  setKind(isIpv6: boolean, protocolNumber: number): void {
    const kept =
      this.words[this.at + recordWord.kind]! & ~(kindField.ipv6 | kindField.protocolMask);
    this.words[this.at + recordWord.kind] = kept | (isIpv6 ? kindField.ipv6 : 0) | protocolNumber;
  }

  /** Word `i` of an address, bytes in memory order (i is 0 for IPv4, 0..3 for IPv6). */
  addressWord(which: AddressRole, i: number): number {
    return this.isIpv6
      ? this.addresses[this.addressesAt + which * 4 + i]!
      : this.words[this.at + roleWord[which]]!;
  }

  setAddressWord(which: AddressRole, i: number, value: number): void {
    if (this.isIpv6) this.addresses[this.addressesAt + which * 4 + i] = value;
    else this.words[this.at + roleWord[which]] = value;
  }

  /** Protocol info: state of TCP, SCTP, DCCP. */
  get state(): number {
    return this.words[this.at + recordWord.info]! & infoField.stateMask;
  }

  /** Overwrites `bits` << `shift` of the protocol info. */
  setInfo(shift: number, mask: number, value: number): void {
    const at = this.at + recordWord.info;
    this.words[at] = (this.words[at]! & ~(mask << shift)) | ((value & mask) << shift);
  }

  getRare(field: number): number {
    return this.rare[this.rareAt + field]!;
  }

  setRare(field: number, value: number): void {
    this.rare[this.rareAt + field] = value;
  }

  /** The zone that belongs to the key: that of the original direction. */
  get keyZone(): number {
    const zone = this.words[this.at + recordWord.zone]!;
    return (zone & zoneScope.mask) === zoneScope.reply ? 0 : zone & 0xffff;
  }
}

/** A record with memory of its own, to decode into. Call `clearScratch` before each use. */
export function newScratch(names: NameTable): FlowCursor {
  return new FlowCursor(
    names,
    new Uint32Array(recordWords),
    new Uint32Array(addressRecordWords),
    new Uint32Array(scratchRareWords),
  );
}

/**
 * Forgets all attributes. Words without a presence bit are left as they are: readers look at the
 * bits.
 */
export function clearScratch(scratch: FlowCursor): void {
  const { words } = scratch;
  words[recordWord.presence] = 0;
  words[recordWord.kind] = 0;
  words[recordWord.originalPorts] = 0;
  words[recordWord.replyPorts] = 0;
  words[recordWord.zone] = 0;
  words[recordWord.status] = 0;
  words[recordWord.info] = 0;
}

/** ICMP and ICMPv6 query types and their replies. */
const replyTypes = new Map([
  [8, 0],
  [0, 8],
  [13, 14],
  [14, 13],
  [15, 16],
  [16, 15],
  [17, 18],
  [18, 17],
  [128, 129],
  [129, 128],
  [139, 140],
  [140, 139],
]);

/** The ports word of the inverse direction: swapped, or with the reply type where it is ICMP. */
export function inversePorts(protocolNumber: number, ports: number): number {
  if (protocolNumber === protocol.icmp || protocolNumber === protocol.icmpv6) {
    const type = (ports >>> 8) & 0xff;
    return (ports & 0xffff00ff) | ((replyTypes.get(type) ?? type) << 8);
  }
  return (ports << 16) | (ports >>> 16);
}

/**
 * Fills the reply tuple with the plain inverse of the original one; `presenceBit.reply` is not set.
 */
export function deriveReply(flow: FlowCursor): void {
  const parts = flow.isIpv6 ? 4 : 1;
  for (let i = 0; i < parts; i++) {
    flow.setAddressWord(
      addressRole.replySource,
      i,
      flow.addressWord(addressRole.originalDestination, i),
    );
    flow.setAddressWord(
      addressRole.replyDestination,
      i,
      flow.addressWord(addressRole.originalSource, i),
    );
  }
  flow.set(recordWord.replyPorts, inversePorts(flow.protocol, flow.get(recordWord.originalPorts)));
}

export function sameAddress(flow: FlowCursor, a: AddressRole, b: AddressRole): boolean {
  const parts = flow.isIpv6 ? 4 : 1;
  for (let i = 0; i < parts; i++) {
    if (flow.addressWord(a, i) !== flow.addressWord(b, i)) return false;
  }
  return true;
}

/** What the reply tuple says about translation: bit 0 source (SNAT), bit 1 destination (DNAT). */
export const natKind = { source: 1, destination: 2 } as const;

/**
 * Translation of a flow, derived from its tuples: reply destination against original source, reply
 * source against original destination, ports included; an ICMP id that changed counts as source
 * translation.
 */
export function natOf(flow: FlowCursor): number {
  const number = flow.protocol;
  const plain = inversePorts(number, flow.get(recordWord.originalPorts)) >>> 0;
  const actual = flow.get(recordWord.replyPorts);
  let nat = 0;
  if (!sameAddress(flow, addressRole.replyDestination, addressRole.originalSource))
    nat |= natKind.source;
  if (!sameAddress(flow, addressRole.replySource, addressRole.originalDestination))
    nat |= natKind.destination;
  if (actual === plain) return nat;
  if (number === protocol.icmp || number === protocol.icmpv6) {
    return actual >>> 16 === plain >>> 16 ? nat : nat | natKind.source;
  }
  if ((actual & 0xffff) !== (plain & 0xffff)) nat |= natKind.source;
  if (actual >>> 16 !== plain >>> 16) nat |= natKind.destination;
  return nat;
}

/** Whether the kernel or the peer says that the flow is over. */
export function isDying(flow: FlowCursor): boolean {
  return (flow.get(recordWord.status) & statusBit.dying) !== 0;
}

/** A reply was seen; false too where the status is unknown. */
export function isAnswered(flow: FlowCursor): boolean {
  return (flow.get(recordWord.status) & statusBit.seenReply) !== 0;
}
