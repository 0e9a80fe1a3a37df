/**
 * The kernel's event stream on a socket of its own: NEW, UPDATE, DESTROY of flows and expectations.
 * One message per datagram; no allocation per event. An overrun doubles the receive buffer up to a
 * limit and is reported: events are missing then, and only a dump can show what. It is noticed by
 * ENOBUFS, or, in every mode, by the socket's drop counter, which is read each time the queue was
 * read empty, and whenever the owner asks (`noticeLoss`).
 */
import { ENOBUFS } from '../../base/errno.js';
import { DecodeError } from '../../base/errors.js';
import type { BatchedSocket, ReceivePace } from '../../net/socket/batchedSocket.js';
import { eventGroup, messageFlag } from '../constants.js';
import { decodeExpectation, type Expectation } from '../codec/expectation.js';
import { FlowDecoder } from '../codec/flowDecoder.js';
import { newScratch, type FlowCursor } from '../record/flowRecord.js';
import {
  DropCounter,
  makeReliable,
  openKernelSocket,
  receiveBufferBytes,
  setMembership,
  setReceiveBuffer,
} from './kernelSocket.js';
import type { NameTable } from '../record/nameTable.js';

export type EventKind = 'new' | 'update' | 'destroy';

/** The bytes of one event, nlmsghdr included: `length` bytes at `at`, valid while it is handled. */
export interface EventMessage {
  readonly view: DataView;
  /** What `view` shows. */
  readonly bytes: Uint8Array;
  readonly at: number;
  readonly length: number;
}

export interface KernelEventHandler {
  /**
   * `flow` is a scratch record, valid during the call; `portId` is 0 where a packet or a timer did
   * it.
   */
  flow(kind: EventKind, flow: FlowCursor, portId: number): void;
  expectation(kind: 'new' | 'destroy', expectation: Expectation, portId: number): void;
  /**
   * What this socket did to a flow that lives is no news: its event is not even decoded. Ends
   * always are.
   */
  ignores?(portId: number): boolean;
  /**
   * Events were lost. Called once until the queue was read empty; `bufferBytes` is the size from
   * now on.
   */
  overrun(bufferBytes: number): void;
  /** The kernel's bytes were not understood; the event was skipped. */
  malformed(error: DecodeError): void;
  /** Receiving failed for another reason. */
  failed(errno: number): void;
  /** Before the events of each batch; time for what is done once per batch. */
  batchBegin?(): void;
  /**
   * After each batch. `isDrained`: the queue was read empty, so what comes next is newer than any
   * loss.
   */
  batchEnd?(isDrained: boolean): void;
}

export interface KernelEventOptions {
  readonly names: NameTable;
  /** As the kernel counts them; undefined leaves the system's default (212,992). */
  readonly bufferBytes?: number;
  readonly maxBufferBytes: number;
  readonly reliable: boolean;
  /** Ends of expectations too; their beginnings are heard in any case. */
  readonly expectations: boolean;
  /** Classic BPF, see filterProgram.ts. */
  readonly filterProgram?: Uint8Array;
}

const cells = 256;
/**
 * Milliseconds that a busy reader waits between batches. A wake-up costs as much as twenty events;
 * 5 ms make a batch of 1,000 where 200,000 come in a second.
 */
const longestRest = 5;
/**
 * Half a MiB of buffer holds 400 events at least; so much is kept free for each millisecond of
 * rest.
 */
const bufferPerRest = 1 << 19;
const bufferForRest = 1 << 20;
/** After few events the rest is longer: 0.4 MiB of buffer for each millisecond. */
const bufferPerLightRest = 419_430;
/** What an event takes of the receive buffer, whatever its length. */
const bufferPerEvent = 1_280;
/**
 * Larger than any event: IPv6, master, labels and all else come to about 700 bytes. 13 cache lines,
 * an odd number: at a power of two the beginnings of all cells fall on the same few sets of the
 * first cache (3 % of the sender's CPU).
 */
const cellBytes = 832;

export class KernelEvents {
  readonly portId: number;
  readonly #socket: BatchedSocket;
  readonly #handler: KernelEventHandler;
  readonly #maxBufferBytes: number;
  readonly #decoder = new FlowDecoder();
  readonly #flow: FlowCursor;
  readonly #dropCounter: DropCounter;
  #drops = 0;
  /** What is dropped until the queue was read empty belongs to the overrun that was reported. */
  #isOverrun = false;
  readonly #message: { -readonly [Field in keyof EventMessage]: EventMessage[Field] };
  #isPaused = true;
  #received = 0;
  #overruns = 0;

  /** Joins the groups at once: events queue up in the kernel until `start`. Throws KernelError. */
  constructor(options: KernelEventOptions, handler: KernelEventHandler) {
    const flows = eventGroup.flowNew | eventGroup.flowUpdate | eventGroup.flowDestroy;
    const begun = flows | eventGroup.expectationNew;
    const { socket, portId } = openKernelSocket({
      cells,
      cellBytes,
      groups: options.expectations ? begun | eventGroup.expectationDestroy : begun,
      ...(options.bufferBytes === undefined ? {} : { receiveBufferBytes: options.bufferBytes }),
    });
    this.#socket = socket;
    this.#message = { view: socket.view, bytes: socket.bytes, at: 0, length: 0 };
    this.#dropCounter = new DropCounter(socket);
    this.portId = portId;
    this.#handler = handler;
    this.#maxBufferBytes = options.maxBufferBytes;
    this.#flow = newScratch(options.names);
    if (options.reliable) makeReliable(socket);
    if (options.filterProgram !== undefined) socket.attachFilter(options.filterProgram);
  }

