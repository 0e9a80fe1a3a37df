/** Adds and deletes addresses, routes and rules: the NetworkControl port over rtnetlink. */
import type { NetlinkSocket } from 'netlink/dist/netlink';
import { parseError } from 'netlink/dist/structs';
import { Flags, FlagsNew } from 'netlink/dist/constants';
import { MessageType } from 'netlink/dist/rt/structs';
import { KernelError } from '../../base/errors.js';
import type { BatchedSocket } from '../socket/batchedSocket.js';
import {
  EADDRNOTAVAIL,
  EINVAL,
  ENODEV,
  ENOENT,
  errnoName,
  errnoText,
  ESRCH,
  ETIMEDOUT,
} from '../../base/errno.js';
import { outcomeOf } from '../socket/outcome.js';
import { interfaceIndex } from '../socket/interfaceQuery.js';
import type { AddressSpec, KernelOutcome, NetworkControl, RouteSpec, RuleSpec } from '../ports.js';
import {
  deleteAddressBody,
  deleteRouteBody,
  newAddressBody,
  newRouteBody,
  ruleBody,
} from './rtnetlinkRequests.js';
import { netlinkSocketOver, openRtnetlinkSocket } from './rtnetlinkTransport.js';

const createFlags = FlagsNew.CREATE | FlagsNew.EXCL;
/** The kernel answers within the send call; this only bounds a lost answer. */
const answerTimeoutMilliseconds = 10_000;

export class RtnetlinkControl implements NetworkControl {
  readonly #socket: BatchedSocket;
  readonly #netlink: NetlinkSocket;

  private constructor(socket: BatchedSocket) {
    this.#socket = socket;
    this.#netlink = netlinkSocketOver(socket);
  }

  /** In the network namespace of the calling thread. Throws KernelError. */
  static open(): RtnetlinkControl {
    return new RtnetlinkControl(openRtnetlinkSocket());
  }

  async addAddress(spec: AddressSpec): Promise<KernelOutcome> {
    const index = this.#indexOf(spec.interfaceName);
    if (index === undefined) return outcomeOf(ENODEV);
    return this.#request(MessageType.NEWADDR, () => newAddressBody(spec, index), createFlags);
  }

  async deleteAddress(spec: AddressSpec): Promise<KernelOutcome> {
    const index = spec.interfaceIndex ?? this.#indexOf(spec.interfaceName);
    if (index === undefined) return { kind: 'absent' };
    return this.#request(MessageType.DELADDR, () => deleteAddressBody(spec, index), 0, [
      EADDRNOTAVAIL,
      ENODEV,
    ]);
  }

  async addRoute(spec: RouteSpec): Promise<KernelOutcome> {
    const index = this.#routeIndex(spec);
    if (index === 'unknown') return outcomeOf(ENODEV);
    return this.#request(MessageType.NEWROUTE, () => newRouteBody(spec, index), createFlags);
  }

  async deleteRoute(spec: RouteSpec): Promise<KernelOutcome> {
    const index = this.#routeIndex(spec);
    if (index === 'unknown') return { kind: 'absent' };
    return this.#request(MessageType.DELROUTE, () => deleteRouteBody(spec, index), 0, [ESRCH]);
  }

  async addRule(spec: RuleSpec): Promise<KernelOutcome> {
    return this.#request(MessageType.NEWRULE, () => ruleBody(spec), createFlags);
  }

  async deleteRule(spec: RuleSpec): Promise<KernelOutcome> {
    return this.#request(MessageType.DELRULE, () => ruleBody(spec), 0, [ENOENT]);
  }

  close(): void {
    this.#netlink.close();
  }

  async #request(
    type: number,
    body: () => Uint8Array,
    flags: number,
    absentErrnos: readonly number[] = [],
  ): Promise<KernelOutcome> {
    let bytes: Uint8Array;
    try {
      bytes = body();
    } catch (error) {
      return refused(EINVAL, error instanceof Error ? error.message : errnoText(EINVAL));
    }
    try {
      const [answer] = await this.#netlink.request(type, bytes, {
        flags: flags | Flags.ACK,
        checkError: false,
        timeout: answerTimeoutMilliseconds,
      });
      const first = answer[0];
      const errno = first === undefined ? 0 : -parseError(first.data, first.flags).errno;
      return outcomeOf(errno, absentErrnos);
    } catch (error) {
      if (error instanceof KernelError) return outcomeOf(error.errno, absentErrnos);
      return refused(ETIMEDOUT, error instanceof Error ? error.message : 'no answer');
    }
  }

  /** Asked at the moment of use: names move between indices when devices are made anew. */
  #indexOf(name: string): number | undefined {
    const answer = interfaceIndex(this.#socket, name);
    return answer.kind === 'value' ? answer.value : undefined;
  }

  #routeIndex(spec: RouteSpec): number | undefined | 'unknown' {
    if (spec.interfaceName === undefined) return undefined;
    return this.#indexOf(spec.interfaceName) ?? 'unknown';
  }
}

function refused(errno: number, detail: string): KernelOutcome {
  return { kind: 'refused', errno, message: `${errnoName(errno)}: ${detail}` };
}
