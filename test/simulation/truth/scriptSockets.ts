/**
 * ctnetlink as scripts use it: single requests, dumps as lines, an event socket that is read on
 * demand.
 */
import { ENOBUFS } from '../../../src/base/errno.js';
import { MessageBatch } from '../../../src/conntrack/codec/messageBatch.js';
import { eventGroup, messageFlag, messageType } from '../../../src/conntrack/constants.js';
import { KernelDump } from '../../../src/conntrack/kernel/kernelDump.js';
import {
  makeReliable,
  openKernelSocket,
  type KernelSocket,
} from '../../../src/conntrack/kernel/kernelSocket.js';
import { NameTable } from '../../../src/conntrack/record/nameTable.js';
import { flowLine, inOrder } from './flowText.js';
import type { TruthWorld } from './truthWorld.js';

/** First byte of the sources of flows that only fill the table. */
export const fillingNetwork = 172;
/** nlmsghdr, nfgenmsg, and the headers of CTA_TUPLE_ORIG, CTA_TUPLE_IP and CTA_IP_V4_SRC. */
const sourceAt = 20 + 4 + 4 + 4;
const cellBytes = 4_096;

export type Encode = (out: MessageBatch, flags: number) => void;

/** One request after the other; the kernel answers within `send`. */
export class RequestSocket {
  readonly portId: number;
  readonly #kernel: KernelSocket;
  readonly #out = new MessageBatch(2_048);

  constructor() {
    this.#kernel = openKernelSocket({ cells: 1, cellBytes });
    this.portId = this.#kernel.portId;
  }

  /** errno, 0 for success; or the entry that was asked for, as a line. */
  ask(encode: Encode): number | string {
    const { socket } = this.#kernel;
    this.#out.clear();
    encode(this.#out, messageFlag.ack);
    const failed = socket.send(this.#out.written());
    if (failed !== 0) return failed;
    let line: string | undefined;
    while (socket.receive() > 0) {
      const type = socket.view.getUint16(4, true);
      const length = socket.view.getUint32(0, true);
      if (type === messageType.error) return line ?? Math.abs(socket.view.getInt32(16, true));
      if (type === messageType.flowNew) line = flowLine(socket.view, 0, length);
    }
    if (line === undefined) throw new Error('the kernel did not answer');
    return line;
  }

  close(): void {
    this.#kernel.socket.close();
  }
}

/** The table, sorted; what only fills it is left out. */
export async function tableLines(world: TruthWorld): Promise<string[]> {
  const lines: string[] = [];
  const dump = world.enter(
    () =>
      new KernelDump({ kind: 'flows' }, new NameTable(), {
        message: (view, at, length) => {
          if (view.getUint8(at + 16) === 2 && view.getUint8(at + sourceAt) === fillingNetwork)
            return;
          lines.push(flowLine(view, at, length));
        },
      }),
  );
  await world.until(dump.done);
  return inOrder(lines);
}

export class EventSocket {
  readonly #kernel: KernelSocket;
  readonly #isOwn: (portId: number) => boolean;

  constructor(
    options: { readonly bufferBytes?: number | undefined; readonly reliable?: boolean | undefined },
    isOwn: (portId: number) => boolean,
  ) {
    const { flowNew, flowUpdate, flowDestroy } = eventGroup;
    const { bufferBytes } = options;
    this.#isOwn = isOwn;
    this.#kernel = openKernelSocket({
      cells: 1,
      cellBytes,
      groups: flowNew | flowUpdate | flowDestroy,
      ...(bufferBytes === undefined ? {} : { receiveBufferBytes: bufferBytes }),
    });
    if (options.reliable === true) makeReliable(this.#kernel.socket);
  }

  /** `new kernel tcp ...`: the kind, who caused it, the flow; `overrun` where events were lost. */
  read(limit: number): string[] {
    const { socket } = this.#kernel;
    const lines: string[] = [];
    while (lines.length < limit) {
      const count = socket.receive();
      if (count === 0) break;
      if (count === -ENOBUFS) lines.push('overrun');
      else if (count < 0) throw new Error(`events cannot be read: errno ${-count}`);
      else lines.push(this.#line());
    }
    return endsInOrder(lines);
  }

  close(): void {
    this.#kernel.socket.close();
  }

  #line(): string {
    const { view } = this.#kernel.socket;
    const length = view.getUint32(0, true);
    const portId = view.getUint32(12, true);
    const isEnd = (view.getUint16(4, true) & 0xff) === 2;
    const isNew = (view.getUint16(6, true) & messageFlag.create) !== 0;
    const kind = isEnd ? 'destroy' : isNew ? 'new' : 'update';
    const cause = portId === 0 ? 'kernel' : this.#isOwn(portId) ? 'self' : 'other';
    return `${kind} ${cause} ${flowLine(view, 0, length)}`;
  }
}

/** A flush ends flows in the order of the kernel's hash: ends that follow each other are sorted. */
function endsInOrder(lines: readonly string[]): string[] {
  const isEnd = (line: string | undefined): boolean => line?.startsWith('destroy') === true;
  const ordered: string[] = [];
  for (let from = 0; from < lines.length;) {
    let to = from + 1;
    if (isEnd(lines[from])) while (isEnd(lines[to])) to++;
    ordered.push(...inOrder(lines.slice(from, to)));
    from = to;
  }
  return ordered;
}
