/**
 * NETLINK_NETFILTER of one kernel: the sockets that are open, the messages that come in by them,
 * and events to whoever joined their groups.
 */
import { EBUSY, EINVAL } from '../../../src/base/errno.js';
import type { RandomSource } from '../../../src/base/time.js';
import { messageFlag, messageType } from '../../../src/conntrack/constants.js';
import { MessageBatch } from '../../../src/conntrack/codec/messageBatch.js';
import { Attributes, Refusal } from './attributes.js';
import type { Conntrack } from './conntrack.js';
import { Ctnetlink, isSelected, selectionOf, type Request } from './ctnetlink.js';
import type { Expectations } from './expectations.js';
import type { Flow } from './flow.js';
import { attribute, entryMessage, eventMessage, groupOf } from './flowMessage.js';
import type { ConntrackSysctls, KernelThread } from './kernelPorts.js';
import { NetlinkSocket, type NetlinkServer, type NextChunk } from './netlinkSocket.js';

/** What a message takes of a receive buffer, whatever its length. */
export const charge = { event: 1_280, answer: 832 } as const;
const flowGroups = 0x07;
const headerBytes = 20;
const getStatistics = messageType.flowGetStats;

export interface NfnetlinkParts {
  readonly conntrack: Conntrack;
  readonly expectations: Expectations;
  readonly random: RandomSource;
  readonly sysctls: ConntrackSysctls;
}

export class Nfnetlink implements NetlinkServer {
  readonly #parts: NfnetlinkParts;
  readonly #ctnetlink: Ctnetlink;
  readonly #sockets = new Set<NetlinkSocket>();
  readonly #out = new MessageBatch(256);

  constructor(parts: NfnetlinkParts) {
    this.#parts = parts;
    this.#ctnetlink = new Ctnetlink(parts.conntrack, parts.random);
  }

  open(thread: KernelThread): NetlinkSocket {
    const portId = 1 + this.#parts.random.below(0xffff_fffe);
    const socket = new NetlinkSocket(this, thread, portId);
    this.#sockets.add(socket);
    return socket;
  }

  /** Threads that died have no sockets; what they had not read is gone. */
  closeAll(isMeant: (socket: NetlinkSocket) => boolean = () => true): void {
    for (const socket of [...this.#sockets]) if (isMeant(socket)) socket.close();
  }

  hasFlowListener(): boolean {
    for (const socket of this.#sockets) if ((socket.groups & flowGroups) !== 0) return true;
    return false;
  }

  /** False where a reliable listener did not take the event. */
  report(flow: Flow, events: number, portId: number): boolean {
    const group = groupOf(events);
    if (!this.#hasListener(group)) return true;
    return this.#broadcast(group, eventMessage(flow, events, this.now(), portId));
  }

  reportExpectation(group: number, message: Uint8Array): void {
    this.#broadcast(group, message);
  }

  now(): number {
    return this.#parts.conntrack.now;
  }

  closed(socket: NetlinkSocket): void {
    this.#sockets.delete(socket);
    this.roomMade();
  }

  roomMade(): void {
    this.#parts.conntrack.roomMade();
  }

  /** A datagram of requests: each is carried out, an error of one does not stop the next. */
  receive(socket: NetlinkSocket, bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at + 16 <= bytes.length;) {
      const length = view.getUint32(at, true);
      if (length < 16 || at + length > bytes.length) return;
      this.#message(socket, view, at, length);
      at += (length + 3) & ~3;
    }
  }

  #message(socket: NetlinkSocket, view: DataView, at: number, length: number): void {
    const type = view.getUint16(at + 4, true);
    const flags = view.getUint16(at + 6, true);
    let errno = 0;
    const isRequest = (flags & messageFlag.request) !== 0 && length >= headerBytes && type >= 16;
    if (isRequest) {
      try {
        this.#carryOut(socket, type, view.getUint32(at + 8, true), {
          flags,
          family: view.getUint8(at + 16),
          version: view.getUint8(at + 17),
          attributes: new Attributes(view, at + headerBytes, at + length),
          portId: socket.portId,
        });
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        ({ errno } = error);
      }
    }
    const isDump = isRequest && (flags & messageFlag.dump) === messageFlag.dump && errno === 0;
    if (errno === 0 && ((flags & messageFlag.ack) === 0 || (isDump && isDumped(type)))) return;
    socket.enqueue(errorMessage(view, at, length, errno, socket), charge.answer);
  }

  #carryOut(socket: NetlinkSocket, type: number, sequence: number, request: Request): void {
    const isDump = (request.flags & messageFlag.dump) === messageFlag.dump;
    if (type >>> 8 === 1 && request.attributes.has(attribute.eventTime)) throw new Refusal(EINVAL);
    switch (type) {
      case messageType.flowNew:
        this.#ctnetlink.createOrChange(request);
        return;
      case messageType.flowDelete:
        this.#ctnetlink.remove(request);
        return;
      case messageType.flowGet:
        if (isDump) this.#dump(socket, this.#flowsOf(request), sequence);
        else this.#answer(socket, this.#ctnetlink.get(request), sequence);
        return;
      case getStatistics:
        socket.enqueue(this.#statistics(sequence, socket.portId), charge.answer);
        return;
      case messageType.expectationGet:
        if (!isDump) throw new Refusal(EINVAL);
        this.#dump(socket, this.#parts.expectations.messages(sequence, socket.portId), sequence);
        return;
      case messageType.expectationNew:
        this.#parts.expectations.create(request);
        return;
      case messageType.expectationDelete:
        this.#parts.expectations.remove(request);
        return;
      default:
        throw new Refusal(EINVAL);
    }
  }

