/**
 * Writes flows into the kernel in batches of 128 messages per send. No message asks for an ACK:
 * errors come back by themselves, and their sequence number says which flow it was. What is
 * refused is tried again in the way that can help:
 *
 *   EEXIST on create   delete and create (or make liberal, or keep; see `onExisting` and
 *                      `isUnanswered`), once
 *   ENOENT on liberal  final: another flow has the reply tuple, and its mapping stays
 *   EOPNOTSUPP         once more without the helper, which this kernel does not have
 *   ENOENT on create   once more without the master, which is gone
 *   ENOENT on update   create
 *   other on update    delete and create
 *   any on amend       final: the flow stays as it is
 *   ENOMEM             the table is full: `isFull`, no further tries
 *
 * A batch that the kernel does not take, being short of memory for it, has failed as a whole, and
 * the next one is tried.
 */
import { BugError } from '../../base/errors.js';
import { EEXIST, ENOBUFS, ENOENT, ENOMEM, EOPNOTSUPP } from '../../base/errno.js';
import { messageType } from '../constants.js';
import { isAnswered, presenceBit, type FlowCursor } from '../record/flowRecord.js';
import {
  encodeCreate,
  encodeDelete,
  encodeLiberalWindows,
  encodeUpdate,
  largestRequest,
  type CreateOptions,
} from '../codec/flowRequests.js';
import { answerCellBytes, openInjectionSocket, type InjectionSocket } from './injectionSocket.js';
import { MessageBatch } from '../codec/messageBatch.js';

/** Beyond 64 nothing is gained (docs/decisions/flow-injection.md); a batch blocks about 0.3 ms. */
const flowsPerBatch = 128;
const batchBytes = flowsPerBatch * 512;

/** What to do with a flow that the kernel has already. */
export type OnExisting =
  /** Delete and create: the record is the truth. */
  | 'replace'
  /**
   * Leave it, NAT mapping included, but make its TCP windows liberal. Where only the reply tuple is
   * taken, by another flow, that flow stays and this one has failed with EEXIST.
   */
  | 'liberal'
  | 'keep';

export interface InjectionOptions {
  readonly windowTracking: boolean;
  readonly onExisting: OnExisting;
  /**
   * Whether the kernel's flow of this key never saw a reply. Under `liberal` it is replaced by a
   * record that did: it carries nothing, and calls each packet of the flow INVALID.
   */
  readonly isUnanswered?: (flow: FlowCursor) => boolean;
}

/** Where the records of retried slots are found: a FlowTable. */
export interface FlowSource {
  seek(slot: number, cursor: FlowCursor): FlowCursor;
}

export interface InjectionCounts {
  /** Flows given to the injector. */
  readonly requested: number;
  readonly failed: number;
  /** Existed, and were replaced. */
  readonly replaced: number;
  /** Existed, and were kept. */
  readonly kept: number;
  /** Injected without their helper or master. */
  readonly degraded: number;
  /** Refusals by errno, final ones only. */
  readonly failures: ReadonlyMap<number, number>;
}

const action = {
  create: 0,
  update: 1,
  remove: 2,
  recreate: 3,
  liberal: 4,
  clear: 5,
  open: 6,
  amend: 7,
  /** Refused, and dealt with. */
  settled: 8,
} as const;
type Action = (typeof action)[keyof typeof action];

interface Attempt {
  slot: number;
  action: Action;
  timeoutSeconds: number;
  withoutHelper: boolean;
  withoutMaster: boolean;
}

export class FlowInjector {
  /** In the events that these changes cause. */
  readonly portId: number;
  readonly #socket: InjectionSocket['socket'];
  readonly #options: InjectionOptions;
  readonly #source: FlowSource | undefined;
  readonly #cursor: FlowCursor | undefined;
  readonly #onFailure: ((slot: number, errno: number) => void) | undefined;
  readonly #batch = new MessageBatch(batchBytes);
  /** What each message of the batch is; index = sequence - #firstSequence. Reused. */
  readonly #attempts: Attempt[] = Array.from({ length: flowsPerBatch }, newAttempt);
  /** Reused for each message. */
  readonly #createOptions: { -readonly [Key in keyof CreateOptions]: CreateOptions[Key] };
  #retries: Attempt[] = [];
  #firstSequence = 1;
  #counts = { requested: 0, failed: 0, replaced: 0, kept: 0, degraded: 0 };
  readonly #failures = new Map<number, number>();
  #isFull = false;

