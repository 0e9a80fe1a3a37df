/**
 * The native addon of the product, replaced: sockets are opened in the kernel of the thread that
 * was entered last, as a real one opens them in the network namespace of the calling thread. Only
 * ctnetlink is here; other sockets of the product have ports of their own.
 *
 * src/net/native/load.ts loads this file where KEEPSTATE_NATIVE names it.
 */
import { EAFNOSUPPORT, EPERM } from '../../../src/base/errno.js';
import type { NativeSocket as Native } from '../../../src/net/native/load.js';
import { AF_NETLINK, NETLINK_NETFILTER } from '../../../src/net/socket/sockaddr.js';
import type { Kernel } from './kernel.js';
import type { KernelThread } from './kernelPorts.js';
import type { NetlinkSocket } from './netlinkSocket.js';

/** A thread whose kernel is one of this model. */
export interface EnteredThread extends KernelThread {
  readonly kernel: Kernel;
}

let entered: EnteredThread | undefined;
let lastDescriptor = 0;
const opened = new Map<number, NetlinkSocket>();

/** To be called before the product opens its first socket. */
export function installSimulatedAddon(): void {
  process.env['KEEPSTATE_NATIVE'] = __filename;
}

/** Whoever opens a socket from now on is this thread; nobody can where there is none. */
export function enterThread(thread: EnteredThread | undefined): void {
  entered = thread;
}

// ---- NativeAddon: what src/net/native/load.ts loads

export function openSocket(domain: number, _type: number, protocol: number): number {
  if (domain !== AF_NETLINK || protocol !== NETLINK_NETFILTER) return -EAFNOSUPPORT;
  if (entered === undefined) throw new Error('a socket is opened outside of any thread');
  lastDescriptor++;
  opened.set(lastDescriptor, entered.kernel.openSocket(entered));
  return lastDescriptor;
}

/** `new` gives the socket that `openSocket` made. */
export const NativeSocket = function (descriptor: number): Native {
  const socket = opened.get(descriptor);
  if (socket === undefined) throw new Error(`no socket ${descriptor}`);
  opened.delete(descriptor);
  return socket;
};

export const enterNetworkNamespace = (): number => -EPERM;
export const restoreNetworkNamespace = (): number => EPERM;
export const lockFile = (): number => 0;
export const watchSignal = (): number => 0;
