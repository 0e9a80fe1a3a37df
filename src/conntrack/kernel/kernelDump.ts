/**
 * Reads the kernel's table (or its expectations) step by step on a socket of its own: the kernel
 * produces the next 32 KiB only when they are asked for, so a slow reader holds nothing up and
 * `pause` is real back-pressure. A dump is no snapshot: what changes meanwhile comes as events.
 */
import { BugError, DecodeError, KernelError } from '../../base/errors.js';
import type { BatchedSocket } from '../../net/socket/batchedSocket.js';
import { ENOBUFS, errnoText } from '../../base/errno.js';
import { messageType } from '../constants.js';
import {
  decodeExpectation,
  encodeExpectationDump,
  type Expectation,
} from '../codec/expectation.js';
import { FlowDecoder } from '../codec/flowDecoder.js';
import { newScratch, type FlowCursor } from '../record/flowRecord.js';
import { encodeDump, type KernelSelection } from '../codec/flowRequests.js';
import { openKernelSocket } from './kernelSocket.js';
import { MessageBatch } from '../codec/messageBatch.js';
import type { NameTable } from '../record/nameTable.js';

/** The kernel fills at most 32,448 bytes per recv, and adapts to what it is offered. */
const cellBytes = 32_768;
/**
 * One: a batch is one callback, and while code is cold 136 entries take 5 ms, four times as many
 * 20.
 */
const cells = 1;

export interface DumpHandler {
  /** Before the entries of each batch; time for what is done once per batch. */
  batch?(): void;
  /** A scratch record, valid during the call. */
  flow?(flow: FlowCursor): void;
  expectation?(expectation: Expectation): void;
  /**
   * The whole message in the receive ring, for readers that decode themselves; [at, at + length).
   */
  message?(view: DataView, at: number, length: number): void;
  malformed?(error: DecodeError): void;
}

export type DumpRequest =
  | { readonly kind: 'flows'; readonly selection?: KernelSelection }
  | { readonly kind: 'expectations' };

/** A dump as whoever follows it sees it. */
export type RunningDump = Pick<KernelDump, 'done' | 'pause' | 'resume' | 'cancel'>;

/** One dump. */
export class KernelDump {
  readonly done: Promise<number>;
  readonly #socket: BatchedSocket;
  readonly #handler: DumpHandler;
  readonly #decoder = new FlowDecoder();
  readonly #flow: FlowCursor;
  #entries = 0;
  #settle: (error?: Error) => void = () => undefined;

  /** Sends the request at once and reads as the event loop turns. Throws KernelError. */
  constructor(request: DumpRequest, names: NameTable, handler: DumpHandler) {
    this.#handler = handler;
    this.#flow = newScratch(names);
    const { socket } = openKernelSocket({ cells, cellBytes });
    this.#socket = socket;
    this.done = new Promise((resolve, reject) => {
      this.#settle = (error) => {
        socket.close();
        if (error === undefined) resolve(this.#entries);
        else reject(error);
      };
    });
    const out = new MessageBatch(256);
    if (request.kind === 'flows') encodeDump(out, 1, request.selection);
    else encodeExpectationDump(out, 1);
    const errno = socket.send(out.bytes, undefined, 0, out.length);
    if (errno !== 0) {
      socket.close();
      throw new KernelError('request a dump', errno, errnoText(errno));
    }
    this.resume();
  }

  /** Entries read so far. */
  get entries(): number {
    return this.#entries;
  }

  pause(): void {
    this.#socket.stopReceiving();
  }

  resume(): void {
    if (this.#socket.isClosed) return;
    this.#socket.startReceiving({
      onBatch: (count) => this.#batch(count),
      onOverrun: () => this.#settle(new KernelError('dump', ENOBUFS, errnoText(ENOBUFS))),
      onError: (errno) => this.#settle(new KernelError('dump', errno, errnoText(errno))),
    });
  }

  /** Gives up: `done` resolves with what was read. */
  cancel(): void {
    this.#settle();
  }

  #batch(count: number): void {
    this.#handler.batch?.();
    for (let i = 0; i < count && !this.#socket.isClosed; i++) {
      const start = i * cellBytes;
      this.#datagram(this.#socket.view, start, start + this.#socket.lengths[i]!);
    }
  }

  #datagram(view: DataView, start: number, end: number): void {
    for (let at = start; at + 20 <= end && !this.#socket.isClosed;) {
      const length = view.getUint32(at, true);
      if (length < 16 || at + length > end) {
        this.#settle(new DecodeError('truncated', 'dump message overruns its datagram'));
        return;
      }
      const type = view.getUint16(at + 4, true);
      if (type === messageType.done || type === messageType.error) {
        const errno = -view.getInt32(at + 16, true);
        this.#settle(errno === 0 ? undefined : new KernelError('dump', errno, errnoText(errno)));
        return;
      }
      this.#entry(view, at, length, type >>> 8);
      at += (length + 3) & ~3;
    }
  }

  #entry(view: DataView, at: number, length: number, subsystem: number): void {
    this.#entries++;
    const handler = this.#handler;
    try {
      handler.message?.(view, at, length);
      if (subsystem === 1 && handler.flow !== undefined) {
        this.#decoder.decode(view, at, length, this.#flow);
        handler.flow(this.#flow);
      } else if (subsystem === 2 && handler.expectation !== undefined) {
        handler.expectation(decodeExpectation(view, at, length));
      }
    } catch (error) {
      if (error instanceof DecodeError) handler.malformed?.(error);
      else this.#settle(error instanceof Error ? error : new BugError('dump handler failed'));
    }
  }
}