  /**
   * `source` serves retries; without it (flows of scratch records) call `flush` after each flow,
   * and pass a cursor to `retryFrom`. Throws KernelError.
   */
  constructor(
    options: InjectionOptions,
    source?: { readonly table: FlowSource; readonly cursor: FlowCursor },
    onFailure?: (slot: number, errno: number) => void,
    { socket, portId }: InjectionSocket = openInjectionSocket(4 * batchBytes),
  ) {
    this.#socket = socket;
    this.portId = portId;
    this.#options = options;
    this.#createOptions = { timeoutSeconds: 0, windowTracking: options.windowTracking };
    this.#source = source?.table;
    this.#cursor = source?.cursor;
    this.#onFailure = onFailure;
  }

  get counts(): InjectionCounts {
    return { ...this.#counts, failures: this.#failures };
  }

  /** The kernel said ENOMEM: more creates would fail too. */
  get isFull(): boolean {
    return this.#isFull;
  }

  create(flow: FlowCursor, slot: number, timeoutSeconds: number): void {
    this.#counts.requested++;
    this.#put(flow, slot, action.create, timeoutSeconds, false, false);
  }

  /** In place; created where it is absent. */
  update(flow: FlowCursor, slot: number, timeoutSeconds: number): void {
    this.#counts.requested++;
    this.#put(flow, slot, action.update, timeoutSeconds, false, false);
  }

  /** In place where that is possible, never made anew, its time untouched; absent is fine. */
  amend(flow: FlowCursor, slot: number): void {
    this.#counts.requested++;
    this.#put(flow, slot, action.amend, 0, false, false);
  }

  /** Makes the TCP windows of a flow liberal that the kernel has; absent is fine. */
  openWindows(flow: FlowCursor, slot: number): void {
    this.#counts.requested++;
    this.#put(flow, slot, action.open, 0, false, false);
  }

  /** Absent is fine. */
  remove(flow: FlowCursor, slot: number): void {
    this.#counts.requested++;
    this.#put(flow, slot, action.remove, 0, false, false);
  }

  /** Sends what is gathered and handles the refusals, retries included. */
  flush(): void {
    this.#send();
    for (let round = 0; this.#retries.length > 0; round++) {
      if (round > 8) throw new BugError('injection retries do not end');
      const retries = this.#retries;
      this.#retries = [];
      for (const retry of retries) this.#retry(retry);
      this.#send();
    }
  }

  close(): void {
    this.#socket.close();
  }

  #put(
    flow: FlowCursor,
    slot: number,
    kind: Action,
    timeoutSeconds: number,
    withoutHelper: boolean,
    withoutMaster: boolean,
  ): void {
    const batch = this.#batch;
    if (batch.count === flowsPerBatch || !batch.hasRoom(largestRequest)) this.#send();
    const attempt = this.#attempts[batch.count]!;
    attempt.slot = slot;
    attempt.action = kind;
    attempt.timeoutSeconds = timeoutSeconds;
    attempt.withoutHelper = withoutHelper;
    attempt.withoutMaster = withoutMaster;
    const sequence = this.#firstSequence + batch.count;
    const options = this.#createOptions;
    options.timeoutSeconds = timeoutSeconds;
    options.withoutHelper = withoutHelper;
    options.withoutMaster = withoutMaster;
    options.keepsTime = kind === action.amend;
    switch (kind) {
      case action.create:
      case action.recreate:
        encodeCreate(batch, flow, sequence, options);
        break;
      case action.update:
      case action.amend:
        encodeUpdate(batch, flow, sequence, options);
        break;
      case action.liberal:
      case action.open:
        encodeLiberalWindows(batch, flow, sequence);
        break;
      case action.remove:
      case action.clear:
        encodeDelete(batch, flow, sequence);
        break;
      case action.settled:
        throw new BugError('a refusal that was dealt with is not sent again');
    }
  }

