/** Names of protocols and protocol states as libnetfilter_conntrack prints them. */

const layer3Names = new Map([
  [2, 'ipv4'],
  [10, 'ipv6'],
]);

const layer4Names = new Map([
  [1, 'icmp'],
  [6, 'tcp'],
  [17, 'udp'],
  [33, 'dccp'],
  [47, 'gre'],
  [58, 'icmpv6'],
  [132, 'sctp'],
  [136, 'udplite'],
]);

/** enum tcp_conntrack; the index is the kernel's number. */
export const tcpStateNames = [
  'NONE',
  'SYN_SENT',
  'SYN_RECV',
  'ESTABLISHED',
  'FIN_WAIT',
  'CLOSE_WAIT',
  'LAST_ACK',
  'TIME_WAIT',
  'CLOSE',
  'SYN_SENT2',
] as const;

/** enum sctp_conntrack. */
const sctpStateNames = [
  'NONE',
  'CLOSED',
  'COOKIE_WAIT',
  'COOKIE_ECHOED',
  'ESTABLISHED',
  'SHUTDOWN_SENT',
  'SHUTDOWN_RECD',
  'SHUTDOWN_ACK_SENT',
  'HEARTBEAT_SENT',
  'HEARTBEAT_ACKED',
] as const;

/** enum ct_dccp_states. */
const dccpStateNames = [
  'NONE',
  'REQUEST',
  'RESPOND',
  'PARTOPEN',
  'OPEN',
  'CLOSEREQ',
  'CLOSING',
  'TIMEWAIT',
  'IGNORE',
  'INVALID',
] as const;

export const protocolNumbers = {
  icmp: 1,
  tcp: 6,
  udp: 17,
  dccp: 33,
  gre: 47,
  icmpv6: 58,
  sctp: 132,
  udplite: 136,
} as const;

export function layer3Name(family: number): string {
  return layer3Names.get(family) ?? 'unknown';
}

export function layer4Name(protocol: number): string {
  return layer4Names.get(protocol) ?? 'unknown';
}

/** undefined for text that is neither a known name nor a number from 0 to 255. */
export function protocolByName(text: string): number | undefined {
  const lower = text.toLowerCase();
  for (const [number, name] of layer4Names) if (name === lower) return number;
  if (lower === 'ipv6-icmp') return protocolNumbers.icmpv6;
  return /^\d{1,3}$/.test(text) && Number(text) <= 255 ? Number(text) : undefined;
}

/** State name of TCP, SCTP and DCCP; out of range is NONE; other protocols have none. */
export function stateName(protocol: number, state: number): string | undefined {
  switch (protocol) {
    case protocolNumbers.tcp:
      return tcpStateNames[state] ?? 'NONE';
    case protocolNumbers.sctp:
      return sctpStateNames[state] ?? 'NONE';
    case protocolNumbers.dccp:
      return dccpStateNames[state] ?? 'NONE';
    default:
      return undefined;
  }
}

/** The inverse of stateName; undefined for a name that the protocol does not have. */
export function stateNumber(protocol: number, name: string): number | undefined {
  for (let state = 0; state < tcpStateNames.length; state++) {
    if (stateName(protocol, state) === name) return state;
  }
  return undefined;
}

export function hasPorts(protocol: number): boolean {
  return (
    protocol === protocolNumbers.tcp ||
    protocol === protocolNumbers.udp ||
    protocol === protocolNumbers.udplite ||
    protocol === protocolNumbers.sctp ||
    protocol === protocolNumbers.dccp
  );
}

export function isIcmp(protocol: number): boolean {
  return protocol === protocolNumbers.icmp || protocol === protocolNumbers.icmpv6;
}
