/**
 * Kernel names and numbers that flows need: message types, status bits, protocols
 * (linux/netfilter/nfnetlink.h, nfnetlink_conntrack.h, nf_conntrack_common.h, nf_conntrack_tcp.h).
 */

/** AF_INET and AF_INET6 as they stand in nfgenmsg. */
export const netlinkFamily = { any: 0, ipv4: 2, ipv6: 10 } as const;

/** nlmsg_type: subsystem << 8 | message. */
export const messageType = {
  error: 2,
  done: 3,
  flowNew: 0x100,
  flowGet: 0x101,
  flowDelete: 0x102,
  flowGetStats: 0x105,
  expectationNew: 0x200,
  expectationGet: 0x201,
  expectationDelete: 0x202,
} as const;

/** NLM_F_*. */
export const messageFlag = {
  request: 0x001,
  multi: 0x002,
  ack: 0x004,
  dump: 0x300,
  exclusive: 0x200,
  create: 0x400,
} as const;

/** NFNLGRP_CONNTRACK_* as bits of sockaddr_nl.nl_groups. */
export const eventGroup = {
  flowNew: 0x01,
  flowUpdate: 0x02,
  flowDestroy: 0x04,
  expectationNew: 0x08,
  expectationDestroy: 0x20,
} as const;

/** enum ip_conntrack_status, IPS_*. */
export const statusBit = {
  expected: 0x0001,
  seenReply: 0x0002,
  assured: 0x0004,
  confirmed: 0x0008,
  sourceNat: 0x0010,
  destinationNat: 0x0020,
  sequenceAdjust: 0x0040,
  sourceNatDone: 0x0080,
  destinationNatDone: 0x0100,
  dying: 0x0200,
  fixedTimeout: 0x0400,
  template: 0x0800,
  helper: 0x2000,
  offload: 0x4000,
  hardwareOffload: 0x8000,
} as const;

/** IP protocol numbers that the tracker treats specially. */
export const protocol = {
  icmp: 1,
  tcp: 6,
  udp: 17,
  dccp: 33,
  gre: 47,
  icmpv6: 58,
  sctp: 132,
  udplite: 136,
} as const;

/** enum tcp_conntrack. */
export const tcpState = {
  none: 0,
  synSent: 1,
  synReceived: 2,
  established: 3,
  finWait: 4,
  closeWait: 5,
  lastAck: 6,
  timeWait: 7,
  close: 8,
  synSent2: 9,
} as const;

/** IP_CT_TCP_FLAG_*. */
export const tcpFlag = {
  windowScale: 0x01,
  selectiveAckPermitted: 0x02,
  closeInitiated: 0x04,
  beLiberal: 0x08,
} as const;
