import {
  presenceBit,
  newScratch,
  rareWord,
  recordWord,
  type FlowCursor,
} from '../../src/conntrack/record/flowRecord';
import type { FlowTable } from '../../src/conntrack/record/flowTable';
import { EEXIST } from '../../src/base/errno';
import { Lab } from '../lab/lab';
import type { Host } from '../lab/host';
import type { Leaves } from '../support/conntrack/flowOracle';
import { FlowDecoder } from '../../src/conntrack/codec/flowDecoder';
import { FlowInjector } from '../../src/conntrack/kernel/flowInjector';
import { withNetworkNamespace } from '../../src/net/socket/networkNamespace';
import { oracleEncode, leavesOf } from '../support/conntrack/flowOracle';
import {
  commitTo,
  comparable,
  newTable,
  startCommit,
  tableOf,
  trackingRules,
} from '../support/conntrack/flowKernel';
import { internText } from '../support/conntrack/records';

let lab: Lab;
let source: Host;
let target: Host;

beforeAll(async () => {
  lab = await Lab.open();
  [source, target] = (await lab.hosts('source', 'target')) as [Host, Host];
  for (const host of [source, target]) await host.nft(trackingRules);
}, 300_000);

afterAll(async () => {
  await lab.close();
}, 300_000);

beforeEach(async () => {
  for (const host of [source, target]) await host.exec(['conntrack', '-F']);
});

/** One command line of conntrack -I per kind of flow that this kernel tracks. */
const kinds: readonly (readonly [string, string])[] = [
  [
    'tcp',
    '-s 10.0.0.1 -d 10.0.1.1 -p tcp --sport 1000 --dport 80 --state ESTABLISHED -u SEEN_REPLY,ASSURED',
  ],
  ['tcp syn', '-s 10.0.0.1 -d 10.0.1.1 -p tcp --sport 1001 --dport 80 --state SYN_SENT'],
  [
    'tcp time wait',
    '-s 10.0.0.1 -d 10.0.1.1 -p tcp --sport 1002 --dport 80 --state TIME_WAIT -u SEEN_REPLY,ASSURED',
  ],
  ['udp', '-s 10.0.0.2 -d 10.0.1.1 -p udp --sport 5353 --dport 53'],
  ['udplite', '-s 10.0.0.2 -d 10.0.1.1 -p udplite --sport 5353 --dport 53'],
  [
    'icmp',
    '-s 10.0.0.3 -d 10.0.1.1 -p icmp --icmp-type 8 --icmp-code 0 --icmp-id 77 -u SEEN_REPLY',
  ],
  [
    'icmpv6',
    '-s 2001:db8::1 -d 2001:db8::2 -p icmpv6 --icmpv6-type 128 --icmpv6-code 0 --icmpv6-id 78',
  ],
  [
    'sctp',
    '-s 10.0.0.4 -d 10.0.1.1 -p sctp --sport 1 --dport 2 --state ESTABLISHED --orig-vtag 305419896 --reply-vtag 2271560481 -u SEEN_REPLY,ASSURED',
  ],
  ['gre', '-s 10.0.0.5 -d 10.0.1.1 -p gre --srckey 7 --dstkey 9'],
  ['unknown protocol', '-s 10.0.0.6 -d 10.0.1.1 -p 50'],
  [
    'tcp over IPv6',
    '-s 2001:db8::3 -d 2001:db8::4 -p tcp --sport 1000 --dport 80 --state ESTABLISHED -u SEEN_REPLY,ASSURED',
  ],
  [
    'snat',
    '-s 10.0.0.7 -d 10.0.1.1 -p tcp --sport 2000 --dport 80 --state ESTABLISHED -u SEEN_REPLY,ASSURED --src-nat 192.0.2.1:3000',
  ],
  [
    'dnat',
    '-s 10.0.0.8 -d 192.0.2.2 -p tcp --sport 2001 --dport 80 --state ESTABLISHED -u SEEN_REPLY,ASSURED --dst-nat 10.9.9.9:8080',
  ],
  [
    'both ways',
    '-s 10.0.0.9 -d 192.0.2.3 -p udp --sport 2002 --dport 80 -u SEEN_REPLY --src-nat 192.0.2.4:3001 --dst-nat 10.9.9.9:8080',
  ],
  [
    'snat over IPv6',
    '-s 2001:db8::5 -d 2001:db8::6 -p udp --sport 2003 --dport 80 -u SEEN_REPLY --src-nat [2001:db8::99]:4000',
  ],
  ['mark', '-s 10.0.0.10 -d 10.0.1.1 -p udp --sport 1 --dport 2 -m 4242'],
  ['zone', '-s 10.0.0.11 -d 10.0.1.1 -p udp --sport 1 --dport 2 --zone 5'],
  ['original zone', '-s 10.0.0.12 -d 10.0.1.1 -p udp --sport 1 --dport 2 --orig-zone 6'],
  ['reply zone', '-s 10.0.0.13 -d 10.0.1.1 -p udp --sport 1 --dport 2 --reply-zone 7'],
  ['fixed timeout', '-s 10.0.0.14 -d 10.0.1.1 -p udp --sport 1 --dport 2 -u FIXED_TIMEOUT'],
];

