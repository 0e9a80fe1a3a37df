/**
 * A datagram socket of any domain that receives and sends in batches. Received bytes lie in a ring
 * of fixed cells that is allocated once; a batch is one recvmmsg and one callback, and costs no
 * allocation per datagram. Each errno is a value (positive; 0 is success). Nothing here knows a
 * protocol.
 *
 *   ring:  cell 0 | cell 1 | ...      lengths[i], flags[i], address i: those of the datagram in cell i
 *
 * The cells are overwritten by the next batch: what must live longer is copied.
 */
import { markAsUntransferable } from 'node:worker_threads';
import { BugError } from '../../base/errors.js';
import { EINVAL, ENOBUFS } from '../../base/errno.js';
import { nativeAddon, type NativeSocket } from '../native/load.js';
import { SOL_SOCKET, SO_DETACH_FILTER } from './socketOptions.js';

/** Bytes reserved for each sender's address (struct sockaddr_*). */
export const addressBytes = 32;
/** MSG_TRUNC in `flags`: the datagram was longer than the cell. */
export const messageTruncated = 0x20;

const defaultSliceMicroseconds = 2_000;

export interface BatchedSocketOptions {
  /** AF_*, SOCK_*, protocol as in socket(2). SOCK_CLOEXEC and SOCK_NONBLOCK are added. */
  readonly domain: number;
  readonly type: number;
  readonly protocol: number;
  /** Datagrams per batch, 1 to 4096; absent makes a socket that only sends. */
  readonly cells?: number;
  /** Bytes per datagram, a multiple of 8; longer ones are cut and flagged. */
  readonly cellBytes?: number;
  /** Bytes of ancillary data per datagram (cmsg), a multiple of 8; default 0. */
  readonly controlBytes?: number;
  /** The kernel need not copy each sender's address: `addressLengths` stay 0. */
  readonly ignoresSenders?: boolean;
}

/**
 * What happens on a socket between startReceiving and stopReceiving. Called on the owner's thread.
 */
export interface BatchHandler {
  /** `count` datagrams lie in cells 0 to count-1, valid during the call. */
  onBatch(count: number): void;
  /**
   * ENOBUFS: the kernel dropped messages because the receive buffer was full. Receiving goes on.
   */
  onOverrun(): void;
  /** Any other errno. EBADF, EFAULT, EINVAL and ENOTSOCK end receiving, others do not. */
  onError(errno: number): void;
}

/** How a socket shares its thread. */
export interface ReceivePace {
  /** After this long the event loop gets its turn before the next batch; default 2,000. */
  readonly sliceMicroseconds?: number;
  /**
   * Wake-ups that would follow each other within this time are spaced by it, so that under load a
   * batch carries many datagrams; a lone datagram is not delayed. Default 0: never waits. The
   * receive buffer must hold what arrives meanwhile.
   */
  readonly restMilliseconds?: number;
  /** The same after fewer than 32 datagrams; default `restMilliseconds`. */
  readonly lightRestMilliseconds?: number;
  /**
   * A rest is shortened where, at the rate of before, more datagrams than this would come
   * meanwhile. Default: any number.
   */
  readonly restDatagrams?: number;
}

export type OpenedSocket =
  | { readonly kind: 'open'; readonly socket: BatchedSocket }
  | { readonly kind: 'refused'; readonly errno: number };

export class BatchedSocket {
  readonly cells: number;
  readonly cellBytes: number;
  readonly controlBytes: number;
  /** All cells: cell i starts at i * cellBytes. */
  readonly bytes: Uint8Array;
  /** The same memory for multi-byte reads. */
  readonly view: DataView;
  /** Bytes received into each cell. */
  readonly lengths: Uint32Array;
  /** MSG_* flags of each datagram. */
  readonly flags: Uint32Array;
  /** Sender addresses: that of cell i starts at i * 32. */
  readonly addresses: Uint8Array;
  readonly addressLengths: Uint32Array;
  /** Ancillary data: that of cell i starts at i * controlBytes. */
  readonly controls: Uint8Array;
  readonly controlLengths: Uint32Array;

