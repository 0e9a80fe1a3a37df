/**
 * A ctnetlink socket of the model behind the interface of the native addon: a queue that is
 * bounded as the kernel bounds it, and wake-ups in the thread that owns it.
 *
 *   full      the next receive() says ENOBUFS once, before what is queued; nothing more is queued
 *             until the queue was read empty (NETLINK_NO_ENOBUFS: queued again as soon as there is room)
 *   reliable  NETLINK_BROADCAST_ERROR: whoever sent the event is told that it was not taken
 */
import { EBADF, EMSGSIZE, ENOBUFS, EOPNOTSUPP } from '../../../src/base/errno.js';
import { milliseconds, type ArmedTimer } from '../../../src/base/time.js';
import type { NativeHandler, NativeSocket } from '../../../src/net/native/load.js';
import { AF_NETLINK } from '../../../src/net/socket/sockaddr.js';
import * as option from '../../../src/net/socket/socketOptions.js';
import { runFilter } from '../../support/conntrack/flowBpf.js';
import type { KernelThread } from './kernelPorts.js';

/** net.core.rmem_default and wmem_default. */
const defaultBufferBytes = 212_992;
/** What the kernel keeps back of the send buffer. */
const sendReserveBytes = 32;
/** Datagrams and batches of one wake-up. */
const batchesPerWake = 8;
const lightBatch = 32;
const microsecondsPerMillisecond = 1_000;

/** What stands behind the sockets. */
export interface NetlinkServer {
  receive(socket: NetlinkSocket, bytes: Uint8Array): void;
  closed(socket: NetlinkSocket): void;
  /** Something was read, or membership changed. */
  roomMade(): void;
  now(): number;
}

/** A dump gives its next datagram when the one before was read; undefined at its end. */
export type NextChunk = (largestBytes: number) => Uint8Array | undefined;

interface Queued {
  readonly bytes: Uint8Array;
  /** What the datagram takes of the receive buffer. */
  readonly charge: number;
}

interface Ring {
  readonly bytes: Uint8Array;
  readonly lengths: Uint32Array;
  readonly flags: Uint32Array;
  readonly cells: number;
  readonly cellBytes: number;
}

export class NetlinkSocket implements NativeSocket {
  readonly thread: KernelThread;
  readonly portId: number;
  /** Bits of nl_groups. */
  groups = 0;
  /** NETLINK_BROADCAST_ERROR. */
  isReliable = false;
  /** NETLINK_CAP_ACK: refusals do not repeat the request. */
  capsAnswers = false;
  readonly #server: NetlinkServer;
  #queue: Queued[] = [];
  #head = 0;
  #used = 0;
  #receiveBufferBytes = defaultBufferBytes;
  #sendBufferBytes = defaultBufferBytes;
  #isSilent = false;
  #isCongested = false;
  #hasOverrun = false;
  #drops = 0;
  #filter: Uint8Array | undefined;
  #ring: Ring | undefined;
  #nextChunk: NextChunk | undefined;
  #handler: NativeHandler | undefined;
  #wake: ArmedTimer | undefined;
  #rest = { busy: 0, light: 0, datagrams: 0 };
  #lastWake = -Infinity;
  #restUntil = 0;
  #isClosed = false;

  constructor(server: NetlinkServer, thread: KernelThread, portId: number) {
    this.#server = server;
    this.thread = thread;
    this.portId = portId;
  }

  get isDumping(): boolean {
    return this.#nextChunk !== undefined;
  }

  // ---- the kernel's side

  /** False where there was no room. `charge` as the kernel counts it. */
  enqueue(bytes: Uint8Array, charge: number): boolean {
    if (this.#isClosed) return true;
    const isFull = this.#used > 0 && this.#used + charge > this.#receiveBufferBytes;
    if (isFull || this.#isCongested) {
      this.#overrun();
      return false;
    }
    this.#put(bytes, charge);
    return true;
  }

  /** An event of a group. True where the filter of the socket does not want it, too. */
  offer(bytes: Uint8Array, charge: number): boolean {
    const { buffer, byteOffset, length } = bytes;
    const filter = this.#filter;
    if (filter !== undefined && runFilter(filter, Buffer.from(buffer, byteOffset, length)) === 0) {
      return true;
    }
    return this.enqueue(bytes, charge);
  }

  beginDump(nextChunk: NextChunk): void {
    this.#nextChunk = nextChunk;
    // The first datagram is small: nothing is known yet of the reader's buffer.
    this.#produce(3_776);
  }

  #produce(largestBytes: number): void {
    const bytes = this.#nextChunk?.(largestBytes);
    if (bytes === undefined) this.#nextChunk = undefined;
    else this.#put(bytes, bytes.length);
  }

