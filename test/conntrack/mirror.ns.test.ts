import { seconds } from '../../src/base/time';
import { SystemTimers, systemClock, systemTurns } from '../../src/base/systemClock';
import type { LogLevel } from '../../src/base/logger';
import { tcpState } from '../../src/conntrack/constants';
import { buildFilterProgram } from '../../src/conntrack/kernel/filterProgram';
import { FlowFilter } from '../../src/conntrack/flowFilter';
import { FlowMirror } from '../../src/conntrack/kernel/flowMirror';
import type { FlowOrigin } from '../../src/conntrack/kernel/mirrorListener';
import type { FlowTable } from '../../src/conntrack/record/flowTable';
import { KernelDump } from '../../src/conntrack/kernel/kernelDump';
import { KernelWatch, type KernelWatchOptions } from '../../src/conntrack/kernel/kernelWatch';
import { withNetworkNamespace } from '../../src/net/socket/networkNamespace';
import { Lab } from '../lab/lab';
import type { Host } from '../lab/host';
import { waitFor } from '../lab/waitFor';
import {
  comparableFlow,
  dumpHost,
  newTable,
  nowSeconds,
  startCommit,
  tableOf,
  trackingRules,
} from '../support/conntrack/flowKernel';
import { upsert } from '../support/conntrack/records';

const full = process.env['KEEPSTATE_FULL'] === '1';

let lab: Lab;
let host: Host;

beforeAll(async () => {
  lab = await Lab.open();
  host = await lab.host('gateway');
  await host.nft(trackingRules);
  // Mode 2 (the default) gives flows that are older than the first listener no events, not even at
  // their end.
  await host.sysctl({ 'net.netfilter.nf_conntrack_events': 1 });
}, 300_000);

afterAll(async () => {
  await lab.close();
}, 300_000);

beforeEach(async () => {
  await host.exec(['conntrack', '-F']);
});

const inHost = <T>(work: () => T): T => withNetworkNamespace(host.namespacePath, work);

interface Watched {
  readonly table: FlowTable;
  readonly mirror: FlowMirror;
  readonly watch: KernelWatch;
  readonly told: Record<string, number>;
  readonly lines: string[];
  readonly resyncs: string[];
}

/**
 * A mirror of the host's table; destroyed flows are removed at once, as a daemon without peers
 * would.
 */
function watchHost(
  options: Partial<KernelWatchOptions> = {},
  filter = new FlowFilter({}),
  ownPorts = new Set<number>(),
): Watched {
  const table = newTable();
  const told: Record<string, number> = {};
  const lines: string[] = [];
  const resyncs: string[] = [];
  const count = (what: string, origin: FlowOrigin): void => {
    const key = `${what} ${origin}`;
    told[key] = (told[key] ?? 0) + 1;
  };
  const mirror = new FlowMirror({
    table,
    filter,
    kernelFilters: options.filterProgram !== undefined,
    isOwnPort: (portId) => ownPorts.has(portId),
    clock: systemClock,
    turns: systemTurns,
    startDump: (handler) => inHost(() => new KernelDump({ kind: 'flows' }, table.names, handler)),
    listener: {
      created: (_, origin) => count('created', origin),
      updated: (_slot, _changed, origin) => count('updated', origin),
      destroyed: (slot, origin) => {
        count('destroyed', origin);
        table.remove(slot);
      },
      refused: (origin) => count('refused', origin),
    },
  });
  const watch = inHost(
    () =>
      new KernelWatch(
        {
          names: table.names,
          bufferBytes: 2 << 20,
          maxBufferBytes: 8 << 20,
          reliable: false,
          expectations: false,
          ...options,
        },
        {
          mirror,
          timers: new SystemTimers(),
          turns: systemTurns,
          logger: {
            log: (level: LogLevel, message: string) => lines.push(`${level}: ${message}`),
          },
          onExpectation: () => undefined,
          onResync: (because) => resyncs.push(because),
        },
      ),
  );
  return { table, mirror, watch, told, lines, resyncs };
}

async function expectEqualToKernel({ table, mirror }: Watched): Promise<void> {
  const kernel = await tableOf(host, table.names);
  expect(mirror.isResyncing).toBe(false);
  expect(table.count).toBe(kernel.count);
  const [theirs, ours] = [kernel.newCursor(), table.newCursor()];
  for (let slot = kernel.next(0); slot !== 0; slot = kernel.next(slot)) {
    const found = table.find(kernel.seek(slot, theirs));
    if (found === 0) throw new Error(`missing: ${JSON.stringify(comparableFlow(theirs))}`);
    const [expected, actual] = [theirs, table.seek(found, ours)].map((flow) =>
      JSON.stringify(comparableFlow(flow)),
    );
    if (actual !== expected) expect(actual).toBe(expected);
  }
  const audit = table.audit();
  expect(audit.records.used + audit.records.free).toBe(audit.records.issued);
  expect(audit.indexed).toBe(table.count);
}

