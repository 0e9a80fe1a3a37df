/** Writes the cached expectations into the kernel, one request after the other, in slices. */
import { EEXIST } from '../../base/errno.js';
import {
  addTime,
  milliseconds,
  subtractSeconds,
  wholeSeconds,
  type Clock,
  type Turns,
} from '../../base/time.js';
import { lifecycle } from '../../conntrack/record/flowRecord.js';
import {
  encodeExpectationCreate,
  encodeExpectationDelete,
  encodeExpectationFlush,
  type Expectation,
} from '../../conntrack/codec/expectation.js';
import { openKernelSocket, type KernelSocket } from '../../conntrack/kernel/kernelSocket.js';
import { MessageBatch } from '../../conntrack/codec/messageBatch.js';

import { messageFlag, messageType } from '../../conntrack/constants.js';
import type { ExpectationCache, ExpectationEntry } from '../tables/expectations.js';

const cellBytes = 4_096;
const leastTimeoutSeconds = 60;
const slice = milliseconds(2);

export interface ExpectationCommitOptions {
  readonly clock: Clock;
  readonly turns: Turns;
  readonly fixedTimeoutSeconds: number | undefined;
  /** Port id of the socket, known before the first change; what it returns is called once that is closed. */
  readonly onPort: (portId: number) => () => void;
  readonly onFailure: (errno: number) => void;
  /** What was written stays; the rest is not tried. */
  readonly isOver: () => boolean;
  /** Absent: the kernel's. */
  readonly open?: () => Pick<ExpectationWriter, 'portId' | 'put' | 'close'>;
}

export interface ExpectationCounts {
  /** The kernel took them. */
  readonly committed: number;
  readonly failed: number;
}

/** Leaves the thread to others every 2 ms. Rejects with KernelError where no socket can be had. */
export async function commitExpectations(
  cache: ExpectationCache,
  options: ExpectationCommitOptions,
): Promise<ExpectationCounts> {
  const counts = { committed: 0, failed: 0 };
  if (cache.count === 0) return counts;
  const { clock, turns, isOver, onFailure } = options;
  const writer = options.open?.() ?? new ExpectationWriter();
  const closed = options.onPort(writer.portId);
  try {
    let end = addTime(clock.now(), slice);
    for (const entry of [...cache]) {
      if (clock.now() >= end) {
        await new Promise<void>((resolve) => {
          turns.next(resolve);
        });
        end = addTime(clock.now(), slice);
      }
      if (isOver()) break;
      // What ended meanwhile is left out.
      if (entry.lifecycle === lifecycle.dead || !cache.has(entry)) continue;
      const errno = writer.put(entry.content, timeoutOf(entry, options));
      if (errno === 0) counts.committed++;
      else {
        counts.failed++;
        onFailure(errno);
      }
    }
  } finally {
    writer.close();
    closed();
  }
  return counts;
}

function timeoutOf(
  { content, updatedSeconds }: ExpectationEntry,
  { clock, fixedTimeoutSeconds }: ExpectationCommitOptions,
): number {
  if (fixedTimeoutSeconds !== undefined) return fixedTimeoutSeconds;
  const told = content.timeoutSeconds ?? 0;
  const left = told - subtractSeconds(wholeSeconds(clock.now()), updatedSeconds);
  return left > 0 ? left : Math.max(leastTimeoutSeconds, told);
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
