/** What a commit meets in a kernel, and what packets do with the flows that it leaves. */
import type { Script } from '../script.js';
import {
  client,
  commit,
  connection,
  datagrams,
  fromClient,
  fromServer,
  listen,
  opens,
  read,
  router,
  script,
  server,
  table,
  translated,
  udp,
  wait,
} from './steps.js';

const strict = { op: 'sysctl', name: 'tcp_loose', value: 0 } as const;
const mapped = `${router}:3000`;
const many = Array.from({ length: 40 }, (_, i) => connection(2000 + i));

export const takeoverScripts: readonly Script[] = [
  script(
    'commit-empty-table',
    'a kernel that knows nothing',
    'plain',
    listen,
    commit([connection(1000), datagrams(2000)]),
    read,
  ),
  script(
    'commit-then-traffic',
    'the connection goes on, both ways',
    'plain',
    strict,
    commit([connection(1000)]),
    [fromClient(1000, 'PA', { data: 100 }), table, fromServer(1000, 'A')],
  ),
  script(
    'commit-then-server-first',
    'the server is heard first',
    'plain',
    strict,
    commit([connection(1000)]),
    [fromServer(1000, 'PA', { data: 100 }), fromClient(1000, 'A')],
  ),
  script(
    'no-commit-then-traffic',
    'without the commit the connection is INVALID',
    'plain',
    strict,
    [fromClient(1000, 'PA', { data: 100 }), fromServer(1000, 'PA', { data: 100 })],
  ),
  script(
    'commit-then-close',
    'committed, then closed in order',
    'plain',
    strict,
    listen,
    commit([connection(1000)]),
    [fromClient(1000, 'FA'), fromServer(1000, 'FA'), fromClient(1000, 'A'), read],
  ),
  script(
    'commit-translated',
    'with its mapping',
    'snat',
    strict,
    commit([translated(1000, mapped)]),
    [fromClient(1000, 'A'), fromServer(1000, 'A', { to: mapped })],
  ),
  script(
    'commit-translated-without-chains',
    'nothing hooks the packets',
    'noNatChains',
    commit([translated(1000, mapped)]),
    [fromClient(1000, 'A'), fromServer(1000, 'A', { to: mapped })],
  ),
  script(
    'commit-after-pickup',
    'a packet was faster: the flow was picked up without its mapping',
    'snat',
    [
      fromClient(1000, 'A'),
      listen,
      commit([translated(1000, mapped)]),
      read,
      fromClient(1000, 'A'),
    ],
  ),
  script(
    'commit-liberal-after-pickup',
    'existing flows stay as they are, their windows liberal',
    'snat',
    opens(1000, `${router}:1000`),
    [
      listen,
      commit([translated(1000, mapped)], 'liberal'),
      read,
      fromClient(1000, 'PA', { data: 10, outsideWindow: true }),
    ],
  ),
  script(
    'commit-keep',
    'existing flows are not touched',
    'plain',
    opens(1000),
    listen,
    commit([connection(1000, { mark: 9 })], 'keep'),
    read,
  ),
  script(
    'commit-twice',
    'the second time everything is replaced',
    'plain',
    commit([connection(1000), datagrams(2000)]),
    [listen, commit([connection(1000), datagrams(2000)]), read],
  ),
  script(
    'commit-reply-clash',
    'another flow has the mapping: refused',
    'snat',
    commit([translated(1000, mapped)]),
    [commit([translated(1001, mapped)])],
  ),
  script(
    'commit-reply-clash-liberal',
    'refused, and the other flow stays',
    'snat',
    commit([translated(1000, mapped)]),
    [commit([translated(1001, mapped)], 'liberal')],
  ),
  script('commit-clash-with-traffic', 'traffic took the mapping before the commit', 'snat', [
    { op: 'packet', from: 'inside', tuple: `tcp 10.1.0.3:3000>${server}:80`, flags: 'S' },
    commit([translated(1000, mapped)]),
    fromClient(1000, 'A'),
  ]),
  script('traffic-after-commit-clash', 'new flows leave the committed mappings alone', 'narrow', [
    commit([{ ...datagrams(2000), reply: `udp ${server}:53>${router}:5000`, status: 0x19e }]),
    udp('inside', `10.1.0.3:5000>${server}:53`),
  ]),
  script(
    'commit-original-is-a-reply',
    'the original tuple is the reply of an existing flow',
    'plain',
    commit([connection(1000)]),
    [
      commit([{ original: `tcp ${server}:80>${client}:1000`, state: 3 }], 'keep'),
      commit([{ original: `tcp ${server}:80>${client}:1000`, state: 3 }], 'replace'),
    ],
  ),
  script(
    'commit-udp-unreplied',
    'a flow without an answer',
    'plain',
    commit([datagrams(2000, { status: 0x08 })]),
    [udp('outside', `${server}:53>${client}:2000`)],
  ),
  script(
    'commit-udp-stream',
    'a stream goes on as one',
    'plain',
    commit([datagrams(2000, { status: 0x0e })]),
    [udp('inside', `${client}:2000>${server}:53`)],
  ),
  script(
    'commit-udp-answered',
    'not assured yet: the next packet makes it a stream',
    'plain',
    listen,
    commit([datagrams(2000)]),
    [udp('inside', `${client}:2000>${server}:53`), read],
  ),
  script(
    'commit-icmp',
    'a ping goes on',
    'snat',
    commit([
      {
        original: `icmp ${client}:77>${server}:2048`,
        reply: `icmp ${server}:77>${router}:0`,
        status: 0x19a,
      },
    ]),
    [{ op: 'packet', from: 'outside', tuple: `icmp ${server}:77>${router}:0` }],
  ),
  script(
    'commit-dnat',
    'a published server',
    'dnat',
    commit([
      {
        original: `tcp ${server}:4000>${router}:8080`,
        reply: `tcp 10.1.0.9:80>${server}:4000`,
        state: 3,
        status: 0x1ae,
      },
    ]),
    [
      { op: 'packet', from: 'outside', tuple: `tcp ${server}:4000>${router}:8080`, flags: 'A' },
      { op: 'packet', from: 'inside', tuple: `tcp 10.1.0.9:80>${server}:4000`, flags: 'A' },
    ],
  ),
  script(
    'commit-closing-states',
    'each state of TCP is written as it is',
    'plain',
    commit([1, 2, 3, 4, 5, 6, 7, 8, 9].map((state) => connection(1000 + state, { state }))),
  ),
  script('commit-with-window-tracking', 'the windows are not made liberal', 'plain', [
    {
      op: 'commit',
      flows: [connection(1000), connection(1001, { scales: [0, 0], flags: [2, 2] })],
      onExisting: 'replace',
      windowTracking: true,
    },
  ]),
  script('commit-fixed-timeout', 'CommitTimeout', 'plain', [
    {
      op: 'commit',
      flows: [connection(1000), datagrams(2000)],
      onExisting: 'replace',
      fixedTimeout: 180,
    },
  ]),
  script(
    'commit-helper',
    'a helper that the kernel has',
    'plain',
    commit([connection(1000, { helper: 'ftp' })]),
  ),
  script(
    'commit-unknown-helper',
    'without a helper that it has not',
    'plain',
    commit([connection(1000, { helper: 'nosuch' })]),
  ),
  script(
    'commit-related',
    'the master goes before its flow',
    'plain',
    commit([
      {
        original: `tcp ${server}:20>${client}:4000`,
        state: 3,
        status: 0x0f,
        master: `tcp ${client}:1000>${server}:80`,
      },
      connection(1000),
    ]),
  ),
  script(
    'commit-related-without-master',
    'the master is gone',
    'plain',
    commit([
      {
        original: `tcp ${server}:20>${client}:4000`,
        state: 3,
        status: 0x0f,
        master: `tcp ${client}:1000>${server}:80`,
      },
    ]),
  ),
  script(
    'commit-zones',
    'the same tuple in two zones',
    'plain',
    commit([
      connection(1000, { zone: 5 }),
      connection(1000),
      connection(1000, { zone: 6, mark: 3 }),
    ]),
  ),
  script(
    'commit-marks',
    'marks are restored',
    'plain',
    commit([connection(1000, { mark: 7 }), datagrams(2000, { mark: 4_294_967_295 })]),
  ),
  script(
    'commit-ipv6',
    'IPv6',
    'plain',
    commit([
      { original: 'tcp fd00::1:1000>fd01::9:80', state: 3 },
      { original: 'udp fd00::1:2000>fd01::9:53', status: 0x0a },
    ]),
  ),
  script(
    'commit-other-protocols',
    'GRE and ESP',
    'plain',
    commit([
      { original: `gre ${client}:7>${server}:9` },
      { original: `esp ${client}:0>${server}:0` },
    ]),
  ),
  script('commit-many', 'more than one slice of flows', 'plain', listen, commit(many), {
    op: 'count',
  }),
  script(
    'commit-runs-out',
    'a flow whose time is nearly over',
    'plain',
    listen,
    { op: 'commit', flows: [datagrams(2000)], onExisting: 'replace', fixedTimeout: 1 },
    [wait(1.4), table, read],
  ),
  script(
    'commit-replaces-expired',
    'an entry that is over stands in no way',
    'plain',
    { op: 'create', flow: datagrams(2000, { timeout: 1 }) },
    [wait(1.4), listen, commit([datagrams(2000)]), read],
  ),
  script(
    'commit-mapping-of-expired',
    'nor is its mapping',
    'snat',
    {
      op: 'create',
      flow: {
        ...datagrams(2000, { timeout: 1 }),
        reply: `udp ${server}:53>${mapped}`,
        status: 0x198,
      },
    },
    [
      wait(1.4),
      commit([{ ...datagrams(2001), reply: `udp ${server}:53>${mapped}`, status: 0x198 }]),
    ],
  ),
];