  #answer(socket: NetlinkSocket, flow: Flow, sequence: number): void {
    const message = entryMessage(flow, this.now(), sequence, socket.portId, 2);
    socket.enqueue(message, charge.event);
  }

  #statistics(sequence: number, portId: number): Uint8Array {
    const out = this.#out;
    out.clear();
    out.begin(getStatistics, messageFlag.multi, sequence, 0);
    out.u32(1, this.#parts.conntrack.count);
    out.u32(2, this.#parts.sysctls.max);
    out.finish();
    return withPortId(out.written().slice(), portId);
  }

  /**
   * Walks the hash table: what goes before the walk is there is not told, what comes behind it
   * neither. Whatever is over is met, and ends.
   */
  #flowsOf(request: Request): (sequence: number, portId: number) => Uint8Array | undefined {
    const { conntrack } = this.#parts;
    const selection = selectionOf(request, true);
    let flows: Flow[] = [];
    let next = 0;
    let bucket = -1;
    let seenInsertions = -1;
    return (sequence, portId) => {
      if (seenInsertions !== conntrack.store.insertions) {
        seenInsertions = conntrack.store.insertions;
        flows = [...conntrack.store.all()].filter((flow) => flow.bucket > bucket);
        flows.sort((a, b) => a.bucket - b.bucket);
        next = 0;
      }
      for (let flow = flows[next]; flow !== undefined; flow = flows[next]) {
        next++;
        bucket = flow.bucket;
        if (flow.isDying) continue;
        if (flow.expiresAt <= this.now()) conntrack.delete(flow, 0);
        else if (isSelected(flow, selection)) {
          return entryMessage(flow, this.now(), sequence, portId, 1);
        }
      }
      return undefined;
    };
  }

  #dump(
    socket: NetlinkSocket,
    nextMessage: (sequence: number, portId: number) => Uint8Array | undefined,
    sequence: number,
  ): void {
    if (socket.isDumping) throw new Refusal(EBUSY);
    socket.beginDump(chunksOf(() => nextMessage(sequence, socket.portId), sequence, socket.portId));
  }

  #hasListener(group: number): boolean {
    for (const socket of this.#sockets) if ((socket.groups & group) !== 0) return true;
    return false;
  }

  #broadcast(group: number, message: Uint8Array): boolean {
    let isTaken = true;
    for (const socket of this.#sockets) {
      if ((socket.groups & group) === 0 || socket.offer(message, charge.event)) continue;
      if (socket.isReliable) isTaken = false;
    }
    return isTaken;
  }
}

/** Whole messages as many as fit, then NLMSG_DONE in a datagram of its own. */
function chunksOf(
  nextMessage: () => Uint8Array | undefined,
  sequence: number,
  portId: number,
): NextChunk {
  let held: Uint8Array | undefined;
  let isOver = false;
  return (largestBytes) => {
    if (isOver) return undefined;
    const parts: Uint8Array[] = [];
    let length = 0;
    for (;;) {
      held ??= nextMessage();
      if (held === undefined || length + held.length > largestBytes) break;
      parts.push(held);
      length += held.length;
      held = undefined;
    }
    if (parts.length > 0) return Buffer.concat(parts, length);
    isOver = true;
    return doneMessage(sequence, portId);
  };
}

const isDumped = (type: number): boolean =>
  type === messageType.flowGet || type === messageType.expectationGet;

function doneMessage(sequence: number, portId: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(20));
  view.setUint32(0, 20, true);
  view.setUint16(4, messageType.done, true);
  view.setUint16(6, messageFlag.multi, true);
  view.setUint32(8, sequence, true);
  view.setUint32(12, portId, true);
  return new Uint8Array(view.buffer);
}

/**
 * NLMSG_ERROR: the code, and the header of the request; without NETLINK_CAP_ACK all of the request.
 */
function errorMessage(
  view: DataView,
  at: number,
  length: number,
  errno: number,
  socket: NetlinkSocket,
): Uint8Array {
  const isCapped = errno === 0 || socket.capsAnswers;
  const echoed = isCapped ? 16 : (length + 3) & ~3;
  const out = new DataView(new ArrayBuffer(20 + echoed));
  out.setUint32(0, 20 + echoed, true);
  out.setUint16(4, messageType.error, true);
  out.setUint16(6, isCapped ? 0x100 : 0, true);
  out.setUint32(8, view.getUint32(at + 8, true), true);
  out.setUint32(12, socket.portId, true);
  out.setInt32(16, -errno, true);
  const available = Math.min(echoed, view.byteLength - at);
  const request = new Uint8Array(view.buffer, view.byteOffset + at, available);
  new Uint8Array(out.buffer).set(request, 20);
  return new Uint8Array(out.buffer);
}

export function withPortId(bytes: Uint8Array, portId: number): Uint8Array {
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(12, portId, true);
  return bytes;
}
