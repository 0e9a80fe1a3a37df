/**
 * Routes and rules that the kernel loses: the RoutingWatch port over rtnetlink. It has a socket of
 * its own, so that a storm of routes costs nobody a link event, and keeps no table: whoever wants a
 * route puts it back when it is named.
 *
 *   rtmsg         u8 family | u8 destination length | u8 source length | u8 tos | u8 table
 *                 | u8 protocol | u8 scope | u8 type | u32 flags
 *   fib_rule_hdr  u8 family | u8 destination length | u8 source length | u8 tos | u8 table
 *                 | u8 | u8 | u8 action | u32 flags
 */
import { ByteReader } from '../../base/cursor.js';
import { DecodeError } from '../../base/errors.js';
import { ipFromBytes } from '../../base/ipAddress.js';
import { silentLogger, type Logger } from '../../base/logger.js';
import type { RoutingLoss, RoutingWatch } from '../ports.js';
import type { BatchedSocket } from '../socket/batchedSocket.js';
import { readAttributes, splitMessages, type RtnetlinkMessage } from './rtnetlinkDecode.js';
import { forKernelDatagrams, openRtnetlinkSocket } from './rtnetlinkTransport.js';

/** RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV6_RULE. */
const groups = [7, 8, 11, 19];
const receiveBufferBytes = 4 * 1024 * 1024;
/** nlmsghdr types of linux/rtnetlink.h. */
const RTM_DELROUTE = 25;
const RTM_DELRULE = 33;
const RTA_DST = 1;
const headerBytes = 12;

export interface RoutingWatchOptions {
  readonly logger?: Logger;
}

export class RtnetlinkRoutingWatch implements RoutingWatch {
  readonly #socket: BatchedSocket;
  readonly #logger: Logger;
  readonly #listeners = new Set<(loss: RoutingLoss) => void>();

  private constructor({ logger }: RoutingWatchOptions) {
    this.#logger = logger ?? silentLogger;
    this.#socket = openRtnetlinkSocket(groups, receiveBufferBytes);
    this.#socket.startReceiving({
      onBatch: (count) => {
        this.#receive(count);
      },
      onOverrun: () => {
        this.#emit({ kind: 'unknown' });
      },
      onError: (errno) => {
        this.#logger.log('warning', 'route events cannot be read', { errno });
      },
    });
  }

  /** Subscribes, in the network namespace of the calling thread. Throws KernelError. */
  static open(options: RoutingWatchOptions = {}): RtnetlinkRoutingWatch {
    return new RtnetlinkRoutingWatch(options);
  }

  subscribe(listener: (loss: RoutingLoss) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  close(): void {
    this.#listeners.clear();
    this.#socket.close();
  }

  #receive(count: number): void {
    const losses: RoutingLoss[] = [];
    forKernelDatagrams(this.#socket, count, (datagram) => {
      try {
        losses.push(...lossesIn(splitMessages(datagram)));
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
        this.#logger.log('warning', 'route event skipped', { reason: error.code });
      }
    });
    for (const loss of losses) this.#emit(loss);
  }

  #emit(loss: RoutingLoss): void {
    for (const listener of [...this.#listeners]) listener(loss);
  }
}

/** What RTM_DELROUTE and RTM_DELRULE messages name; others are passed over. Throws DecodeError. */
export function lossesIn(messages: readonly RtnetlinkMessage[]): RoutingLoss[] {
  return messages.flatMap(({ type, body }): RoutingLoss[] => {
    if (type !== RTM_DELROUTE && type !== RTM_DELRULE) return [];
    const reader = new ByteReader(body);
    const family = { 2: 4, 10: 6 }[reader.uint8()] as 4 | 6 | undefined;
    const prefixLength = reader.uint8();
    reader.skip(headerBytes - 2);
    if (family === undefined) return [];
    if (type === RTM_DELRULE) return [{ kind: 'rule', family }];
    const bytes = readAttributes(reader).get(RTA_DST);
    const destination = bytes === undefined ? undefined : ipFromBytes(bytes);
    return [
      {
        kind: 'route',
        family,
        prefixLength,
        ...(destination === undefined ? {} : { destination }),
      },
    ];
  });
}