test('each kind of flow is read from one kernel and written into another unchanged', async () => {
  for (const [, line] of kinds)
    await source.exec(['conntrack', '-I', ...line.split(' '), '-t', '300']);
  const table = await tableOf(source);
  expect(table.count).toBe(kinds.length);
  const result = await commitTo(target, table);
  expect(result).toMatchObject({
    committed: kinds.length,
    failed: 0,
    replaced: 0,
    tableFull: false,
  });
  expect(comparable(await tableOf(target, table.names))).toEqual(comparable(table));
}, 300_000);

test('what is in the way is replaced, and a second commit changes nothing', async () => {
  const line = kinds.find(([name]) => name === 'snat')![1].split(' ');
  await source.exec(['conntrack', '-I', ...line, '-t', '300']);
  // The same flow, picked up without its translation.
  const plain = line.slice(0, line.indexOf('--src-nat'));
  await target.exec(['conntrack', '-I', ...plain, '-t', '300']);
  const table = await tableOf(source);
  for (let round = 0; round < 2; round++) {
    expect(await commitTo(target, table)).toMatchObject({ committed: 1, failed: 0, replaced: 1 });
    expect(comparable(await tableOf(target, table.names))).toEqual(comparable(table));
  }
}, 300_000);

test.each(['snat', 'snat over IPv6', 'both ways'])(
  'an update of a flow of kind %s changes it in place: it is never gone',
  async (kind) => {
    const line = kinds.find(([name]) => name === kind)![1].split(' ');
    await target.exec(['conntrack', '-I', ...line, '-t', '300']);
    const table = await tableOf(target);
    const slot = table.next(0);
    const id = table.read(slot, recordWord.id);
    // Another mark, and the status that the traffic of a peer has made.
    table.write(slot, recordWord.mark, 99);
    table.write(
      slot,
      recordWord.presence,
      table.read(slot, recordWord.presence) | presenceBit.mark,
    );
    const injector = withNetworkNamespace(
      target.namespacePath,
      () =>
        new FlowInjector(
          { windowTracking: false, onExisting: 'replace' },
          { table, cursor: table.newCursor() },
        ),
    );
    injector.update(table.seek(slot, table.newCursor()), slot, 200);
    injector.flush();
    expect(injector.counts).toMatchObject({ requested: 1, failed: 0, replaced: 0 });
    injector.close();
    const after = await tableOf(target, table.names);
    const found = after.next(0);
    expect([
      after.count,
      after.read(found, recordWord.mark),
      after.read(found, recordWord.id),
    ]).toEqual([1, 99, id]);
  },
  60_000,
);

