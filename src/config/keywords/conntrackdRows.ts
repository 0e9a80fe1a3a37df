/** conntrackd's blocks: `Sync`, `General`, `Stats`, `Helper` (conntrackd 1.4.7). */
import {
  anything,
  choice,
  integer,
  interfaceName,
  ipv4Address,
  ipv6Address,
  onOff,
  path,
  port,
} from '../table/scalarTypes.js';
import { conntrackd, withoutEffect } from '../table/row.js';
import { block, nameless } from '../table/wordTypes.js';
import {
  expectationSync,
  logTarget,
  overrunResync,
  prefixOfFamily,
  protocolPolicy,
  statePolicy,
  syslogTarget,
} from './conntrackdTypes.js';
import { statsRows } from './statsRows.js';

const free = { style: 'free' } as const;
const count = integer(0, 4_294_967_295);
const seconds = integer(0, 86_400_000);

const timeoutRows = {
  CommitTimeout: conntrackd(
    seconds,
    'fixed timeout of committed entries; then no timeouts are sent either',
    {
      unit: 'seconds',
      default: 'unset: what the peer reported',
    },
  ),
  PurgeTimeout: conntrackd(
    seconds,
    'a node that lost the role empties its kernel table after, if another one has it',
    {
      unit: 'seconds',
      default: '60',
    },
  ),
  RefreshTime: conntrackd(integer(1, 86_400), 'ALARM: entries are repeated within', {
    unit: 'seconds',
    default: '60',
  }),
  CacheTimeout: conntrackd(
    integer(1, 86_400),
    "ALARM: the peer's entries end unless repeated within",
    {
      unit: 'seconds',
      default: '180',
    },
  ),
} as const;

/** All modes; which keyword goes with which mode is checked when the settings are made. */
export const modeRows = {
  ResendQueueSize: conntrackd(integer(1, 4_294_967_295), 'FTFW: unacknowledged entries kept', {
    unit: 'entries',
    default: '131072',
  }),
  ACKWindowSize: conntrackd(integer(0, 65_535), 'FTFW: an acknowledgement at least every', {
    unit: 'messages',
    default: '300',
  }),
  ...timeoutRows,
  DisableExternalCache: conntrackd(
    onOff,
    "FTFW, NOTRACK: the peer's entries go straight into the kernel",
    {
      default: 'off',
    },
  ),
  DisableInternalCache: conntrackd(onOff, 'NOTRACK: events are sent without being kept', {
    default: 'off',
  }),
  StartupResync: conntrackd(onOff, 'no effect: the peer is asked for its entries at each start', {
    default: 'off',
  }),
} as const;

const linkRows = {
  Interface: conntrackd(interfaceName, 'the dedicated link'),
  SndSocketBuffer: conntrackd(integer(1, 2_147_483_647), 'send buffer', {
    unit: 'bytes',
    default: 'system',
  }),
  RcvSocketBuffer: conntrackd(integer(1, 2_147_483_647), 'receive buffer', {
    unit: 'bytes',
    default: 'system',
  }),
  Checksum: conntrackd(onOff, 'UDP checksums', { default: 'on' }),
} as const;

export const multicastRows = {
  IPv4_address: conntrackd(ipv4Address, 'the group'),
  IPv6_address: conntrackd(ipv6Address, 'the group'),
  Group: conntrackd(port, 'UDP port', { default: 'none; by convention 3780' }),
  IPv4_interface: conntrackd(ipv4Address, 'own address on the link', {
    default: "the kernel's choice",
  }),
  IPv6_interface: withoutEffect(
    conntrackd(anything, 'own address on the link'),
    'Interface says which link',
  ),
  ...linkRows,
} as const;

export const unicastRows = {
  IPv4_address: conntrackd(ipv4Address, 'own address on the link', {
    default: 'UDP: every address of the interface',
  }),
  IPv6_address: conntrackd(ipv6Address, 'own address on the link', {
    default: 'UDP: every address of the interface',
  }),
  IPv4_Destination_Address: conntrackd(ipv4Address, "the peer's address"),
  IPv6_Destination_Address: conntrackd(ipv6Address, "the peer's address", {
    aliases: ['IPv6_Destionation_Address'],
  }),
  Port: conntrackd(port, 'port of both ends', { default: 'none; by convention 3780' }),
  ...linkRows,
} as const;

export const tcpRows = {
  ...unicastRows,
  Checksum: conntrackd(onOff, 'no effect: TCP always has its checksums', { default: 'on' }),
  ErrorQueueLength: conntrackd(integer(0, 1_048_576), 'buffers kept while not connected', {
    unit: 'buffers',
    default: '128',
  }),
} as const;

export const optionRows = {
  TCPWindowTracking: conntrackd(
    onOff,
    'send window scales, and track windows strictly after a takeover',
    {
      default: 'off',
    },
  ),
  ExpectationSync: conntrackd(
    expectationSync,
    'replicate expectations of all or of the named helpers',
    {
      default: 'off',
    },
  ),
} as const;

const modeHeader = { name: 'FTFW|NOTRACK|ALARM', min: 1, max: 1 } as const;
const linkHeader = { name: '[Default]', min: 0, max: 1 } as const;

export const syncRows = {
  Mode: conntrackd(block(modeRows, modeHeader, free), 'how changes are replicated', {
    default: 'FTFW',
  }),
  Multicast: conntrackd(block(multicastRows, linkHeader, free), 'a dedicated link by multicast', {
    repeats: true,
  }),
  UDP: conntrackd(block(unicastRows, linkHeader, free), 'a dedicated link by UDP', {
    repeats: true,
  }),
  TCP: conntrackd(block(tcpRows, linkHeader, free), 'a dedicated link by TCP', { repeats: true }),
  Options: conntrackd(block(optionRows, nameless, free), 'further options'),
  ...timeoutRows,
} as const;

