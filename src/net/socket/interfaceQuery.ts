/**
 * Asks the kernel about one interface through ioctl(2) on any socket, in that socket's network
 * namespace (netdevice(7)). Answers are read at call time and never cached.
 *
 *   struct ifreq: 16 name | 24 union (s32 index, s32 mtu, u16 flags, or u16 hardware type + 14 address)
 */
import type { BatchedSocket } from './batchedSocket.js';
import { EINVAL } from '../../base/errno.js';

const requestBytes = 40;
const nameBytes = 16;
/** SIOCGIF* of linux/sockios.h. */
const ioctls = {
  name: 0x8910,
  flags: 0x8913,
  mtu: 0x8921,
  hardwareAddress: 0x8927,
  index: 0x8933,
} as const;

/** ARPHRD_ETHER. */
export const hardwareEthernet = 1;

/** `errno` is positive: ENODEV when there is no such interface. */
export type Answer<Value> =
  | { readonly kind: 'value'; readonly value: Value }
  | { readonly kind: 'refused'; readonly errno: number };

/** `type` is ARPHRD_*; `address` the first 6 bytes of the hardware address. */
export interface HardwareAddress {
  readonly type: number;
  readonly address: Uint8Array;
}

export function interfaceIndex(socket: BatchedSocket, name: string): Answer<number> {
  return query(socket, ioctls.index, name, (view) => view.getInt32(nameBytes, true));
}

export function interfaceMtu(socket: BatchedSocket, name: string): Answer<number> {
  return query(socket, ioctls.mtu, name, (view) => view.getInt32(nameBytes, true));
}

/** IFF_* of the interface: 1 up, 0x40 running, 0x80 no ARP. */
export function interfaceFlags(socket: BatchedSocket, name: string): Answer<number> {
  return query(socket, ioctls.flags, name, (view) => view.getUint16(nameBytes, true));
}

export function interfaceHardwareAddress(
  socket: BatchedSocket,
  name: string,
): Answer<HardwareAddress> {
  return query(socket, ioctls.hardwareAddress, name, (view) => ({
    type: view.getUint16(nameBytes, true),
    address: new Uint8Array(view.buffer.slice(nameBytes + 2, nameBytes + 8)),
  }));
}

/** ENODEV where no interface has this index any more. */
export function interfaceName(socket: BatchedSocket, index: number): Answer<string> {
  const bytes = new Uint8Array(requestBytes);
  new DataView(bytes.buffer).setInt32(nameBytes, index, true);
  const errno = socket.ioctl(ioctls.name, bytes);
  if (errno !== 0) return { kind: 'refused', errno };
  const end = bytes.indexOf(0);
  return { kind: 'value', value: Buffer.from(bytes.subarray(0, end)).toString('utf8') };
}

function query<Value>(
  socket: BatchedSocket,
  request: number,
  name: string,
  read: (view: DataView<ArrayBuffer>) => Value,
): Answer<Value> {
  const encoded = Buffer.from(name, 'utf8');
  // One byte is the terminating NUL.
  if (encoded.length >= nameBytes || encoded.length === 0) {
    return { kind: 'refused', errno: EINVAL };
  }
  const bytes = new Uint8Array(requestBytes);
  bytes.set(encoded);
  const errno = socket.ioctl(request, bytes);
  if (errno !== 0) return { kind: 'refused', errno };
  return { kind: 'value', value: read(new DataView(bytes.buffer)) };
}
