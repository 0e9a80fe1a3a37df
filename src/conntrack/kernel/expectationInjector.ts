/**
 * Writes expectations into the kernel: one socket, one request at a time, each answered before the
 * next.
 */
import { EEXIST } from '../../base/errno.js';
import {
  encodeExpectationCreate,
  encodeExpectationDelete,
  encodeExpectationFlush,
  type Expectation,
} from '../codec/expectation.js';
import { MessageBatch } from '../codec/messageBatch.js';
import { messageFlag, messageType } from '../constants.js';
import { openKernelSocket, type KernelSocket } from './kernelSocket.js';

const cellBytes = 4_096;

/** The constructor throws KernelError where no socket can be had. */
export class ExpectationInjector {
  readonly #kernel: KernelSocket = openKernelSocket({ cells: 4, cellBytes });
  readonly #batch = new MessageBatch(2_048);
  #sequence = 0;

  get portId(): number {
    return this.#kernel.portId;
  }

  /** Creates; an existing one is replaced. errno. */
  put(expectation: Expectation, timeoutSeconds: number): number {
    const create = (): number =>
      this.#request((sequence) => {
        const flags = messageFlag.ack;
        encodeExpectationCreate(this.#batch, expectation, sequence, timeoutSeconds, flags);
      });
    const errno = create();
    if (errno !== EEXIST) return errno;
    this.remove(expectation);
    return create();
  }

  remove(expectation: Expectation): number {
    return this.#request((sequence) => {
      encodeExpectationDelete(this.#batch, expectation, sequence, messageFlag.ack);
    });
  }

  /** Removes all that the kernel has. errno. */
  flush(): number {
    return this.#request((sequence) => {
      encodeExpectationFlush(this.#batch, sequence);
    });
  }

  close(): void {
    this.#kernel.socket.close();
  }

  /** The kernel has answered when send returns. */
  #request(encode: (sequence: number) => void): number {
    const { socket } = this.#kernel;
    const sequence = ++this.#sequence;
    this.#batch.clear();
    encode(sequence);
    const errno = socket.send(this.#batch.bytes, undefined, 0, this.#batch.length);
    if (errno !== 0) return errno;
    let result = 0;
    for (let count = socket.receive(); count > 0; count = socket.receive()) {
      for (let i = 0; i < count; i++) {
        const at = i * cellBytes;
        const isAnswer =
          socket.view.getUint16(at + 4, true) === messageType.error &&
          socket.view.getUint32(at + 8, true) === sequence;
        if (isAnswer) result = -socket.view.getInt32(at + 16, true);
      }
    }
    return result;
  }
}
