/**
 * struct sockaddr_* as bytes. Family and netlink fields in host order, ports and addresses in
 * network order.
 */
import { BugError, DecodeError } from '../../base/errors.js';
import type { IpAddress } from '../../base/ipAddress.js';

/** AF_*. */
export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;
export const AF_NETLINK = 16;
export const AF_PACKET = 17;
/** Protocols of AF_NETLINK. */
export const NETLINK_ROUTE = 0;
export const NETLINK_NETFILTER = 12;
/** SOCK_*. */
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;

/**
 *   sockaddr_in   u16 family | be16 port | 4 address | 8 zero                              16 bytes
 *   sockaddr_in6  u16 family | be16 port | u32 flow | 16 address | u32 scope id            28 bytes
 */
export function ipSocketAddress(address: IpAddress, port: number, scopeId = 0): Uint8Array {
  const bytes = new Uint8Array(address.family === 4 ? 16 : 28);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, address.family === 4 ? AF_INET : AF_INET6, true);
  view.setUint16(2, port);
  bytes.set(address.bytes, address.family === 4 ? 4 : 8);
  if (address.family === 6) view.setUint32(24, scopeId, true);
  return bytes;
}

export interface IpEndpoint {
  readonly address: IpAddress;
  readonly port: number;
  /** Interface index of a link-local IPv6 address, else 0. */
  readonly scopeId: number;
}

/**
 * Reverses ipSocketAddress; the address is a copy. Throws DecodeError for other families or
 * lengths.
 */
export function decodeIpSocketAddress(bytes: Uint8Array): IpEndpoint {
  if (bytes.length < 2) throw new DecodeError('truncated', 'socket address without a family');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const family = view.getUint16(0, true);
  if (family === AF_INET && bytes.length >= 16) {
    return {
      address: { family: 4, bytes: bytes.slice(4, 8) },
      port: view.getUint16(2),
      scopeId: 0,
    };
  }
  if (family === AF_INET6 && bytes.length >= 28) {
    const address: IpAddress = { family: 6, bytes: bytes.slice(8, 24) };
    return { address, port: view.getUint16(2), scopeId: view.getUint32(24, true) };
  }
  throw new DecodeError('family', 'not an IPv4 or IPv6 socket address', {
    family,
    length: bytes.length,
  });
}

/**
 * sockaddr_nl: u16 family | u16 pad | u32 port id | u32 group mask. 12 bytes. Port id 0 lets the
 * kernel choose.
 */
export function netlinkSocketAddress(portId = 0, groupMask = 0): Uint8Array {
  const bytes = new Uint8Array(12);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, AF_NETLINK, true);
  view.setUint32(4, portId, true);
  view.setUint32(8, groupMask, true);
  return bytes;
}

/** The port id in a sockaddr_nl; 0 is the kernel. Throws DecodeError for others. */
export function netlinkPortId(address: Uint8Array): number {
  const view = new DataView(address.buffer, address.byteOffset, address.byteLength);
  if (address.length < 12 || view.getUint16(0, true) !== AF_NETLINK) {
    throw new DecodeError('family', 'not a netlink socket address', { length: address.length });
  }
  return view.getUint32(4, true);
}

/**
 * sockaddr_ll: u16 family | be16 protocol | s32 interface index | u16 hardware type | u8 packet
 * type | u8 address length | 8 address. 20 bytes.
 */
export function packetSocketAddress(
  protocol: number,
  interfaceIndex: number,
  destination: Uint8Array = new Uint8Array(0),
): Uint8Array {
  const bytes = new Uint8Array(20);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, AF_PACKET, true);
  view.setUint16(2, protocol);
  view.setInt32(4, interfaceIndex, true);
  view.setUint8(11, destination.length);
  bytes.set(destination.subarray(0, 8), 12);
  return bytes;
}

/**
 * sockaddr_un: u16 family | path with a NUL. A leading `@` means the abstract namespace (unix(7)).
 */
export function unixSocketAddress(path: string): Uint8Array {
  const isAbstract = path.startsWith('@');
  const name = Buffer.from(isAbstract ? path.slice(1) : path, 'utf8');
  if (name.length === 0 || name.length > 106) {
    throw new BugError('a socket path has 1 to 106 bytes', { path });
  }
  const bytes = new Uint8Array(2 + name.length + 1);
  bytes[0] = AF_UNIX;
  bytes.set(name, isAbstract ? 3 : 2);
  return bytes;
}