export const unixRows = {
  Path: conntrackd(path, "where conntrackd's own client is answered; at most 107 bytes"),
  Backlog: withoutEffect(
    conntrackd(anything, 'length of the listen queue'),
    'conntrackd ignores it too',
  ),
} as const;

export const addressRows = {
  IPv4_address: conntrackd(prefixOfFamily(4), 'an address or network', { repeats: true }),
  IPv6_address: conntrackd(prefixOfFamily(6), 'an address or network', { repeats: true }),
} as const;

const policyHeader = { name: 'Accept|Ignore', min: 1, max: 1 } as const;

export const filterRows = {
  Protocol: conntrackd(protocolPolicy, 'which protocols are replicated'),
  Address: conntrackd(block(addressRows, policyHeader, free), 'whose connections are replicated'),
  State: conntrackd(statePolicy, 'in which TCP states'),
} as const;

const filterHeader = { name: '[From Userspace|Kernelspace]', min: 0, max: 2 } as const;

export const generalRows = {
  HashSize: withoutEffect(
    conntrackd(integer(1, 4_294_967_295), 'buckets of the tables', {
      unit: 'buckets',
      default: '65536',
    }),
    'the tables grow by themselves, up to HashLimit',
  ),
  HashLimit: conntrackd(
    integer(1, 4_294_967_295),
    'entries per table at most; twice nf_conntrack_max is good',
    {
      unit: 'entries',
      default: '262144',
    },
  ),
  LogFile: conntrackd(logTarget, 'on: /var/log/conntrackd.log', { default: 'off' }),
  Syslog: conntrackd(syslogTarget, 'on: daemon', { default: 'off' }),
  LockFile: conntrackd(path, 'keeps a conntrackd from starting beside keepstate', {
    default: '/var/lock/conntrackd.lock',
  }),
  UNIX: conntrackd(block(unixRows, nameless, free), "socket for conntrackd's own client"),
  NetlinkBufferSize: conntrackd(count, 'receive buffer for kernel events', {
    unit: 'bytes',
    aliases: ['SocketBufferSize'],
    default: 'system',
  }),
  NetlinkBufferSizeMaxGrowth: conntrackd(count, 'the buffer is doubled on overrun, up to this', {
    unit: 'bytes',
    aliases: ['SocketBufferSizeMaxGrown', 'SocketBufferSizeMaxGrowth'],
    default: '0',
  }),
  NetlinkOverrunResync: conntrackd(
    overrunResync,
    'repair of lost events; here always, and at once',
    {
      unit: 'seconds',
      default: '30',
    },
  ),
  NetlinkEventsReliable: conntrackd(
    onOff,
    'what found no room is told with the next event of its flow; losses are noticed either way',
    {
      default: 'off',
    },
  ),
  PollSecs: conntrackd(
    integer(1, 86_400),
    'compare with the kernel table so often; events stay on',
    {
      unit: 'seconds',
      default: 'events alone',
    },
  ),
  EventIterationLimit: withoutEffect(
    conntrackd(integer(1, 1_000_000), 'events that are read in one turn', {
      unit: 'events',
      default: '100',
    }),
    'turns of reading end by time',
  ),
  Filter: conntrackd(block(filterRows, filterHeader, free), 'what is replicated'),
  Systemd: conntrackd(onOff, 'off changes nothing: systemd is told where it asks (NOTIFY_SOCKET)', {
    default: 'on',
  }),
  Nice: conntrackd(integer(-20, 19), 'nice value of the sync worker; conntrackd 1.4.7 ignores it', {
    default: "the process's",
  }),
  Scheduler: conntrackd(
    block(
      {
        Type: conntrackd(choice(['RR', 'FIFO']), 'policy', { default: 'RR' }),
        Priority: conntrackd(integer(0, 99), 'VRRP gets one more; 99 counts as 98'),
      },
      nameless,
      free,
    ),
    'real-time scheduling of the sync worker',
    { default: "none, unlike conntrackd's RR 99" },
  ),
} as const;

const policyRows = {
  ExpectMax: conntrackd(count, 'expectations of one connection'),
  ExpectTimeout: conntrackd(seconds, 'life of an expectation', { unit: 'seconds' }),
} as const;

const helperTypeRows = {
  QueueNum: conntrackd(integer(0, 65_535), 'queue of nfnetlink_queue'),
  QueueLen: conntrackd(count, 'packets that wait'),
  Policy: conntrackd(
    block(policyRows, { name: 'NAME', min: 1, max: 1 }, free),
    'limits of its expectations',
    { repeats: true },
  ),
} as const;

const helperRows = {
  Type: conntrackd(
    block(helperTypeRows, { name: 'NAME inet|inet6 tcp|udp', min: 3, max: 3 }, free),
    'one helper; what stands in its block is for a helper in user space',
    { repeats: true },
  ),
  Setup: conntrackd(onOff, 'conntrackd registers the helpers; nothing to do here'),
} as const;

export const conntrackdRootRows = {
  Sync: conntrackd(block(syncRows, nameless, free), 'replication between two nodes'),
  General: conntrackd(block(generalRows, nameless, free), 'settings of the daemon'),
  Stats: conntrackd(
    block(statsRows, nameless, free),
    'a log of the connections that ended, alone or beside Sync',
  ),
  Helper: conntrackd(
    block(helperRows, nameless, free),
    'helpers: those of the kernel need nothing here, those in user space are not done',
    { repeats: true },
  ),
} as const;