test('a split-brain merge keeps the mapping of a live flow and makes its window liberal', async () => {
  const line = kinds.find(([name]) => name === 'snat')![1].split(' ');
  await source.exec(['conntrack', '-I', ...line, '-t', '300']);
  const plain = line.slice(0, line.indexOf('--src-nat'));
  await target.exec(['conntrack', '-I', ...plain, '-t', '300']);
  const before = comparable(await tableOf(target));
  const result = await commitTo(target, await tableOf(source), { onExisting: 'liberal' });
  expect(result).toMatchObject({ committed: 1, failed: 0, replaced: 0, kept: 1 });
  const after = await tableOf(target);
  expect(comparable(after)).toEqual(before);
  const flow = after.seek(after.next(0), after.newCursor());
  const packed = flow.get(recordWord.info);
  expect([(packed >>> 8) & 0x08, (packed >>> 16) & 0x08]).toEqual([0x08, 0x08]);
}, 300_000);

test('a reply tuple that another flow owns is a failure of that flow alone', async () => {
  const insert = (host: Host, from: string, port: string): Promise<string> =>
    host.exec([
      ...['conntrack', '-I', '-s', from, '-d', '10.0.1.1', '-p', 'udp', '--sport', port],
      ...['--dport', '80', '-t', '300', '--src-nat', '192.0.2.1:3000'],
    ]);
  await insert(source, '10.0.0.7', '2000');
  await insert(target, '10.0.0.8', '2001');
  const failures: number[] = [];
  const result = await commitTo(target, await tableOf(source), {
    onFailure: (_slot, errno) => failures.push(errno),
  });
  expect(result).toMatchObject({ committed: 0, failed: 1 });
  expect(failures).toEqual([EEXIST]);
  expect(result.failures.get(EEXIST)).toBe(1);
}, 300_000);

test.each([
  ['udp', []],
  ['tcp', ['--state', 'ESTABLISHED', '-u', 'SEEN_REPLY,ASSURED']],
])(
  'a merge leaves a translated port of %s to the flow that has it',
  async (protocol, state) => {
    const insert = (host: Host, from: string, port: string): Promise<string> =>
      host.exec([
        ...['conntrack', '-I', '-s', from, '-d', '10.0.1.1', '-p', protocol, '--sport', port],
        ...['--dport', '80', '-t', '300', '--src-nat', '192.0.2.1:3000', ...state],
      ]);
    await insert(source, '10.0.0.7', '2000');
    await insert(target, '10.0.0.8', '2001');
    const before = comparable(await tableOf(target));
    const result = await commitTo(target, await tableOf(source), { onExisting: 'liberal' });
    expect(result).toMatchObject({ committed: 0, failed: 1, kept: 0 });
    expect(result.failures.get(EEXIST)).toBe(1);
    expect(comparable(await tableOf(target))).toEqual(before);
  },
  60_000,
);

test('windows are opened of flows that the kernel has, and nothing is created', async () => {
  const [[, first], [, second]] = kinds as [readonly [string, string], readonly [string, string]];
  await source.exec(['conntrack', '-I', ...first.split(' '), '-t', '300']);
  await source.exec(['conntrack', '-I', ...second.split(' '), '-t', '300']);
  await target.exec(['conntrack', '-I', ...first.split(' '), '-t', '300']);
  const result = await commitTo(target, await tableOf(source), { windowsOnly: true });
  expect(result).toMatchObject({ requested: 2, failed: 0 });
  const after = await tableOf(target);
  expect(after.alive).toBe(1);
  const packed = after.seek(after.next(0), after.newCursor()).get(recordWord.info);
  expect([(packed >>> 8) & 0x08, (packed >>> 16) & 0x08]).toEqual([0x08, 0x08]);
}, 300_000);

