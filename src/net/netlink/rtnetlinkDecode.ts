/**
 * Links and addresses out of rtnetlink messages. Reads the attributes that keepstate uses and skips
 * all others, so that a new kernel or a strange device kind cannot fail a whole dump.
 *
 *   ifinfomsg  u8 family | u8 pad | u16 type | s32 index | u32 flags | u32 change           16 bytes
 *   ifaddrmsg  u8 family | u8 prefix length | u8 flags | u8 scope | u32 interface index      8 bytes
 *   rtattr     u16 length | u16 type | value, padded to 4
 */
import { ByteReader } from '../../base/cursor.js';
import { DecodeError } from '../../base/errors.js';
import { ipEquals, ipFromBytes, type IpAddress } from '../../base/ipAddress.js';
import { forEachAttribute, netlinkHeaderBytes, NetlinkWalker } from './netlinkFraming.js';
import type { AddressState, LinkState } from '../ports.js';

/** nlmsghdr types of linux/rtnetlink.h. */
export const RTM_NEWLINK = 16;
export const RTM_DELLINK = 17;
export const RTM_NEWADDR = 20;
export const RTM_DELADDR = 21;

const IFF_UP = 0x1;
const IFF_LOOPBACK = 0x8;
const IFF_RUNNING = 0x40;

const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_CARRIER_DOWN_COUNT = 48;

const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_LABEL = 3;
const IFA_BROADCAST = 4;
const IFA_FLAGS = 8;
const IFA_PROTO = 11;

export interface RtnetlinkMessage {
  readonly type: number;
  /** What follows the nlmsghdr; shares memory with the datagram. */
  readonly body: Uint8Array;
}

/** The messages of one datagram. Throws DecodeError for a length that does not fit. */
export function splitMessages(datagram: Uint8Array): RtnetlinkMessage[] {
  const messages: RtnetlinkMessage[] = [];
  const walker = new NetlinkWalker();
  walker.reset(new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength));
  while (walker.step()) {
    const { type, start, end } = walker.message;
    messages.push({ type, body: datagram.subarray(start + netlinkHeaderBytes, end) });
  }
  return messages;
}

/**
 * RTM_NEWLINK, RTM_DELLINK. undefined for messages of other families: a bridge announces its ports
 * that way, and a port that leaves a bridge is no link that is gone. Throws DecodeError.
 */
export function decodeLink(body: Uint8Array): LinkState | undefined {
  const reader = new ByteReader(body);
  const family = reader.uint8();
  reader.skip(3);
  const index = reader.int32Host();
  const flags = reader.uint32Host();
  reader.skip(4);
  if (family !== 0) return undefined;
  const attributes = readAttributes(reader);
  return {
    index,
    name: text(attributes.get(IFLA_IFNAME)) ?? '',
    mac: new Uint8Array(attributes.get(IFLA_ADDRESS) ?? []),
    mtu: word(attributes.get(IFLA_MTU)) ?? 0,
    isUp: (flags & IFF_UP) !== 0,
    isRunning: (flags & IFF_RUNNING) !== 0,
    isLoopback: (flags & IFF_LOOPBACK) !== 0,
    carrierDownCount: word(attributes.get(IFLA_CARRIER_DOWN_COUNT)),
  };
}

/**
 * RTM_NEWADDR, RTM_DELADDR. undefined for families other than IPv4 and IPv6. Throws DecodeError.
 */
export function decodeAddress(body: Uint8Array): AddressState | undefined {
  const reader = new ByteReader(body);
  const family = reader.uint8();
  const prefixLength = reader.uint8();
  const headerFlags = reader.uint8();
  const scope = reader.uint8();
  const linkIndex = reader.uint32Host();
  if (family !== 2 && family !== 10) return undefined;
  const attributes = readAttributes(reader);
  const remote = ip(attributes.get(IFA_ADDRESS));
  const address = ip(attributes.get(IFA_LOCAL)) ?? remote;
  if (address === undefined) throw new DecodeError('address-missing', 'address without an address');
  return {
    linkIndex,
    address,
    prefixLength,
    peer: remote === undefined || ipEquals(remote, address) ? undefined : remote,
    broadcast: ip(attributes.get(IFA_BROADCAST)),
    label: text(attributes.get(IFA_LABEL)),
    scope,
    flags: word(attributes.get(IFA_FLAGS)) ?? headerFlags,
    protocol: attributes.get(IFA_PROTO)?.[0],
  };
}

/** By type; of a repeated attribute the last. Throws DecodeError. */
export function readAttributes(reader: ByteReader): Map<number, Uint8Array> {
  const bytes = reader.rest();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const attributes = new Map<number, Uint8Array>();
  forEachAttribute(view, 0, bytes.length, (type, start, end) => {
    attributes.set(type, bytes.subarray(start, end));
  });
  return attributes;
}

/** A string with or without its NUL. */
function text(bytes: Uint8Array | undefined): string | undefined {
  if (bytes === undefined) return undefined;
  const end = bytes.indexOf(0);
  return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString('utf8');
}

/** u32 in host order; undefined where the length is another. */
function word(bytes: Uint8Array | undefined): number | undefined {
  return bytes?.length === 4 ? new ByteReader(bytes).uint32Host() : undefined;
}

function ip(bytes: Uint8Array | undefined): IpAddress | undefined {
  return bytes === undefined ? undefined : ipFromBytes(bytes);
}
