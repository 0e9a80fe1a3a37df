/** Writes the cached expectations into the kernel; they are few, so one request after the other. */
import { lifecycle } from '../conntrack/flowRecord.js';
import {
  encodeExpectationCreate,
  encodeExpectationDelete,
  encodeExpectationFlush,
  type Expectation,
} from '../conntrack/expectation.js';
import { openKernelSocket, type KernelSocket } from '../conntrack/kernelSocket.js';
import { MessageBatch } from '../conntrack/messageBatch.js';

import { messageFlag, messageType } from '../conntrack/constants.js';
import type { ExpectationCache } from './expectations.js';

const cellBytes = 4_096;
const EEXIST = 17;
const leastTimeoutSeconds = 60;

export interface ExpectationCommitOptions {
  readonly nowSeconds: number;
  readonly fixedTimeoutSeconds: number | undefined;
  /** Port id of the socket, known before the first change; what it returns is called once that is closed. */
  readonly onPort: (portId: number) => () => void;
}

/** Number of expectations that the kernel took. Throws KernelError where no socket can be had. */
export function commitExpectations(
  cache: ExpectationCache,
  options: ExpectationCommitOptions,
): number {
  if (cache.count === 0) return 0;
  const writer = new ExpectationWriter();
  const closed = options.onPort(writer.portId);
  let committed = 0;
  try {
    for (const { content, lifecycle: life, updatedSeconds } of cache) {
      if (life === lifecycle.dead) continue;
      const left = (content.timeoutSeconds ?? 0) - (options.nowSeconds - updatedSeconds);
      const timeout = options.fixedTimeoutSeconds ?? (left > 0 ? left : leastTimeoutSeconds);
      if (writer.put(content, timeout) === 0) committed++;
    }
  } finally {
    writer.close();
    closed();
  }
  return committed;
}

/** One socket for creates and deletes that are answered one by one. */
export class ExpectationWriter {
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
