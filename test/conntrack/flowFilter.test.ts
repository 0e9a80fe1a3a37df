import { parseIp } from '../../src/base/ipAddress';
import { buildFilterProgram } from '../../src/conntrack/kernel/filterProgram';
import {
  FlowFilter,
  type FilterPrefix,
  type FlowFilterSettings,
} from '../../src/conntrack/flowFilter';
import { FlowDecoder } from '../../src/conntrack/codec/flowDecoder';
import { newScratch, type FlowCursor } from '../../src/conntrack/record/flowRecord';
import { NameTable } from '../../src/conntrack/record/nameTable';
import { runFilter } from '../support/conntrack/flowBpf';
import { oracleEncode, type Leaves } from '../support/conntrack/flowOracle';
import { readVectorFile } from '../support/conntrack/flowVectors';

const scratch = newScratch(new NameTable());

function prefix(text: string): FilterPrefix {
  const [address = '', length] = text.split('/');
  const parsed = parseIp(address)!;
  return { address: parsed, prefixLength: Number(length ?? parsed.bytes.length * 8) };
}

/** `server` is the real server behind DNAT: the reply source. */
function message(source: string, destination: string, server = destination): Buffer {
  const family = parseIp(source)!.family === 4 ? 2 : 10;
  const version = family === 2 ? 'V4' : 'V6';
  const leaves: Leaves = {};
  for (const [tuple, from, to, ports] of [
    ['ORIG', source, destination, [1000, 80]],
    ['REPLY', server, source, [80, 1000]],
  ] as const) {
    const ip = `/CTA_TUPLE_${tuple}/CTA_TUPLE_IP/CTA_IP_${version}_`;
    leaves[`${ip}SRC`] = from;
    leaves[`${ip}DST`] = to;
    const layer4 = `/CTA_TUPLE_${tuple}/CTA_TUPLE_PROTO/CTA_PROTO_`;
    Object.assign(leaves, {
      [`${layer4}NUM`]: 6,
      [`${layer4}SRC_PORT`]: ports[0],
      [`${layer4}DST_PORT`]: ports[1],
    });
  }
  return oracleEncode(leaves, family);
}

function flow(...ends: [string, string, string?]): FlowCursor {
  const bytes = message(...ends);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  new FlowDecoder().decode(view, 0, bytes.length, scratch);
  return scratch;
}

describe('user space', () => {
  test.each([
    ['from this node', '10.0.0.1', '198.51.100.1', undefined],
    ['to this node', '198.51.100.1', '10.0.0.1', undefined],
    ['from loopback', '127.0.0.2', '127.0.0.1', undefined],
    ['to a multicast group', '192.0.2.1', '224.0.0.18', undefined],
    ['to the broadcast address', '192.0.2.1', '255.255.255.255', undefined],
    ['from this node over IPv6', '2001:db8::1', '2001:db8::2', undefined],
    ['to a multicast group over IPv6', '2001:db8::5', 'ff02::12', undefined],
    ['link-local', 'fe80::1', 'fe80::2', undefined],
  ] as const)('ignores what goes %s', (_, source, destination, server) => {
    const own = [parseIp('10.0.0.1')!, parseIp('2001:db8::1')!];
    expect(new FlowFilter({}, own).accepts(flow(source, destination, server))).toBe(false);
  });

  test('keeps what passes through the own address by translation', () => {
    const filter = new FlowFilter({}, [parseIp('203.0.113.80')!]);
    expect(filter.accepts(flow('192.0.2.1', '203.0.113.80', '10.0.0.80'))).toBe(true);
    expect(filter.accepts(flow('192.0.2.1', '203.0.113.80'))).toBe(false);
    filter.setOwnAddresses([]);
    expect(filter.accepts(flow('192.0.2.1', '203.0.113.80'))).toBe(true);
  });

  test.each([1, 16, 17, 300])('finds each of %d own addresses, and no other', (count) => {
    const text = (i: number): string => `10.${i % 5}.${i >> 8}.${i & 0xff}`;
    const own = Array.from({ length: count }, (_, i) => parseIp(text(i))!);
    const filter = new FlowFilter({}, own);
    for (let i = 0; i < count; i++) {
      expect(filter.accepts(flow(text(i), '198.51.100.1'))).toBe(false);
      expect(filter.accepts(flow(`11.${text(i).slice(3)}`, '198.51.100.1'))).toBe(true);
    }
    expect(filter.accepts(flow('10.0.9.9', '198.51.100.1'))).toBe(true);
  });

  test.each([
    ['0.0.0.0/0', ['1.2.3.4', '223.0.0.1'], []],
    ['10.0.0.0/7', ['10.0.0.9', '11.255.0.1'], ['12.0.0.1', '9.255.255.255']],
    ['172.16.0.0/12', ['172.16.0.1', '172.31.255.1'], ['172.32.0.1', '173.16.0.1']],
  ])('lists all of %s and nothing beside it', (network, inside, outside) => {
    const filter = new FlowFilter({ address: { policy: 'ignore', entries: [prefix(network)] } });
    for (const address of inside) expect(filter.accepts(flow(address, address))).toBe(false);
    for (const address of outside) expect(filter.accepts(flow(address, address))).toBe(true);
  });

  // conntrackd 1.4.7, list = {192.168.61.0/24, 203.0.113.80}: user space accept and ignore, kernel
  // accept and ignore.
  const table = [
    ['192.168.61.1', '198.51.100.9', undefined, true, false, false, false],
    ['198.51.100.9', '192.168.61.1', undefined, true, false, false, false],
    ['192.168.61.1', '192.168.61.2', undefined, true, false, true, false],
    ['172.16.0.1', '172.16.0.2', undefined, false, true, false, true],
    ['172.16.0.1', '10.5.5.5', '203.0.113.80', true, false, false, true],
    ['172.16.0.1', '203.0.113.80', '10.6.6.6', false, true, false, false],
  ] as const;
  const entries = [prefix('192.168.61.0/24'), prefix('203.0.113.80')];

  test.each(table)('%s -> %s (server %s): user %p/%p, kernel %p/%p', (...row) => {
    const [source, destination, server, userAccept, userIgnore, kernelAccept, kernelIgnore] = row;
    const settings = (policy: 'accept' | 'ignore'): FlowFilterSettings => ({
      address: { policy, entries },
    });
    const decoded = flow(source, destination, server);
    expect(new FlowFilter(settings('accept')).accepts(decoded)).toBe(userAccept);
    expect(new FlowFilter(settings('ignore')).accepts(decoded)).toBe(userIgnore);
    const packet = message(source, destination, server);
    const verdict = (policy: 'accept' | 'ignore'): boolean =>
      runFilter(buildFilterProgram(settings(policy))!, packet) !== 0;
    expect(verdict('accept')).toBe(kernelAccept);
    expect(verdict('ignore')).toBe(kernelIgnore);
  });

  test('an address list without IPv6 entries drops all IPv6 where it accepts, none where it ignores', () => {
    const ipv6 = flow('2001:db8::1', '2001:db8::2');
    const accept = { address: { policy: 'accept' as const, entries } };
    const ignore = { address: { policy: 'ignore' as const, entries } };
    expect(new FlowFilter(accept).accepts(ipv6)).toBe(false);
    expect(new FlowFilter(ignore).accepts(ipv6)).toBe(true);
  });

  test('protocol lists', () => {
    const decoded = flow('192.0.2.1', '192.0.2.2');
    const list = (policy: 'accept' | 'ignore', ...entries: number[]): FlowFilter =>
      new FlowFilter({ protocol: { policy, entries } });
    expect(list('accept', 6, 17).accepts(decoded)).toBe(true);
    expect(list('accept', 17).accepts(decoded)).toBe(false);
    expect(list('ignore', 6).accepts(decoded)).toBe(false);
    expect(list('accept').accepts(decoded)).toBe(false);
  });
});