  #send(): void {
    const batch = this.#batch;
    const count = batch.count;
    if (count === 0) return;
    const first = this.#firstSequence;
    const unsent = this.#socket.send(batch.bytes, undefined, 0, batch.length);
    this.#firstSequence = (first + count) >>> 0;
    batch.clear();
    if (unsent !== 0) {
      this.#abandon(count, unsent);
      return;
    }
    // The kernel has worked through the batch when send returns: all answers are queued.
    const unread = this.#answers((sequence, code) => {
      const index = sequence - first;
      if (code === 0 || index < 0 || index >= count) return;
      const attempt = this.#attempts[index]!;
      this.#refused(attempt, code);
      attempt.action = action.settled;
    });
    if (unread !== 0) this.#abandon(count, unread);
  }

  /** What became of these is not known, or nothing. */
  #abandon(count: number, errno: number): void {
    for (const attempt of this.#attempts.slice(0, count)) {
      if (attempt.action === action.settled || attempt.action === action.clear) continue;
      if (attempt.action === action.liberal) this.#counts.kept--;
      this.#fail(attempt, errno);
    }
  }

  /** errno where they cannot be read. */
  #answers(answer: (sequence: number, errno: number) => void): number {
    const { view } = this.#socket;
    for (;;) {
      const count = this.#socket.receive();
      if (count === 0) return 0;
      if (count === -ENOBUFS) continue;
      if (count < 0) return -count;
      for (let i = 0; i < count; i++) {
        const at = i * answerCellBytes;
        const isError = view.getUint16(at + 4, true) === messageType.error;
        if (isError && this.#socket.lengths[i]! >= 36) {
          answer(view.getUint32(at + 8, true), -view.getInt32(at + 16, true));
        }
      }
    }
  }

  #refused(attempt: Attempt, errno: number): void {
    if (errno === ENOMEM) this.#isFull = true;
    switch (attempt.action) {
      case action.remove:
      case action.clear:
        if (errno !== ENOENT && attempt.action === action.remove) this.#fail(attempt, errno);
        return;
      case action.open:
        if (errno !== ENOENT) this.#fail(attempt, errno);
        return;
      case action.liberal:
        if (errno !== ENOENT) return;
        // EEXIST, and yet no flow has this original tuple: one has its reply tuple.
        this.#counts.kept--;
        this.#fail(attempt, EEXIST);
        return;
      case action.update:
        this.#updateRefused(attempt, errno);
        return;
      case action.create:
      case action.recreate:
        this.#createRefused(attempt, errno);
        return;
      case action.amend:
      case action.settled:
        return;
    }
  }

  #updateRefused(attempt: Attempt, errno: number): void {
    if (errno === ENOMEM) {
      this.#fail(attempt, errno);
      return;
    }
    const next = errno === ENOENT ? action.create : action.clear;
    this.#retries.push({ ...attempt, action: next });
  }

  #createRefused(attempt: Attempt, errno: number): void {
    if (errno === EEXIST && attempt.action === action.create) {
      if (this.#options.onExisting === 'replace' || this.#outlives(attempt)) {
        this.#counts.replaced++;
        this.#retries.push({ ...attempt, action: action.clear });
      } else {
        this.#counts.kept++;
        if (this.#options.onExisting === 'liberal') {
          this.#retries.push({ ...attempt, action: action.liberal });
        }
      }
    } else if (errno === EOPNOTSUPP && !attempt.withoutHelper) {
      this.#retries.push({ ...attempt, withoutHelper: true });
    } else if (errno === ENOENT && !attempt.withoutMaster) {
      this.#retries.push({ ...attempt, withoutMaster: true });
    } else {
      this.#fail(attempt, errno);
    }
  }

  /** The record was answered, and what the kernel has was not. */
  #outlives({ slot }: Attempt): boolean {
    const { onExisting, isUnanswered } = this.#options;
    if (onExisting !== 'liberal' || isUnanswered === undefined || !this.#cursor) return false;
    const flow = this.#source?.seek(slot, this.#cursor) ?? this.#cursor;
    return isAnswered(flow) && isUnanswered(flow);
  }

  #retry(attempt: Attempt): void {
    if (this.#cursor === undefined) throw new BugError('a retry needs the record of its flow');
    const flow = this.#source?.seek(attempt.slot, this.#cursor) ?? this.#cursor;
    const { slot, timeoutSeconds, withoutHelper, withoutMaster } = attempt;
    // Without a helper or master to leave out, trying again would only repeat the refusal.
    const hadHelper = flow.knows(presenceBit.helper);
    const hadMaster = flow.knows(presenceBit.master);
    const isBare = (withoutHelper && !hadHelper) || (withoutMaster && !hadMaster);
    if (isBare) {
      this.#fail(attempt, withoutHelper && !hadHelper ? EOPNOTSUPP : ENOENT);
      return;
    }
    if (withoutHelper || withoutMaster) this.#counts.degraded++;
    if (attempt.action === action.clear) {
      this.#put(flow, slot, action.clear, 0, false, false);
      this.#put(flow, slot, action.recreate, timeoutSeconds, withoutHelper, withoutMaster);
    } else {
      this.#put(flow, slot, attempt.action, timeoutSeconds, withoutHelper, withoutMaster);
    }
  }

  #fail(attempt: Attempt, errno: number): void {
    this.#counts.failed++;
    this.#failures.set(errno, (this.#failures.get(errno) ?? 0) + 1);
    this.#onFailure?.(attempt.slot, errno);
  }
}

function newAttempt(): Attempt {
  return { slot: 0, action: 0, timeoutSeconds: 0, withoutHelper: false, withoutMaster: false };
}