/**
 * Reads until the table has settled on the kernel's count: the last event was read, no pass runs.
 */
async function settled(watched: Watched): Promise<void> {
  let before = -1;
  await waitFor(
    () => {
      const { received } = watched.watch.events;
      const isQuiet = received === before && !watched.mirror.isResyncing;
      before = received;
      return isQuiet;
    },
    { interval: 300, timeout: 60_000, description: 'the events to end' },
  );
}

const insert = (port: number, ...more: string[]): Promise<string> =>
  host.exec([
    ...'conntrack -I -s 10.0.0.1 -d 10.0.1.1 -p udp --dport 2 -t 300 --sport'.split(' '),
    ...[String(port), ...more],
  ]);

test('starts with what is there, then follows creation, change and end', async () => {
  await insert(1);
  const watched = watchHost();
  try {
    expect(await watched.watch.start()).toMatchObject({ entries: 1, created: 1, removed: 0 });
    expect(watched.told).toEqual({ 'created dump': 1 });
    await insert(2);
    await waitFor(() => watched.table.count === 2);
    await host.exec('conntrack -U -s 10.0.0.1 -p udp --sport 2 -m 9'.split(' '));
    await waitFor(() => watched.told['updated event']);
    await expectEqualToKernel(watched);
    await host.exec('conntrack -D -s 10.0.0.1 -p udp --sport 1'.split(' '));
    await waitFor(() => watched.table.count === 1);
    expect(watched.told).toEqual({
      'created dump': 1,
      'created event': 1,
      'updated event': 1,
      'destroyed event': 1,
    });
  } finally {
    watched.watch.close();
  }
}, 300_000);

test('a comparison tells differences only, and removes what the kernel no longer has', async () => {
  await insert(1);
  await insert(2);
  const watched = watchHost();
  try {
    await watched.watch.start();
    watched.watch.events.pause();
    await insert(3);
    await host.exec('conntrack -D -s 10.0.0.1 -p udp --sport 1'.split(' '));
    await host.exec('conntrack -U -s 10.0.0.1 -p udp --sport 2 -m 7'.split(' '));
    const result = await watched.watch.resync();
    expect(result).toMatchObject({ entries: 2, created: 1, updated: 1, removed: 1 });
    await expectEqualToKernel(watched);
    // The events that waited meanwhile are older news and change nothing.
    watched.watch.events.start();
    await settled(watched);
    await expectEqualToKernel(watched);
    expect(await watched.watch.resync()).toMatchObject({ created: 0, updated: 0, removed: 0 });
  } finally {
    watched.watch.close();
  }
}, 300_000);

test('effects of the own sockets are told apart from those of others', async () => {
  const peer = newTable();
  const source = await lab.host('peer');
  await source.exec(
    'conntrack -I -s 10.0.0.9 -d 10.0.1.1 -p udp --sport 5 --dport 6 -t 60'.split(' '),
  );
  await dumpHost(source, { flow: (flow) => void upsert(peer, flow, nowSeconds()) }, peer.names);
  const own = new Set<number>();
  const watched = watchHost({}, new FlowFilter({}), own);
  try {
    await watched.watch.start();
    const commit = startCommit(host, peer);
    own.add(commit.portId);
    expect((await commit.done).committed).toBe(1);
    await waitFor(() => watched.told['created own']);
    await insert(1);
    await waitFor(() => watched.told['created event']);
    expect(watched.told).toEqual({ 'created own': 1, 'created event': 1 });
  } finally {
    watched.watch.close();
  }
}, 300_000);

