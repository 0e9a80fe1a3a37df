/**
 * Expectations: what a helper waits for. The model stores them, tells them and lets them end with
 * their master; no packet is matched with one.
 */
import { EEXIST, EINVAL, ENOENT, EOPNOTSUPP } from '../../../src/base/errno.js';
import { messageFlag, messageType } from '../../../src/conntrack/constants.js';
import { Refusal, type Attributes } from './attributes.js';
import type { Conntrack } from './conntrack.js';
import type { Request } from './ctnetlink.js';
import type { Flow } from './flow.js';
import { keyIn, needed, readTuple } from './requestTuple.js';

/** CTA_EXPECT_* (linux/netfilter/nfnetlink_conntrack.h). */
const attribute = {
  master: 1,
  tuple: 2,
  mask: 3,
  timeout: 4,
  id: 5,
  helper: 6,
  zone: 7,
  flags: 8,
  class: 9,
  nat: 10,
  functionName: 11,
} as const;
/** Told as they were given. */
const echoed = [
  attribute.master,
  attribute.tuple,
  attribute.mask,
  attribute.zone,
  attribute.flags,
  attribute.class,
  attribute.nat,
  attribute.functionName,
];
/** NFNLGRP_CONNTRACK_EXP_NEW and _EXP_DESTROY as bits. */
const group = { new: 0x08, destroy: 0x20 } as const;
/** Of the helper's policy: what a request says is ignored when it creates. */
const policySeconds = 300;
/** The ftp helper waits for one data connection; a further one takes the place of the first. */
const mostPerMaster = 1;

interface Expectation {
  readonly key: string;
  readonly master: Flow;
  readonly family: number;
  readonly id: number;
  expiresAt: number;
  /** Attributes as they stand in a message. */
  readonly attributes: Uint8Array;
}

export class Expectations {
  readonly #conntrack: Conntrack;
  readonly #report: (group: number, message: Uint8Array) => void;
  readonly #held = new Map<string, Expectation>();
  #lastId = 0;

  constructor(conntrack: Conntrack, report: (group: number, message: Uint8Array) => void) {
    this.#conntrack = conntrack;
    this.#report = report;
  }

  /** IPCTNL_MSG_EXP_NEW. Throws Refusal. */
  create(request: Request): void {
    const { attributes, flags, family, portId } = request;
    const key = keyOf(attributes);
    const masterTuple = needed(readTuple(attributes, attribute.master, family === 10));
    needed(attributes.bytes(attribute.mask));
    const zone = { id: attributes.u16(attribute.zone) ?? 0, scope: 'both' } as const;
    const known = this.#alive(key);
    if (known !== undefined) {
      if ((flags & messageFlag.exclusive) !== 0) throw new Refusal(EEXIST);
      const timeout = attributes.u32(attribute.timeout);
      if (timeout !== undefined) known.expiresAt = this.#conntrack.now + timeout * 1_000_000;
      return;
    }
    if ((flags & messageFlag.create) === 0) throw new Refusal(ENOENT);
    const master = this.#conntrack.find(keyIn(masterTuple, zone, 'original'));
    if (master === undefined) throw new Refusal(ENOENT);
    if (master.helper === undefined) throw new Refusal(EOPNOTSUPP);
    this.#makeRoom(master);
    const expectation: Expectation = {
      key,
      master,
      family,
      id: ++this.#lastId,
      expiresAt: this.#conntrack.now + policySeconds * 1_000_000,
      attributes: copyOf(attributes),
    };
    this.#held.set(key, expectation);
    this.#tell(expectation, true, portId);
  }

