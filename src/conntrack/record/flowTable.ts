/**
 * All flows of one cache, in typed arrays: no object, string, Buffer or BigInt per flow. A slot is
 * a number from 1 up, stable until removed. The replication engine keeps its queues in the records
 * themselves (recordWord.queueNext and so on) and its flags in the owner bits of recordWord.kind.
 *
 * Typical use: decode a message into a scratch cursor, `find` it, then `insert`, `merge` or
 * `remove`.
 */
import { hashKey, sameKey } from './flowKey.js';
import { copyFlow, mergeFlow, needsRareRecord, type ChangedBits } from './flowMerge.js';
import {
  addressRecordWords,
  FlowCursor,
  kindField,
  lifecycle,
  rareWord,
  rareWords,
  recordWords,
  recordWord,
} from './flowRecord.js';
import { HashIndex } from './hashIndex.js';
import type { NameTable } from './nameTable.js';
import { RecordSlabs } from './recordSlabs.js';

const flowsPerSlab = 4096;
const rareRecordsPerSlab = 1024;

/** Slots are numbered below this, so that one hash index entry holds any. */
const mostFlows = 0x7fff_ffff;

export interface FlowTableOptions {
  /** Flows at most, DEAD ones included (conntrackd's HashLimit). */
  readonly limit?: number;
  /** Shared by all tables and codecs of the thread. */
  readonly names: NameTable;
  /** Random, so that outsiders cannot choose colliding tuples. */
  readonly hashSeed: number;
}

export class FlowTable {
  readonly names: NameTable;
  readonly limit: number;
  readonly #seed: number;
  readonly #records = new RecordSlabs(recordWords, flowsPerSlab);
  readonly #addresses = new RecordSlabs(addressRecordWords, flowsPerSlab);
  readonly #rare = new RecordSlabs(rareWords, rareRecordsPerSlab);
  readonly #index = new HashIndex();
  /** For the table's own work; callers bring theirs. */
  readonly #own: FlowCursor;
  readonly #candidate: FlowCursor;
  readonly #matches: (slot: number, key: FlowCursor) => boolean;
  #alive = 0;
  #generation = 1;

  constructor(options: FlowTableOptions) {
    this.names = options.names;
    this.names.addUser(this);
    this.limit = Math.min(options.limit ?? mostFlows, mostFlows);
    this.#seed = options.hashSeed | 0;
    this.#own = new FlowCursor(options.names);
    this.#candidate = new FlowCursor(options.names);
    this.#matches = (slot, key) => {
      this.#seekAddresses(slot, this.#candidate);
      return sameKey(this.#candidate, key);
    };
  }

  /** Flows in the table, DEAD ones included. */
  get count(): number {
    return this.#records.used;
  }

  /** Flows that are not DEAD. */
  get alive(): number {
    return this.#alive;
  }

  /** Bytes of all slabs and of the index. */
  get memoryBytes(): number {
    const slabs = this.#records.bytes + this.#addresses.bytes + this.#rare.bytes;
    return slabs + this.#index.bytes;
  }

  /** A cursor that can be pointed at slots of any table with the same names. */
  newCursor(): FlowCursor {
    return new FlowCursor(this.names);
  }

  /** Ids of names in any record; freed records hold zeros. For NameTable, when it is full. */
  eachName(use: (id: number) => void): void {
    for (let index = 1; index < this.#rare.end; index++) {
      const slab = this.#rare.slab(index);
      const at = this.#rare.offset(index);
      use(slab[at + rareWord.helper]!);
      use(slab[at + rareWord.securityContext]!);
    }
  }

  /** Points `cursor` at a slot in use. */
  seek(slot: number, cursor: FlowCursor): FlowCursor {
    this.#seekAddresses(slot, cursor);
    const rareIndex = cursor.words[cursor.at + recordWord.rare]!;
    if (rareIndex === 0) {
      cursor.rare = noRare;
      cursor.rareAt = 0;
    } else {
      cursor.rare = this.#rare.slab(rareIndex);
      cursor.rareAt = this.#rare.offset(rareIndex);
    }
    return cursor;
  }