  /** What is handled now, or was last: more than the record of a flow holds. */
  get message(): EventMessage {
    return this.#message;
  }

  /** Events read so far. */
  get received(): number {
    return this.#received;
  }

  get overruns(): number {
    return this.#overruns;
  }

  get unknownAttributes(): number {
    return this.#decoder.unknownAttributes;
  }

  get bufferBytes(): number {
    return receiveBufferBytes(this.#socket);
  }

  start(): void {
    this.#isPaused = false;
    this.#socket.startReceiving(
      {
        onBatch: (count) => this.#batch(count),
        onOverrun: () => this.#overrun(),
        onError: (errno) => this.#handler.failed(errno),
      },
      paceFor(this.bufferBytes),
    );
  }

  /**
   * Whether beginnings of flows are subscribed to; at first they are. While nobody hears them the kernel
   * does not even build the events, which is 3 us of the 7 that a flow costs whoever creates it.
   * Whoever had it off compares afterwards.
   */
  subscribeNew(on: boolean): void {
    setMembership(this.#socket, eventGroup.flowNew, on);
    // A kernel with one flag for all groups would take this leave for that of the last listener,
    // and under nf_conntrack_events 2 give the flows that begin now no events at all; joining sets
    // the flag, also for a member.
    if (!on) setMembership(this.#socket, eventGroup.flowUpdate, true);
  }

  /** Stops reading; the kernel queues, and drops when the buffer is full. */
  pause(): void {
    this.#isPaused = true;
    this.#socket.stopReceiving();
  }

  /**
   * Reads what waits now, at most about `limit` events, for callers that must be up to date before
   * they go on. True where the queue was read empty.
   */
  drain(limit = Infinity): boolean {
    let left = limit;
    while (left > 0 && !this.#socket.isClosed) {
      const count = this.#socket.receive();
      if (count < 0 && this.#recover(-count)) continue;
      if (count <= 0) {
        this.#drained();
        return true;
      }
      this.#batch(count);
      left -= count;
    }
    return false;
  }

  /**
   * To be called about once a second: a queue that is never empty, or a kernel without memory,
   * reports no loss by itself.
   */
  noticeLoss(): void {
    if (!this.#isPaused && !this.#socket.isClosed) this.#readDrops();
  }

  close(): void {
    this.#socket.close();
  }

  #readDrops(): void {
    const drops = this.#dropCounter.read();
    if (drops === this.#drops) return;
    this.#drops = drops;
    if (!this.#isOverrun) this.#overrun();
  }

  #drained(): void {
    this.#readDrops();
    this.#isOverrun = false;
    this.#handler.batchEnd?.(true);
  }

  #recover(errno: number): boolean {
    if (errno !== ENOBUFS) {
      this.#handler.failed(errno);
      return false;
    }
    this.#overrun();
    return true;
  }

  #batch(count: number): void {
    const socket = this.#socket;
    this.#received += count;
    this.#handler.batchBegin?.();
    for (let i = 0; i < count; i++) {
      try {
        this.#handle(socket.view, i * cellBytes, socket.lengths[i]!);
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
        this.#handler.malformed(error);
      }
      if (socket.isClosed) return;
    }
    if (count < cells) this.#drained();
    else this.#handler.batchEnd?.(false);
  }

  #handle(view: DataView, at: number, received: number): void {
    const length = received < 20 ? 0 : view.getUint32(at, true);
    if (length < 20 || length > received) {
      throw new DecodeError('truncated', 'event shorter than its length says', {
        length,
        received,
      });
    }
    const type = view.getUint16(at + 4, true);
    const isDestroy = (type & 0xff) === 2;
    const isNew = (view.getUint16(at + 6, true) & messageFlag.create) !== 0;
    const portId = view.getUint32(at + 12, true);
    if (type >>> 8 === 1) {
      if (!isDestroy && portId !== 0 && this.#handler.ignores?.(portId) === true) return;
      this.#decoder.decode(view, at, length, this.#flow);
      this.#message.at = at;
      this.#message.length = length;
      this.#handler.flow(isDestroy ? 'destroy' : isNew ? 'new' : 'update', this.#flow, portId);
    } else if (type >>> 8 === 2) {
      const expectation = decodeExpectation(view, at, length);
      this.#handler.expectation(isDestroy ? 'destroy' : 'new', expectation, portId);
    }
  }

  #overrun(): void {
    this.#overruns++;
    this.#isOverrun = true;
    this.#drops = this.#dropCounter.read();
    const now = this.bufferBytes;
    // SO_RCVBUF counts what is usable; doubling beyond the limit is refused, as conntrackd does.
    if (now * 2 <= this.#maxBufferBytes) {
      setReceiveBuffer(this.#socket, now * 2);
      this.#socket.setPace(paceFor(this.bufferBytes));
    }
    this.#handler.overrun(this.bufferBytes);
  }
}

/** A rest that would fill more than half of the buffer is shortened. */
function paceFor(bufferBytes: number): ReceivePace {
  if (bufferBytes < bufferForRest) return {};
  const restFor = (bufferPerMillisecond: number): number =>
    Math.min(longestRest, Math.floor(bufferBytes / bufferPerMillisecond));
  return {
    restMilliseconds: restFor(bufferPerRest),
    lightRestMilliseconds: restFor(bufferPerLightRest),
    restDatagrams: Math.floor(bufferBytes / bufferPerEvent / 2),
  };
}