  /** IPCTNL_MSG_EXP_DELETE: one, or all. Throws Refusal. */
  remove({ attributes, portId }: Request): void {
    if (!attributes.has(attribute.tuple)) {
      for (const expectation of [...this.#held.values()]) this.#end(expectation, portId);
      return;
    }
    const expectation = this.#alive(keyOf(attributes));
    if (expectation === undefined) throw new Refusal(ENOENT);
    this.#end(expectation, portId);
  }

  /** Expectations end with their master. */
  masterEnded(master: Flow): void {
    if (this.#held.size === 0) return;
    for (const expectation of [...this.#held.values()]) {
      if (expectation.master === master) this.#end(expectation, 0);
    }
  }

  /** One entry after the other, as a dump asks for them. */
  messages(sequence: number, portId: number): () => Uint8Array | undefined {
    const keys = [...this.#held.keys()];
    return () => {
      for (let key = keys.shift(); key !== undefined; key = keys.shift()) {
        const expectation = this.#alive(key);
        if (expectation === undefined) continue;
        const { expectationNew } = messageType;
        return this.#message(expectation, expectationNew, messageFlag.multi, sequence, portId);
      }
      return undefined;
    };
  }

  #makeRoom(master: Flow): void {
    const held = [...this.#held.values()].filter((one) => one.master === master);
    if (held.length >= mostPerMaster && held[0] !== undefined) this.#end(held[0], 0);
  }

  #alive(key: string): Expectation | undefined {
    const expectation = this.#held.get(key);
    if (expectation === undefined || expectation.expiresAt > this.#conntrack.now)
      return expectation;
    this.#end(expectation, 0);
    return undefined;
  }

  #end(expectation: Expectation, portId: number): void {
    this.#held.delete(expectation.key);
    this.#tell(expectation, false, portId);
  }

  #tell(expectation: Expectation, isNew: boolean, portId: number): void {
    const type = isNew ? messageType.expectationNew : messageType.expectationDelete;
    const flags = isNew ? messageFlag.create | messageFlag.exclusive : 0;
    const message = this.#message(expectation, type, flags, 0, portId);
    this.#report(isNew ? group.new : group.destroy, message);
  }

  #message(
    expectation: Expectation,
    type: number,
    flags: number,
    sequence: number,
    portId: number,
  ): Uint8Array {
    const { attributes, family, id, master, expiresAt } = expectation;
    const left = Math.max(0, Math.floor((expiresAt - this.#conntrack.now) / 1_000_000));
    const name = Buffer.from(`${master.helper ?? ''}\0`, 'latin1');
    const nameBytes = (name.length + 3) & ~3;
    const length = 20 + attributes.length + 8 + 8 + 4 + nameBytes;
    const view = new DataView(new ArrayBuffer(length));
    view.setUint32(0, length, true);
    view.setUint16(4, type, true);
    view.setUint16(6, flags, true);
    view.setUint32(8, sequence, true);
    view.setUint32(12, portId, true);
    view.setUint8(16, family);
    const bytes = new Uint8Array(view.buffer);
    bytes.set(attributes, 20);
    const at = 20 + attributes.length;
    view.setUint32(at, (attribute.timeout << 16) | 8, true);
    view.setUint32(at + 4, left);
    view.setUint32(at + 8, (attribute.id << 16) | 8, true);
    view.setUint32(at + 12, id);
    view.setUint32(at + 16, (attribute.helper << 16) | (4 + name.length), true);
    bytes.set(name, at + 20);
    return bytes;
  }
}

function keyOf(attributes: Attributes): string {
  const tuple = attributes.bytes(attribute.tuple);
  if (tuple === undefined) throw new Refusal(EINVAL);
  return Buffer.from(tuple).toString('hex');
}

function copyOf(attributes: Attributes): Uint8Array {
  const parts = echoed.flatMap((type) => {
    const payload = attributes.bytes(type);
    if (payload === undefined) return [];
    const isNest = type <= attribute.mask || type === attribute.nat;
    const bytes = Buffer.alloc((4 + payload.length + 3) & ~3);
    bytes.writeUInt16LE(4 + payload.length, 0);
    bytes.writeUInt16LE(type | (isNest ? 0x8000 : 0), 2);
    bytes.set(payload, 4);
    return [bytes];
  });
  return Buffer.concat(parts);
}