  /** The hash under which the key of `flow` is filed. */
  hashOf(flow: FlowCursor): number {
    return hashKey(flow, this.#seed);
  }

  /**
   * Slot of the flow with the key of `flow`, or 0. `hash` where the caller has it already
   * (`hashOf`).
   */
  find(flow: FlowCursor, hash: number = this.hashOf(flow)): number {
    return this.#index.find(hash, this.#matches, flow);
  }

  /**
   * Adds a flow that `find` did not find; lifecycle is `fresh`, created and updated are
   * `nowSeconds`. 0 where the table is full (`limit`).
   */
  insert(flow: FlowCursor, nowSeconds: number, hash: number = this.hashOf(flow)): number {
    if (this.#records.used >= this.limit) return 0;
    const slot = this.#records.take();
    if (!this.#index.insert(hash, slot)) {
      this.#records.release(slot);
      return 0;
    }
    const own = this.#own;
    own.words = this.#records.slab(slot);
    own.at = this.#records.offset(slot);
    own.set(
      recordWord.kind,
      (lifecycle.fresh << kindField.lifecycleShift) |
        (this.#generation << kindField.generationShift),
    );
    if (flow.isIpv6) own.set(recordWord.originalSource, this.#addresses.take());
    own.setKind(flow.isIpv6, flow.protocol);
    this.#fill(slot, flow, nowSeconds);
    own.set(recordWord.created, nowSeconds);
    this.#alive++;
    return slot;
  }

  /**
   * Attributes that `flow` knows replace those of the slot, the others stay. Returns what changed.
   */
  merge(slot: number, flow: FlowCursor, nowSeconds: number): ChangedBits {
    const own = this.seek(slot, this.#own);
    if (own.get(recordWord.rare) === 0 && needsRareRecord(flow)) this.#addRare(slot);
    own.set(recordWord.updated, nowSeconds);
    return mergeFlow(own, flow);
  }

  /** What these presence bits stand for is not known any more. */
  forget(slot: number, bits: number): void {
    const own = this.seek(slot, this.#own);
    own.set(recordWord.presence, own.presence & ~bits);
  }

  /**
   * The slot becomes exactly `flow`, which has the same key: a CT_NEW, or a new flow in place of
   * one whose end was missed. Slot, queue links and owner bits stay; lifecycle becomes `fresh`.
   */
  replace(slot: number, flow: FlowCursor, nowSeconds: number): void {
    this.setLifecycle(slot, lifecycle.fresh);
    const own = this.seek(slot, this.#own);
    this.#dropRare(own);
    this.#fill(slot, flow, nowSeconds);
    own.set(recordWord.created, nowSeconds);
  }

  /** Frees the slot. Its queue links must have been undone before. */
  remove(slot: number): void {
    const own = this.seek(slot, this.#own);
    if (this.#lifecycleOf(own) !== lifecycle.dead) this.#alive--;
    this.#index.remove(hashKey(own, this.#seed), slot);
    this.#dropRare(own);
    if (own.isIpv6) this.#addresses.release(own.get(recordWord.originalSource));
    this.#records.release(slot);
  }

  lifecycle(slot: number): number {
    const at = this.#records.offset(slot) + recordWord.kind;
    return (this.#records.slab(slot)[at]! >>> kindField.lifecycleShift) & kindField.lifecycleMask;
  }

  setLifecycle(slot: number, value: number): void {
    const words = this.#records.slab(slot);
    const at = this.#records.offset(slot) + recordWord.kind;
    const before = (words[at]! >>> kindField.lifecycleShift) & kindField.lifecycleMask;
    if (before === lifecycle.dead && value !== lifecycle.dead) this.#alive++;
    if (before !== lifecycle.dead && value === lifecycle.dead) this.#alive--;
    words[at] =
      (words[at]! & ~(kindField.lifecycleMask << kindField.lifecycleShift)) |
      (value << kindField.lifecycleShift);
  }

  /** One word of a slot, without a cursor; see `recordWord`. */
  read(slot: number, field: number): number {
    return this.#records.slab(slot)[this.#records.offset(slot) + field]!;
  }

  write(slot: number, field: number, value: number): void {
    this.#records.slab(slot)[this.#records.offset(slot) + field] = value;
  }

  /**
   * The first slot in use after `slot` (0 to begin), or 0 at the end. Slots may come and go
   * meanwhile.
   */
  next(slot: number): number {
    const { end } = this.#records;
    for (let candidate = slot + 1; candidate < end; candidate++) {
      if (this.lifecycle(candidate) !== lifecycle.free) return candidate;
    }
    return 0;
  }

  /** Starts a pass of mark and sweep: what is not seen until its end has an older generation. */
  beginGeneration(): void {
    this.#generation = this.#generation >= kindField.generationMask ? 1 : this.#generation + 1;
  }

  markSeen(slot: number): void {
    const words = this.#records.slab(slot);
    const at = this.#records.offset(slot) + recordWord.kind;
    words[at] =
      (words[at]! & ~(kindField.generationMask << kindField.generationShift)) |
      (this.#generation << kindField.generationShift);
  }

  wasSeen(slot: number): boolean {
    const kindWord = this.read(slot, recordWord.kind);
    return (
      ((kindWord >>> kindField.generationShift) & kindField.generationMask) === this.#generation
    );
  }

  /** Empties the table and returns its memory. Queues of the owner must be forgotten as well. */
  clear(): void {
    this.#records.clear();
    this.#addresses.clear();
    this.#rare.clear();
    this.#index.clear();
    this.#alive = 0;
  }

  /**
   * Walks everything and returns the figures that a leak or a long probe would show in. For tests.
   */
  audit(): {
    readonly records: SlabAudit;
    readonly addresses: SlabAudit;
    readonly rare: SlabAudit;
    readonly indexed: number;
    readonly longestProbe: number;
  } {
    const { entries, longestProbe } = this.#index.measure();
    return {
      records: audited(this.#records),
      addresses: audited(this.#addresses),
      rare: audited(this.#rare),
      indexed: entries,
      longestProbe,
    };
  }

  /** Everything but lifecycle and `created`; this.#own stands on the record. */
  #fill(slot: number, flow: FlowCursor, nowSeconds: number): void {
    this.seek(slot, this.#own);
    if (needsRareRecord(flow)) this.#addRare(slot);
    copyFlow(this.#own, flow);
    this.#own.set(recordWord.updated, nowSeconds);
  }

  #addRare(slot: number): void {
    this.#own.set(recordWord.rare, this.#rare.take());
    this.seek(slot, this.#own);
  }

  #dropRare(own: FlowCursor): void {
    const index = own.get(recordWord.rare);
    if (index === 0) return;
    this.#rare.release(index);
    own.set(recordWord.rare, 0);
  }

  #seekAddresses(slot: number, cursor: FlowCursor): void {
    const words = this.#records.slab(slot);
    const at = this.#records.offset(slot);
    cursor.words = words;
    cursor.at = at;
    if ((words[at + recordWord.kind]! & kindField.ipv6) !== 0) {
      const index = words[at + recordWord.originalSource]!;
      cursor.addresses = this.#addresses.slab(index);
      cursor.addressesAt = this.#addresses.offset(index);
    }
  }

  #lifecycleOf(flow: FlowCursor): number {
    return (flow.get(recordWord.kind) >>> kindField.lifecycleShift) & kindField.lifecycleMask;
  }
}

const noRare = new Uint32Array(rareWords);

/** used + free = issued, where nothing leaked. */
export interface SlabAudit {
  readonly used: number;
  readonly free: number;
  /** Records ever handed out. */
  readonly issued: number;
  readonly capacity: number;
}

function audited(slabs: RecordSlabs): SlabAudit {
  return {
    used: slabs.used,
    free: slabs.countFree(),
    issued: slabs.end - 1,
    capacity: slabs.capacity,
  };
}