describe('kernel space', () => {
  interface BpfFile {
    readonly samples: readonly { readonly hex: string }[];
    readonly programs: readonly { readonly verdictPerSample: readonly boolean[] }[];
  }
  const file = readVectorFile('bpf') as BpfFile;
  const packets = file.samples.map(({ hex }) => Buffer.from(hex, 'hex'));

  // The same filters as the captured ones, whose verdicts are those of Linux 6.18.
  test.each([
    [0, { protocol: { policy: 'accept', entries: [6, 132] } }],
    [
      1,
      { address: { policy: 'ignore', entries: [prefix('127.0.0.1'), prefix('192.168.0.0/16')] } },
    ],
    [2, { address: { policy: 'ignore', entries: [prefix('fd01::/32')] } }],
    [3, { tcpState: { policy: 'accept', entries: [3, 5, 7, 8] } }],
  ] as readonly [number, FlowFilterSettings][])(
    'filter %p gives the kernel’s verdicts',
    (n, settings) => {
      const program = buildFilterProgram(settings)!;
      expect(packets.map((packet) => runFilter(program, packet) !== 0)).toEqual(
        file.programs[n]!.verdictPerSample,
      );
    },
  );

  test('an end passes the state list whatever its state', () => {
    const program = buildFilterProgram({ tcpState: { policy: 'accept', entries: [3] } })!;
    const packet = Buffer.from(packets[0]!);
    expect(runFilter(program, packet)).toBe(0);
    packet[4] = 2;
    expect(runFilter(program, packet)).toBe(0xffffffff);
  });

  test('no lists, no program; too long a list is left to user space', () => {
    expect(buildFilterProgram({})).toBeUndefined();
    const entries = Array.from({ length: 1000 }, (_, i) => prefix(`10.${i >> 8}.${i & 255}.1`));
    expect(buildFilterProgram({ address: { policy: 'ignore', entries } })).toBeUndefined();
  });

  test('127 IPv4 and 20 IPv6 entries fit, as in conntrackd', () => {
    const entries = [
      ...Array.from({ length: 127 }, (_, i) => prefix(`10.0.${i}.1`)),
      ...Array.from({ length: 20 }, (_, i) => prefix(`2001:db8:${i}::1`)),
    ];
    const program = buildFilterProgram({ address: { policy: 'ignore', entries } })!;
    expect(runFilter(program, message('192.0.2.1', '10.0.126.1'))).toBe(0);
    expect(runFilter(program, message('192.0.2.1', '10.0.127.1'))).not.toBe(0);
    expect(runFilter(program, message('2001:db8:13::1', '2001:db9::1'))).toBe(0);
  });
});
