/** `vrrp_track_target`: addresses that must answer, and how they are asked. */
import { formatIp, type IpAddress } from '../../base/ipAddress.js';
import { keepstate, type ValueType } from '../table/row.js';
import {
  bare,
  decimal,
  integer,
  interfaceName,
  ipAddress,
  ipv4Address,
  ipv6Address,
  port,
} from '../table/scalarTypes.js';
import { weightType } from './trackerRows.js';

/** An address and a TCP port. */
export interface TcpTarget {
  readonly address: IpAddress;
  readonly port: number;
}

/** `tcp ADDRESS PORT`. */
const tcpTarget: ValueType<TcpTarget> = {
  name: 'address port',
  minWords: 2,
  maxWords: 2,
  parse: (statement, context) => {
    const [address, number] = statement.words;
    if (address === undefined || number === undefined) return undefined;
    const parsed = ipAddress.parse({ ...statement, words: [address] }, context);
    const wanted = port.parse({ ...statement, words: [number] }, context);
    if (parsed === undefined || wanted === undefined) return undefined;
    return { address: parsed, port: wanted };
  },
  print: ({ address, port: number }) => ({ words: [formatIp(address), String(number)] }),
};

/** The most addresses of one target: so many fit into one message to the peer. */
export const mostAddresses = 8;

/** Room for what no other pinger sends. */
const leastPayload = 24;
/** With both headers within an Ethernet frame. */
const mostPayload = 1_452;

export const targetRows = {
  icmp: keepstate(ipv4Address, 'an address that must answer ping', { repeats: true }),
  icmp6: keepstate(ipv6Address, 'the same over IPv6; link-local ones need `interface`', {
    repeats: true,
  }),
  arp: keepstate(ipv4Address, 'a neighbour that must answer ARP on `interface`', {
    repeats: true,
  }),
  tcp: keepstate(tcpTarget, 'an address and port that must accept a connection', {
    repeats: true,
  }),
  source: keepstate(ipAddress, 'the address that probes come from', {
    default: "the kernel's choice",
  }),
  interface: keepstate(interfaceName, 'probes leave and answers come by this interface alone', {
    default: 'as the routes say',
  }),
  interval: keepstate(decimal(0.1, 60), 'from probe to probe', { unit: 'seconds', default: '1' }),
  timeout: keepstate(decimal(0.02, 60), 'a probe that is not answered by then is lost', {
    unit: 'seconds',
    default: 'interval',
  }),
  fall: keepstate(integer(1, 1_000), 'lost probes that make an address bad', { default: '5' }),
  rise: keepstate(integer(1, 1_000), 'answered probes that make it good again', {
    default: '10',
  }),
  size: keepstate(integer(leastPayload, mostPayload), 'payload of an ICMP probe', {
    unit: 'bytes',
    default: '56',
  }),
  ttl: keepstate(integer(1, 255), 'TTL or hop limit of a probe', {
    default: "the kernel's default",
  }),
  any: keepstate(bare, 'reached while any of the addresses answers', { default: 'any' }),
  all: keepstate(bare, 'reached while all of them answer'),
  at_least: keepstate(integer(1, mostAddresses), 'reached while so many of them answer'),
  weight: keepstate(
    weightType,
    'added to the priority while reached (or, negative, while lost); 0: FAULT, by a hand-over',
    { default: '0' },
  ),
} as const;