  readonly #native: NativeSocket;
  readonly #sendErrno = new Uint32Array(1);
  #handler: BatchHandler | undefined;
  #writable: (() => void) | undefined;
  #pace: ReceivePace = {};
  #closed = false;
  readonly #onCode = (code: number): void => {
    this.#dispatch(code);
  };

  /** Opens in the network namespace of the calling thread (see networkNamespace.ts for others). */
  static open(options: BatchedSocketOptions): OpenedSocket {
    const addon = nativeAddon();
    const descriptor = addon.openSocket(options.domain, options.type, options.protocol);
    if (descriptor < 0) return { kind: 'refused', errno: -descriptor };
    const socket = new BatchedSocket(new addon.NativeSocket(descriptor), options);
    return { kind: 'open', socket };
  }

  private constructor(native: NativeSocket, options: BatchedSocketOptions) {
    this.#native = native;
    this.cells = options.cells ?? 0;
    this.cellBytes = options.cellBytes ?? 0;
    this.controlBytes = options.controlBytes ?? 0;
    const addressesAt = this.cells * this.cellBytes;
    const controlsAt = addressesAt + this.cells * addressBytes;
    const wordsAt = controlsAt + this.cells * this.controlBytes;
    const ring = new ArrayBuffer(wordsAt + 4 * 4 * this.cells);
    // The kernel writes into this memory: it must not be moved to another thread.
    markAsUntransferable(ring);
    const words = (i: number): Uint32Array =>
      new Uint32Array(ring, wordsAt + i * 4 * this.cells, this.cells);
    this.bytes = new Uint8Array(ring, 0, addressesAt);
    this.view = new DataView(ring, 0, addressesAt);
    this.addresses = new Uint8Array(ring, addressesAt, this.cells * addressBytes);
    this.controls = new Uint8Array(ring, controlsAt, this.cells * this.controlBytes);
    this.lengths = words(0);
    this.flags = words(1);
    this.addressLengths = words(2);
    this.controlLengths = words(3);
    if (this.cells === 0) return;
    const ignoresSenders = options.ignoresSenders === true;
    const { cells, cellBytes, controlBytes } = this;
    if (native.setRing(ring, cells, cellBytes, controlBytes, ignoresSenders) !== 0) {
      native.close();
      throw new BugError('cells: 1 to 4096; cellBytes and controlBytes: multiples of 8', {
        cells,
        cellBytes,
        controlBytes,
      });
    }
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** The bytes of the datagram in cell `i`, sharing memory with the ring. Allocates a view. */
  datagram(i: number): Uint8Array {
    const start = i * this.cellBytes;
    return this.bytes.subarray(start, start + (this.lengths[i] ?? 0));
  }

  /** The sender's sockaddr of cell `i`, sharing memory with the ring. Allocates a view. */
  senderAddress(i: number): Uint8Array {
    const start = i * addressBytes;
    return this.addresses.subarray(start, start + (this.addressLengths[i] ?? 0));
  }

  /** The ancillary data of cell `i`, sharing memory with the ring. Allocates a view. */
  control(i: number): Uint8Array {
    const start = i * this.controlBytes;
    return this.controls.subarray(start, start + (this.controlLengths[i] ?? 0));
  }

  bind(address: Uint8Array): number {
    return this.#native.bind(address);
  }

  connect(address: Uint8Array): number {
    return this.#native.connect(address);
  }

  /** setsockopt(2); `value` as the kernel wants it. */
  setOption(level: number, name: number, value: Uint8Array): number {
    return this.#native.setOption(level, name, value);
  }

  /** setsockopt(2) of an `int`. */
  setIntOption(level: number, name: number, value: number): number {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setInt32(0, value, true);
    return this.#native.setOption(level, name, bytes);
  }

  /** getsockopt(2) of an `int`; undefined where the kernel refuses. */
  getIntOption(level: number, name: number): number | undefined {
    const bytes = new Uint8Array(4);
    const length = this.#native.getOption(level, name, bytes);
    return length < 0 ? undefined : new DataView(bytes.buffer).getInt32(0, true);
  }

  /** getsockopt(2) into `into`: bytes written, or a negative errno. */
  getOption(level: number, name: number, into: Uint8Array): number {
    return this.#native.getOption(level, name, into);
  }

  /**
   * Classic BPF: `program` is an array of struct sock_filter, 8 bytes each, host order. Replaces.
   */
  attachFilter(program: Uint8Array): number {
    return this.#native.attachFilter(program);
  }

  detachFilter(): number {
    return this.setIntOption(SOL_SOCKET, SO_DETACH_FILTER, 0);
  }

  /**
   * getsockname(2): the sockaddr, or undefined when closed. On AF_NETLINK bytes 4-7 are the port
   * id.
   */
  localAddress(): Uint8Array | undefined {
    const bytes = new Uint8Array(128);
    const length = this.#native.getSocketName(bytes);
    return length < 0 ? undefined : bytes.subarray(0, Math.min(length, bytes.length));
  }

  /** ioctl(2) with a struct of at least 40 bytes, which the kernel may overwrite. */
  ioctl(request: number, bytes: Uint8Array): number {
    return this.#native.ioctl(request, bytes);
  }

  /**
   * One non-blocking recvmmsg: datagrams now in the ring, 0 when nothing waits, or a negative
   * errno.
   */
  receive(): number {
    return this.#native.receive();
  }

  /**
   * Receives until stopped, in slices so that other work of the thread gets its turn. Callbacks may
   * stop or close the socket. A started socket keeps the process alive.
   */
  startReceiving(handler: BatchHandler, pace: ReceivePace = {}): number {
    if (this.cells === 0) return EINVAL;
    this.#handler = handler;
    this.#pace = pace;
    return this.#poll();
  }

  /** Another pace from now on. */
  setPace(pace: ReceivePace): void {
    this.#pace = pace;
    if (this.#handler !== undefined) this.#poll();
  }

  /** Back-pressure: what arrives meanwhile waits in the kernel. startReceiving resumes. */
  stopReceiving(): void {
    this.#handler = undefined;
    this.#poll();
  }

  /** Calls back once when the send buffer has room again (after EAGAIN). */
  onceWritable(callback: () => void): number {
    this.#writable = callback;
    return this.#poll();
  }

  /** Whether a started socket keeps the event loop alive (default true). */
  setReferenced(referenced: boolean): void {
    this.#native.setReferenced(referenced);
  }

  /** One datagram; to `address` (a sockaddr), or to the connected peer. errno. */
  send(
    bytes: Uint8Array,
    address?: Uint8Array,
    offset = 0,
    length: number = bytes.length - offset,
  ): number {
    return this.#native.send(bytes, offset, length, address, 0);
  }

  /**
   * UDP: one datagram after the other, each of `segmentBytes`, the last of what is left; all go or
   * none does. At most 64, and 65,000 bytes together. errno; EIO, EINVAL or EOPNOTSUPP where the
   * kernel or the path cannot (UDP_SEGMENT).
   */
  sendSegments(bytes: Uint8Array, segmentBytes: number, address?: Uint8Array): number {
    return this.#native.send(bytes, 0, bytes.length, address, segmentBytes);
  }

  /**
   * sendmmsg of `count` datagrams that lie in `bytes` at `offsets[i]`, `lengths[i]`. Returns how
   * many were sent; when fewer than asked, `sendErrno` says why.
   */
  sendMany(
    bytes: Uint8Array,
    offsets: Uint32Array,
    lengths: Uint32Array,
    count: number,
    address?: Uint8Array,
  ): number {
    return this.#native.sendMany(bytes, offsets, lengths, count, address, this.#sendErrno);
  }

  /** Why the last sendMany stopped early; 0 when it sent all. */
  get sendErrno(): number {
    return this.#sendErrno[0] ?? 0;
  }

  /**
   * Another descriptor of the same socket, which the caller must close or hand on; a negative
   * errno. For streams: options are set and the connection made here, node:net does the rest.
   */
  duplicate(): number {
    return this.#native.duplicate();
  }

  /** Safe at any time and more than once; each later call returns EBADF. */
  close(): void {
    this.#closed = true;
    this.#handler = undefined;
    this.#writable = undefined;
    this.#native.close();
  }

  #poll(): number {
    const reads = this.#handler !== undefined;
    const writes = this.#writable !== undefined;
    if (reads || writes) {
      const { sliceMicroseconds = defaultSliceMicroseconds, restMilliseconds: rest = 0 } =
        this.#pace;
      const { lightRestMilliseconds: lightRest = rest, restDatagrams = 0 } = this.#pace;
      return this.#native.start(
        this.#onCode,
        reads,
        writes,
        sliceMicroseconds,
        rest,
        lightRest,
        restDatagrams,
      );
    }
    this.#native.stop();
    return 0;
  }

  #dispatch(code: number): void {
    if (code > 0) {
      this.#handler?.onBatch(code);
    } else if (code === 0) {
      const callback = this.#writable;
      this.#writable = undefined;
      callback?.();
    } else if (code === -ENOBUFS) {
      this.#handler?.onOverrun();
    } else {
      this.#handler?.onError(-code);
    }
  }
}
