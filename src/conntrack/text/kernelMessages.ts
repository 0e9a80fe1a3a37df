/**
 * The kernel's flows for a person: a dump or the event stream as raw messages on a socket of its
 * own, without a table and without the daemon. Needs CAP_NET_ADMIN.
 */
import { BatchedSocket, messageTruncated } from '../../net/socket/batchedSocket.js';
import {
  decodeNetlinkAnswer,
  netlinkType,
  NetlinkWalker,
} from '../../net/netlink/netlinkFraming.js';
import {
  AF_NETLINK,
  NETLINK_NETFILTER,
  SOCK_RAW,
  netlinkSocketAddress,
} from '../../net/socket/sockaddr.js';
import { messageFlag, messageType } from '../constants.js';
import { MessageBatch } from '../codec/messageBatch.js';
import { SOL_SOCKET, SO_RCVBUF, SO_RCVBUFFORCE } from '../../net/socket/socketOptions.js';

/** The kernel fills at most 32 KiB per read of a dump. */
const dumpCellBytes = 32_768;
const eventCells = 64;
const eventCellBytes = 2_048;
const eventBufferBytes = 4 * 1_048_576;

/** A whole message, nlmsghdr included, valid during the call. */
export type MessageListener = (message: Uint8Array) => void;

/** undefined is success; else a positive errno. */
export type ListingError = number | undefined;

/**
 * `flows` or `expectations` of one family (AF_*), or of all (0). Resolves when the dump is
 * complete.
 */
export function listKernel(
  what: 'flows' | 'expectations',
  family: number,
  onMessage: MessageListener,
): Promise<ListingError> {
  const opened = openSocket(0, 1, dumpCellBytes);
  if (typeof opened === 'number') return Promise.resolve(opened);
  const request = new MessageBatch(64);
  const type = what === 'flows' ? messageType.flowGet : messageType.expectationGet;
  request.begin(type, messageFlag.request | messageFlag.dump, 1, family);
  request.finish();
  return new Promise((resolve) => {
    const finish = (errno: ListingError): void => {
      opened.close();
      resolve(errno);
    };
    const failed = opened.send(request.written());
    if (failed !== 0) {
      finish(failed);
      return;
    }
    const walker = new NetlinkWalker();
    opened.startReceiving({
      onBatch: () => {
        walker.reset(opened.view, 0, opened.lengths[0]);
        while (walker.step()) {
          const { message } = walker;
          if (message.type === netlinkType.done || message.type === netlinkType.error) {
            const { errno } = decodeNetlinkAnswer(opened.view, message);
            finish(errno === 0 ? undefined : errno);
            return;
          }
          onMessage(opened.bytes.subarray(message.start, message.end));
        }
      },
      // A dump waits for its reader: nothing is lost by an overrun notice.
      onOverrun: () => undefined,
      onError: finish,
    });
  });
}

export interface EventWatch {
  /** Receive buffer as the kernel counts it. */
  readonly bufferBytes: number;
  close(): void;
}

export interface EventListener {
  onMessage: MessageListener;
  /** Events were lost: the reader was too slow. */
  onLost(): void;
  onError(errno: number): void;
}

/**
 * Follows the event groups (bits of sockaddr_nl.nl_groups); a number is the errno of a refusal.
 * `bufferBytes` is what the kernel is asked for, which counts double.
 */
export function watchKernel(
  groups: number,
  listener: EventListener,
  bufferBytes = eventBufferBytes / 2,
): EventWatch | number {
  const opened = openSocket(groups, eventCells, eventCellBytes);
  if (typeof opened === 'number') return opened;
  if (opened.setIntOption(SOL_SOCKET, SO_RCVBUFFORCE, bufferBytes) !== 0) {
    opened.setIntOption(SOL_SOCKET, SO_RCVBUF, bufferBytes);
  }
  const walker = new NetlinkWalker();
  opened.startReceiving({
    onBatch: (count) => {
      for (let i = 0; i < count && !opened.isClosed; i++) {
        if (((opened.flags[i] ?? 0) & messageTruncated) !== 0) {
          listener.onLost();
          continue;
        }
        const start = i * opened.cellBytes;
        walker.reset(opened.view, start, start + (opened.lengths[i] ?? 0));
        while (walker.step()) {
          listener.onMessage(opened.bytes.subarray(walker.message.start, walker.message.end));
        }
      }
    },
    onOverrun: () => listener.onLost(),
    onError: (errno) => listener.onError(errno),
  });
  return {
    bufferBytes: opened.getIntOption(SOL_SOCKET, SO_RCVBUF) ?? 0,
    close: () => opened.close(),
  };
}

function openSocket(groups: number, cells: number, cellBytes: number): BatchedSocket | number {
  const opened = BatchedSocket.open({
    domain: AF_NETLINK,
    type: SOCK_RAW,
    protocol: NETLINK_NETFILTER,
    cells,
    cellBytes,
  });
  if (opened.kind === 'refused') return opened.errno;
  const errno = opened.socket.bind(netlinkSocketAddress(0, groups));
  if (errno === 0) return opened.socket;
  opened.socket.close();
  return errno;
}