test.each([
  ['user space', false],
  ['kernel space', true],
])(
  'a state filter in %s keeps flows from coming, not from going',
  async (_, inKernel) => {
    const settings = { tcpState: { policy: 'accept' as const, entries: [tcpState.established] } };
    const program = inKernel ? { filterProgram: buildFilterProgram(settings)! } : {};
    const watched = watchHost(program, new FlowFilter(settings));
    const tcp = (command: string, state: string): Promise<string> =>
      host.exec(
        `conntrack ${command} -s 10.0.0.1 -d 10.0.1.1 -p tcp --sport 9 --dport 80 --state ${state} -t 99`.split(
          ' ',
        ),
      );
    try {
      await watched.watch.start();
      await tcp('-I', 'SYN_SENT');
      await settled(watched);
      expect(watched.table.count).toBe(0);
      await tcp('-U', 'ESTABLISHED');
      await waitFor(() => watched.table.count === 1);
      await tcp('-U', 'FIN_WAIT');
      await settled(watched);
      expect(watched.table.count).toBe(1);
      expect(await watched.watch.resync()).toMatchObject({ removed: 0 });
      await host.exec('conntrack -D -p tcp --dport 80'.split(' '));
      await waitFor(() => watched.table.count === 0);
    } finally {
      watched.watch.close();
    }
  },
  60_000,
);

test('PollSecs repairs what events did not tell, and keeps events on', async () => {
  const watched = watchHost({ pollInterval: seconds(1) });
  try {
    await watched.watch.start();
    await insert(1);
    await waitFor(() => watched.table.count === 1);
    // Lost by accident: the next poll brings it back.
    watched.table.remove(watched.table.next(0));
    await waitFor(() => watched.told['created dump'] === 1);
    expect(watched.resyncs[0]).toBe('poll');
  } finally {
    watched.watch.close();
  }
}, 300_000);

async function storm(watched: Watched, ...args: (string | number)[]): Promise<void> {
  const program = host.startTypescript('test/support/conntrack/flowStorm.ts', args.map(String));
  expect((await program.exited()).code).toBe(0);
  expect(program.jsonLines().at(-1)).toEqual({ done: true, errors: {} });
  const endedAt = performance.now();
  await settled(watched);
  const repairedWithin = performance.now() - endedAt;
  const { received, overruns, bufferBytes } = watched.watch.events;
  process.stderr.write(
    `storm ${args.join(' ')}: ${received} events read, ${overruns} overruns, buffer ${bufferBytes}, ` +
      `quiet ${Math.round(repairedWithin)} ms after the last event\n`,
  );
}

test('a burst of new flows into a buffer of 2 MiB: the table equals the kernel again by itself', async () => {
  const watched = watchHost();
  try {
    await watched.watch.start();
    await storm(watched, 'create', full ? 200_000 : 60_000);
    await expectEqualToKernel(watched);
    if (watched.watch.events.overruns > 0) {
      expect(watched.lines.filter((line) => line.startsWith('warning'))).toHaveLength(1);
      expect(watched.resyncs).toContain('overrun');
    }
  } finally {
    watched.watch.close();
  }
}, 300_000);

test('flows that come and go by the thousand: nothing stays behind', async () => {
  const watched = watchHost();
  try {
    await watched.watch.start();
    await insert(1);
    const rounds = full ? 100 : 10;
    await storm(watched, 'churn', 5_000, rounds, full ? 20 : 5);
    await expectEqualToKernel(watched);
    expect(watched.table.count).toBe(1);
  } finally {
    watched.watch.close();
  }
}, 300_000);

test('a reader that was frozen is told of its losses, and repairs them', async () => {
  const watched = watchHost({ bufferBytes: 256 << 10, maxBufferBytes: 1 << 20 });
  try {
    await watched.watch.start();
    watched.watch.events.pause();
    const program = host.startTypescript('test/support/conntrack/flowStorm.ts', ['create', '5000']);
    await program.exited();
    watched.watch.events.start();
    await settled(watched);
    expect(watched.watch.events.overruns).toBeGreaterThan(0);
    expect(watched.watch.events.bufferBytes).toBeGreaterThan(256 << 10);
    await expectEqualToKernel(watched);
    expect(watched.table.count).toBe(5_000);
  } finally {
    watched.watch.close();
  }
}, 300_000);

/** UDP datagrams from one port to `count` ports of an address of the host itself: one flow each. */
async function sendDatagrams(count: number): Promise<void> {
  const program = `
    const socket = require('node:dgram').createSocket('udp4');
    socket.bind(5000, '10.99.0.2', async () => {
      for (let port = 20000; port < 20000 + ${count}; port++) {
        await new Promise((resolve) => socket.send('x', port, '10.99.0.1', resolve));
      }
      socket.close();
    });`;
  await host.exec([process.execPath, '-e', program]);
}

