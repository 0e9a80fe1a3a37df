/**
 * Reads one flow of the kernel (IPCTNL_MSG_CT_GET): with what dumps show and events leave out. The
 * kernel answers within `send`.
 */
import { DecodeError } from '../../base/errors.js';
import { FlowDecoder } from '../codec/flowDecoder.js';
import { encodeGet } from '../codec/flowRequests.js';
import { MessageBatch } from '../codec/messageBatch.js';
import { messageType } from '../constants.js';
import { newScratch, type FlowCursor } from '../record/flowRecord.js';
import type { NameTable } from '../record/nameTable.js';
import { openKernelSocket, type KernelSocket } from './kernelSocket.js';

const cellBytes = 4_096;

export class FlowLookup {
  readonly #kernel: KernelSocket = openKernelSocket({ cells: 1, cellBytes });
  readonly #request = new MessageBatch(512);
  readonly #decoder = new FlowDecoder();
  readonly #flow: FlowCursor;
  #sequence = 0;

  /** In the network namespace of the calling thread. Throws KernelError. */
  constructor(names: NameTable) {
    this.#flow = newScratch(names);
  }

  /**
   * The flow with the original tuple and zone of `key`, in a scratch record that is valid until the
   * next call; undefined where the kernel has none, or cannot be asked now.
   */
  read(key: FlowCursor): FlowCursor | undefined {
    const { socket } = this.#kernel;
    const sequence = ++this.#sequence;
    this.#request.clear();
    encodeGet(this.#request, key, sequence);
    if (socket.isClosed || socket.send(this.#request.written()) !== 0) return undefined;
    for (let count = socket.receive(); count > 0; count = socket.receive()) {
      if (this.#decode(socket.view, socket.lengths[0] ?? 0, sequence)) return this.#flow;
    }
    return undefined;
  }

  close(): void {
    this.#kernel.socket.close();
  }

  #decode(view: DataView, received: number, sequence: number): boolean {
    if (received < 20 || view.getUint16(4, true) !== messageType.flowNew) return false;
    if (view.getUint32(8, true) !== sequence || view.getUint32(0, true) > received) return false;
    try {
      this.#decoder.decode(view, 0, view.getUint32(0, true), this.#flow);
      return true;
    } catch (error) {
      if (error instanceof DecodeError) return false;
      throw error;
    }
  }
}