  #put(bytes: Uint8Array, charge: number): void {
    this.#queue.push({ bytes, charge });
    this.#used += charge;
    this.#arm();
  }

  #overrun(): void {
    this.#drops = (this.#drops + 1) >>> 0;
    if (this.#isSilent || this.#isCongested) return;
    this.#isCongested = true;
    this.#hasOverrun = true;
    this.#arm();
  }

  // ---- the product's side

  bind(address: Uint8Array): number {
    if (this.#isClosed) return EBADF;
    const view = new DataView(address.buffer, address.byteOffset, address.byteLength);
    this.groups |= view.getUint32(8, true);
    this.#server.roomMade();
    return 0;
  }

  connect(): number {
    return 0;
  }

  setOption(level: number, name: number, value: Uint8Array): number {
    if (this.#isClosed) return EBADF;
    const number = new DataView(value.buffer, value.byteOffset).getInt32(0, true);
    return level === option.SOL_NETLINK
      ? this.#setNetlinkOption(name, number)
      : this.#setSocketOption(name, number);
  }

  #setNetlinkOption(name: number, value: number): number {
    switch (name) {
      case option.NETLINK_ADD_MEMBERSHIP:
        this.groups |= 1 << (value - 1);
        break;
      case option.NETLINK_DROP_MEMBERSHIP:
        this.groups &= ~(1 << (value - 1));
        break;
      case option.NETLINK_BROADCAST_ERROR:
        this.isReliable = value !== 0;
        break;
      case option.NETLINK_NO_ENOBUFS:
        this.#isSilent = value !== 0;
        break;
      case option.NETLINK_CAP_ACK:
        this.capsAnswers = value !== 0;
        break;
      default:
        return EOPNOTSUPP;
    }
    this.#server.roomMade();
    return 0;
  }

  /** The kernel doubles what it is asked for. */
  #setSocketOption(name: number, value: number): number {
    if (name === option.SO_RCVBUF || name === option.SO_RCVBUFFORCE) {
      this.#receiveBufferBytes = value * 2;
    } else if (name === option.SO_SNDBUF || name === option.SO_SNDBUFFORCE) {
      this.#sendBufferBytes = value * 2;
    } else if (name === option.SO_DETACH_FILTER) {
      this.#filter = undefined;
    }
    return 0;
  }

  getOption(level: number, name: number, into: Uint8Array): number {
    if (this.#isClosed) return -EBADF;
    const view = new DataView(into.buffer, into.byteOffset, into.byteLength);
    if (level !== option.SOL_SOCKET) return -EOPNOTSUPP;
    if (name === option.SO_RCVBUF) view.setInt32(0, this.#receiveBufferBytes, true);
    else if (name === option.SO_SNDBUF) view.setInt32(0, this.#sendBufferBytes, true);
    else if (name === option.SO_MEMINFO && into.length >= 36) {
      // SK_MEMINFO_RMEM_ALLOC, _RCVBUF and, last of nine, _DROPS.
      view.setUint32(0, this.#used, true);
      view.setUint32(4, this.#receiveBufferBytes, true);
      view.setUint32(32, this.#drops, true);
      return 36;
    } else return -EOPNOTSUPP;
    return 4;
  }

  attachFilter(program: Uint8Array): number {
    this.#filter = program.slice();
    return 0;
  }

  getSocketName(into: Uint8Array): number {
    if (this.#isClosed) return -EBADF;
    const view = new DataView(into.buffer, into.byteOffset, into.byteLength);
    view.setUint16(0, AF_NETLINK, true);
    view.setUint32(4, this.portId, true);
    view.setUint32(8, this.groups, true);
    return 12;
  }

  ioctl(): number {
    return EOPNOTSUPP;
  }

  setRing(ring: ArrayBuffer, cells: number, cellBytes: number, controlBytes: number): number {
    // Cells, addresses, ancillary data, then four rows of words: see BatchedSocket.
    const wordsAt = cells * (cellBytes + 32 + controlBytes);
    this.#ring = {
      bytes: new Uint8Array(ring, 0, cells * cellBytes),
      lengths: new Uint32Array(ring, wordsAt, cells),
      flags: new Uint32Array(ring, wordsAt + 4 * cells, cells),
      cells,
      cellBytes,
    };
    return 0;
  }

  receive(): number {
    if (this.#isClosed || this.#ring === undefined) return -EBADF;
    if (this.#hasOverrun) {
      this.#hasOverrun = false;
      return -ENOBUFS;
    }
    const { bytes, lengths, flags, cells, cellBytes } = this.#ring;
    let count = 0;
    for (; count < cells; count++) {
      const queued = this.#take();
      if (queued === undefined) break;
      const length = Math.min(queued.bytes.length, cellBytes);
      bytes.set(
        length < queued.bytes.length ? queued.bytes.subarray(0, length) : queued.bytes,
        count * cellBytes,
      );
      lengths[count] = length;
      flags[count] = length < queued.bytes.length ? 0x20 : 0;
    }
    if (count > 0) this.#server.roomMade();
    return count;
  }

  #take(): Queued | undefined {
    const queued = this.#queue[this.#head];
    if (queued === undefined) return undefined;
    this.#head++;
    this.#used -= queued.charge;
    if (this.#head === this.#queue.length) {
      this.#queue = [];
      this.#head = 0;
      this.#isCongested = false;
    }
    if (this.isDumping && this.#used <= this.#receiveBufferBytes / 2) {
      this.#produce(Math.min(this.#ring?.cellBytes ?? 0, 32_448));
    }
    return queued;
  }

  start(
    handler: NativeHandler,
    wantRead: boolean,
    wantWrite: boolean,
    _sliceMicroseconds: number,
    restMilliseconds: number,
    lightRestMilliseconds: number,
    restDatagrams: number,
  ): number {
    if (this.#isClosed) return EBADF;
    this.#handler = wantRead ? handler : undefined;
    this.#rest = {
      busy: restMilliseconds * microsecondsPerMillisecond,
      light: lightRestMilliseconds * microsecondsPerMillisecond,
      datagrams: restDatagrams,
    };
    // A netlink socket takes what it is given at once.
    if (wantWrite) {
      this.thread.timers.after(milliseconds(0), () => {
        handler(0);
      });
    }
    this.#arm();
    return 0;
  }

  stop(): void {
    this.#handler = undefined;
    this.#wake?.cancel();
    this.#wake = undefined;
  }

  setReferenced(): void {
    // No event loop is kept alive in a simulation.
  }

  send(bytes: Uint8Array, offset: number, length: number): number {
    if (this.#isClosed) return EBADF;
    if (length > this.#sendBufferBytes - sendReserveBytes) return EMSGSIZE;
    this.#server.receive(this, bytes.subarray(offset, offset + length));
    return 0;
  }

  sendMany(
    bytes: Uint8Array,
    offsets: Uint32Array,
    lengths: Uint32Array,
    count: number,
    _address: Uint8Array | undefined,
    errnoOut: Uint32Array,
  ): number {
    errnoOut[0] = 0;
    for (let i = 0; i < count; i++) {
      const errno = this.send(bytes, offsets[i] ?? 0, lengths[i] ?? 0);
      if (errno === 0) continue;
      errnoOut[0] = errno;
      return i;
    }
    return count;
  }

  duplicate(): number {
    return -EOPNOTSUPP;
  }

  close(): void {
    if (this.#isClosed) return;
    this.stop();
    this.#isClosed = true;
    this.#queue = [];
    this.#nextChunk = undefined;
    this.#server.closed(this);
  }

  get #isReadable(): boolean {
    return this.#hasOverrun || this.#head < this.#queue.length;
  }

  #arm(): void {
    if (this.#handler === undefined || this.#wake !== undefined || !this.#isReadable) return;
    const delay = Math.max(0, this.#restUntil - this.#server.now());
    this.#wake = this.thread.timers.after(milliseconds(delay / 1_000), () => {
      this.#wake = undefined;
      this.#deliver();
    });
  }

  /** As socket_poll.cc has it: batches until nothing waits, then, under load, a rest. */
  #deliver(): void {
    const now = this.#server.now();
    const wasResting = this.#restUntil > this.#lastWake;
    let received = 0;
    for (let i = 0; i < batchesPerWake && this.#handler !== undefined; i++) {
      const count = this.receive();
      if (count === 0) break;
      received += Math.max(0, count);
      this.#handler(count);
    }
    const rest = this.#restFor(received, now);
    const isBusy = wasResting || now - this.#lastWake < rest;
    this.#lastWake = now;
    this.#restUntil = received > 0 && isBusy ? now + rest : now;
    this.#arm();
  }

  #restFor(received: number, now: number): number {
    const { busy, light, datagrams } = this.#rest;
    const rest = received < lightBatch ? light : busy;
    if (datagrams === 0 || received === 0 || rest === 0) return rest;
    const milliseconds = Math.floor(
      (datagrams * (now - this.#lastWake)) / received / microsecondsPerMillisecond,
    );
    return Math.min(rest, milliseconds * microsecondsPerMillisecond);
  }
}
