/**
 * How many flows the kernel tracks in one network namespace (IPCTNL_MSG_CT_GET_STATS, since Linux
 * 5.10): one number, whatever the size of its table. Flows that are dying count until their memory
 * is freed.
 */
import { messageFlag, messageType, netlinkFamily } from '../constants.js';
import { openKernelSocket } from './kernelSocket.js';
import { MessageBatch } from '../codec/messageBatch.js';
import type { BatchedSocket } from '../../net/socket/batchedSocket.js';

/** CTA_STATS_GLOBAL_ENTRIES, be32 (linux/netfilter/nfnetlink_conntrack.h). */
const globalEntries = 1;
const headerBytes = 20;
const cellBytes = 1_024;

export class KernelCount {
  readonly #socket: BatchedSocket;
  readonly #request = new MessageBatch(32);

  /** In the network namespace of the calling thread. Throws KernelError. */
  constructor() {
    this.#socket = openKernelSocket({ cells: 1, cellBytes }).socket;
    this.#request.begin(messageType.flowGetStats, messageFlag.request, 1, netlinkFamily.any);
    this.#request.finish();
  }

  /**
   * undefined where this kernel does not say it, or has no memory to do so now. The kernel answers
   * within `send`.
   */
  read(): number | undefined {
    const socket = this.#socket;
    if (socket.isClosed || socket.send(this.#request.written()) !== 0) return undefined;
    return socket.receive() === 1 ? entriesOf(socket.view, socket.lengths[0] ?? 0) : undefined;
  }

  close(): void {
    this.#socket.close();
  }
}

/** The number in an answer of `received` bytes; undefined where it is something else. */
export function entriesOf(view: DataView, received: number): number | undefined {
  if (received < headerBytes) return undefined;
  const end = Math.min(received, view.getUint32(0, true));
  if (view.getUint16(4, true) !== messageType.flowGetStats) return undefined;
  for (let at = headerBytes; at + 4 <= end;) {
    const length = view.getUint16(at, true);
    if (length < 4 || at + length > end) return undefined;
    const type = view.getUint16(at + 2, true) & 0x3fff;
    if (type === globalEntries && length === 8) return view.getUint32(at + 4, false);
    at += (length + 3) & ~3;
  }
  return undefined;
}