test('masters go before their children; a child whose master is gone is injected without it', async () => {
  const master =
    '-s 10.0.0.1 -d 10.0.1.1 -p tcp --sport 1000 --dport 21 --state ESTABLISHED -u SEEN_REPLY,ASSURED';
  await source.exec(['conntrack', '-I', ...master.split(' '), '-t', '300']);
  const table = await tableOf(source);
  // A related flow as the peer tells it; the command line cannot make one.
  const child = related(table);
  expect(await commitTo(target, child)).toMatchObject({ committed: 2, failed: 0, degraded: 0 });
  const names = child.names;
  expect(comparable(await tableOf(target, names)).filter((flow) => isRelated(flow))).toHaveLength(
    1,
  );
  await target.exec(['conntrack', '-F']);
  child.remove(child.next(0));
  expect(await commitTo(target, child)).toMatchObject({ committed: 1, failed: 0, degraded: 1 });
}, 300_000);

test('a flow whose helper this kernel lacks is injected without it', async () => {
  await source.exec(
    'conntrack -I -s 10.0.0.1 -d 10.0.1.1 -p udp --sport 1 --dport 2 -t 300'.split(' '),
  );
  const table = await tableOf(source);
  const flow = table.seek(table.next(0), table.newCursor());
  const helped = withHelper(table, flow, 'nosuch');
  expect(await commitTo(target, helped)).toMatchObject({ committed: 1, failed: 0, degraded: 1 });
}, 300_000);

test('what the caller skips is not injected; a cancelled commit says so and keeps the table', async () => {
  for (const [, line] of kinds) {
    await source.exec(['conntrack', '-I', ...line.split(' '), '-t', '300']);
  }
  const table = await tableOf(source);
  const result = await commitTo(target, table, { skip: () => true });
  expect(result).toMatchObject({ committed: 0, skipped: kinds.length, cancelled: false });
  const commit = startCommit(target, table);
  commit.cancel();
  expect(await commit.done).toMatchObject({ committed: 0, cancelled: true });
  expect(table.count).toBe(kinds.length);
  expect((await tableOf(target)).count).toBe(0);
}, 300_000);

const isRelated = (flow: Leaves): boolean =>
  Object.keys(flow).some((path) => path.startsWith('/CTA_TUPLE_MASTER'));

/** The only flow of `table`, and a data connection that has it as master. */
function related(table: FlowTable): FlowTable {
  const master = leavesOf(table.seek(table.next(0), table.newCursor()));
  const leaves: Leaves = { ...master, '/CTA_STATUS': 0x0f };
  for (const [path, value] of Object.entries(master)) {
    const match = /^\/CTA_TUPLE_ORIG(.*)$/.exec(path);
    if (match !== null) leaves[`/CTA_TUPLE_MASTER${match[1]}`] = value;
  }
  leaves['/CTA_TUPLE_ORIG/CTA_TUPLE_PROTO/CTA_PROTO_DST_PORT'] = 20_000;
  leaves['/CTA_TUPLE_REPLY/CTA_TUPLE_PROTO/CTA_PROTO_SRC_PORT'] = 20_000;
  const both = newTable(table.names);
  both.insert(table.seek(table.next(0), table.newCursor()), 0);
  both.insert(decodeLeaves(table, leaves), 0);
  return both;
}

function decodeLeaves(table: FlowTable, leaves: Leaves): FlowCursor {
  const bytes = oracleEncode(leaves, 2);
  const scratch = newScratch(table.names);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  new FlowDecoder().decode(view, 0, bytes.length, scratch);
  return scratch;
}

function withHelper(table: FlowTable, flow: FlowCursor, name: string): FlowTable {
  const scratch = decodeLeaves(table, leavesOf(flow));
  scratch.setRare(rareWord.helper, internText(table.names, name));
  scratch.learn(presenceBit.helper);
  scratch.set(recordWord.timeout, 60);
  const helped = newTable(table.names);
  helped.insert(scratch, 0);
  return helped;
}
