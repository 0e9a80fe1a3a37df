/**
 * Questions to the kernel's tables, asked and answered in one go: the kernel has done what a send()
 * asks when that returns, and prepares the next part of a list while the last one is read. So
 * nothing here waits for events, and a list takes the memory of its receive ring, however long it
 * is.
 */
import { DecodeError } from '../../base/errors.js';
import { BatchedSocket, messageTruncated } from '../../net/socket/batchedSocket.js';
import { EAGAIN } from '../../base/errno.js';
import {
  AF_NETLINK,
  NETLINK_NETFILTER,
  netlinkSocketAddress,
  SOCK_RAW,
} from '../../net/socket/sockaddr.js';
import { messageType } from '../constants.js';
import { MessageBatch } from '../codec/messageBatch.js';
import { largestFlowRequest } from './flowEncode.js';

/**
 * The kernel fills at most 32 KiB of a list per read; more than one at a time only leaves the
 * processor's cache.
 */
const cellBytes = 32_768;

/** One message of an answer, [at, at + length) of `bytes`, valid during the call. */
export type AnswerListener = (
  view: DataView,
  bytes: Uint8Array,
  at: number,
  length: number,
) => void;

export class KernelSession {
  readonly #socket: BatchedSocket;
  readonly #request = new MessageBatch(largestFlowRequest);

  /** A positive errno where the kernel does not give the socket. */
  static open(): KernelSession | number {
    const opened = BatchedSocket.open({
      domain: AF_NETLINK,
      type: SOCK_RAW,
      protocol: NETLINK_NETFILTER,
      cells: 1,
      cellBytes,
      ignoresSenders: true,
    });
    if (opened.kind === 'refused') return opened.errno;
    const errno = opened.socket.bind(netlinkSocketAddress(0, 0));
    if (errno === 0) return new KernelSession(opened.socket);
    opened.socket.close();
    return errno;
  }

  private constructor(socket: BatchedSocket) {
    this.#socket = socket;
  }

  close(): void {
    this.#socket.close();
  }

  /**
   * Sends the message that `encode` writes, which asks for a list (NLM_F_DUMP) or for an
   * acknowledgement, and reads to the end of the answer. 0, or the positive errno with which the
   * kernel refused.
   */
  ask(encode: (out: MessageBatch) => void, onMessage?: AnswerListener): number {
    const request = this.#request;
    request.clear();
    encode(request);
    const failed = this.#socket.send(request.bytes, undefined, 0, request.length);
    if (failed !== 0) return failed;
    for (;;) {
      const count = this.#socket.receive();
      // Never seen: the answer is there when send() returns.
      if (count === 0) return EAGAIN;
      if (count < 0) return -count;
      const errno = this.#datagram(onMessage);
      if (errno !== undefined) return errno;
    }
  }

  /** The errno at the end of an answer; undefined where more follows. */
  #datagram(onMessage: AnswerListener | undefined): number | undefined {
    const { view, bytes } = this.#socket;
    const end = this.#socket.lengths[0]!;
    if ((this.#socket.flags[0]! & messageTruncated) !== 0) throw malformed();
    for (let at = 0; at + 16 <= end;) {
      const length = view.getUint32(at, true);
      if (length < 16 || at + length > end) throw malformed();
      const type = view.getUint16(at + 4, true);
      if (type === messageType.done || type === messageType.error) {
        if (length < 20) throw malformed();
        return -view.getInt32(at + 16, true);
      }
      onMessage?.(view, bytes, at, length);
      at += (length + 3) & ~3;
    }
    return undefined;
  }
}

function malformed(): DecodeError {
  return new DecodeError('truncated', 'netlink message overruns its datagram');
}