test('reliable events: flows that appear while the reader is frozen, and then make no event, are found', async () => {
  const count = 2_000;
  await host.ip('address add 10.99.0.1/32 dev lo', 'address add 10.99.0.2/32 dev lo');
  await host.nft(
    'table inet own { chain out { type filter hook output priority 0; ct state invalid counter; }; }',
  );
  // Room for 166 events. With NETLINK_NO_ENOBUFS the kernel does not say that there was no room for
  // the others.
  const watched = watchHost({ reliable: true, bufferBytes: 212_992, maxBufferBytes: 425_984 });
  const ours = (): number => {
    const cursor = watched.table.newCursor();
    let found = 0;
    for (let slot = watched.table.next(0); slot !== 0; slot = watched.table.next(slot)) {
      if (watched.table.seek(slot, cursor).protocol === 17) found++;
    }
    return found;
  };
  try {
    await watched.watch.start();
    watched.watch.events.pause();
    await sendDatagrams(count);
    const drops = Number(/(\d+)$/.exec(await eventSocketLine())?.[1]);
    watched.watch.events.start();
    await waitFor(() => ours() === count, { timeout: 60_000, description: 'all flows' });
    await settled(watched);
    const { overruns } = watched.watch.events;
    expect([drops > 0, overruns > 0, watched.resyncs[0]]).toEqual([true, true, 'overrun']);
    expect(watched.watch.events.bufferBytes).toBe(425_984);
    // Ends that find no room are kept by the kernel, and told later.
    watched.watch.events.pause();
    await host.exec(['conntrack', '-D', '-p', 'udp', '--orig-port-src', '5000']);
    watched.watch.events.start();
    await waitFor(() => ours() === 0, { timeout: 60_000, description: 'the ends of all flows' });
  } finally {
    watched.watch.close();
  }
}, 300_000);

test('reliable events: a reader that never empties the queue notices the loss all the same', async () => {
  // 1,638 events fit in, 2 ms are spent on each.
  const watched = watchHost({ reliable: true, maxBufferBytes: 2 << 20 });
  const { table, watch, lines } = watched;
  const insert = table.insert.bind(table);
  table.insert = (...args) => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, isSlow ? 2 : 0);
    return insert(...args);
  };
  let isSlow = true;
  const isNoticed = (): boolean => lines.some((line) => line.includes('events were lost'));
  try {
    await watch.start();
    const program = host.startTypescript('test/support/conntrack/flowStorm.ts', ['create', '5000']);
    await program.exited();
    await waitFor(
      () => {
        watch.tick();
        return isNoticed();
      },
      { description: 'the loss to be noticed' },
    );
    const waitingBytes = Number((await eventSocketLine()).split(/\s+/)[4]);
    expect([watch.hasLost, waitingBytes > 0]).toEqual([true, true]);
    isSlow = false;
    await waitFor(() => table.count === 5_000 && !watch.hasLost, { description: 'all flows' });
    await settled(watched);
    await expectEqualToKernel(watched);
  } finally {
    watch.close();
  }
}, 300_000);

/**
 * The line of /proc/net/netlink about the socket in the conntrack groups: `… Drops Inode`, inode
 * cut off.
 */
async function eventSocketLine(): Promise<string> {
  const lines = (await host.exec(['cat', '/proc/net/netlink'])).split('\n');
  const line = lines.find((text) => {
    const [, family, , groups = ''] = text.trim().split(/\s+/);
    return family === '12' && (Number.parseInt(groups, 16) & 7) === 7;
  });
  return (line ?? '').trim().replace(/\s+\d+$/, '');
}

test('beginnings that nobody hears are not told; the ends of those flows are', async () => {
  // The default mode, in which a flow without a listener would have no events at all.
  await host.sysctl({ 'net.netfilter.nf_conntrack_events': 2 });
  const watched = watchHost();
  const create = (port: string): Promise<string> =>
    host.conntrack(
      ...`-I -p udp -s 10.1.1.1 -d 10.2.2.2 --sport ${port} --dport 53 -t 600`.split(' '),
    );
  try {
    await watched.watch.start();
    watched.watch.events.subscribeNew(false);
    await create('1');
    watched.watch.events.subscribeNew(true);
    await create('2');
    await waitFor(() => watched.told['created event'] === 1);
    expect(watched.table.count).toBe(1);
    await watched.watch.resync();
    expect(watched.told['created dump']).toBe(1);
    await host.conntrack('-D', '-p', 'udp', '--sport', '1');
    await waitFor(() => watched.told['destroyed event'] === 1);
    await expectEqualToKernel(watched);
  } finally {
    watched.watch.close();
    await host.sysctl({ 'net.netfilter.nf_conntrack_events': 1 });
  }
}, 300_000);
