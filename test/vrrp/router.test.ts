import { milliseconds, seconds } from '../../src/base/time.js';
import { encodeAdvert } from '../../src/vrrp/wire/packet.js';
import { advertOf } from '../../src/vrrp/wire/advert.js';
import type { VrrpDatagram } from '../../src/net/ports.js';
import { RouterBench, vrrpSettings } from '../support/vrrp/routerHarness.js';
import { instanceSettings, ip, vip } from '../support/vrrp/settings.js';

const script = (text: string): { words: string[] } => ({ words: text.split(' ') });

/** What a peer at 10.0.0.2 with the same settings sends. */
function advertFromPeer(priority: number, settings = instanceSettings()): VrrpDatagram {
  const carriage = { source: ip('10.0.0.2'), destination: settings.multicastGroup };
  const payload = encodeAdvert(advertOf(settings, priority), carriage);
  return { ...carriage, ttl: 255, totalLength: payload.length + 20, payload };
}

test('a lone router becomes MASTER in keepalived’s order: advert, VIPs, gratuitous ARP, notify', async () => {
  const bench = new RouterBench(
    vrrpSettings([
      instanceSettings({
        virtualAddresses: [vip('10.0.0.100'), vip('10.0.0.101')],
        garp: { masterRepeat: 2 },
        notify: { priorityChanges: false, master: script('/m up'), generic: script('/n') },
      }),
    ]),
  );
  await bench.router.start();
  await bench.time.advance(milliseconds(3_608));
  expect(bench.takeLog()).toEqual(['A: INIT -> BACKUP', 'role A BACKUP 1']);
  await bench.time.advance(milliseconds(2));
  expect(bench.takeLog()).toEqual([
    'advert 100',
    'A: BACKUP -> MASTER',
    'add 10.0.0.100',
    'add 10.0.0.101',
    'vips present A',
    'garp 10.0.0.100',
    'garp 10.0.0.101',
    'garp 10.0.0.100',
    'garp 10.0.0.101',
    'role A MASTER 2',
  ]);
  expect(bench.processes.lines).toEqual([
    '/n INSTANCE A BACKUP 100',
    '/m up',
    '/n INSTANCE A MASTER 100',
  ]);
  await bench.time.advance(seconds(5));
  expect(bench.takeLog()).toEqual([
    ...Array<string>(4).fill('advert 100'),
    ...['garp 10.0.0.100', 'garp 10.0.0.101', 'garp 10.0.0.100', 'garp 10.0.0.101'],
    'advert 100',
  ]);
  await bench.router.stop();
  expect(bench.takeLog()).toEqual([
    'advert 0',
    'A: MASTER -> INIT',
    'delete 10.0.0.100',
    'delete 10.0.0.101',
    'role A INIT 3',
  ]);
});

/** A router that is MASTER since a moment, its log empty. */
async function master(
  settings = vrrpSettings([instanceSettings()]),
  options = {},
): Promise<RouterBench> {
  const bench = new RouterBench(settings, options);
  await bench.router.start();
  await bench.time.advance(seconds(4));
  bench.takeLog();
  return bench;
}

describe('VIPs', () => {
  test('of a crashed run are removed before the start', async () => {
    const bench = new RouterBench(vrrpSettings([instanceSettings()]));
    bench.network.give('eth0', ip('10.0.0.100'), 24);
    await bench.router.start();
    expect(bench.takeLog()).toEqual(['delete 10.0.0.100', 'A: INIT -> BACKUP']);
    expect(bench.network.has(ip('10.0.0.100'))).toBe(false);
    await bench.router.stop();
  });

  test('of a unit that resumes stay where they are', async () => {
    const bench = new RouterBench(vrrpSettings([instanceSettings()]), { resume: new Set(['A']) });
    bench.network.give('eth0', ip('10.0.0.100'), 24);
    await bench.router.start();
    await bench.time.advance(milliseconds(10));
    expect(bench.takeLog()).not.toContain('delete 10.0.0.100');
    expect(bench.router.snapshot().instances[0]?.state).toBe('MASTER');
    expect(bench.network.has(ip('10.0.0.100'))).toBe(true);
    await bench.router.stop();
  });

  test('deleted by somebody else come back at once, announced, without a change of role', async () => {
    const bench = await master();
    bench.network.take(ip('10.0.0.100'));
    await bench.time.advance(milliseconds(1));
    expect(bench.takeLog()).toEqual([
      'add 10.0.0.100',
      ...Array<string>(5).fill('garp 10.0.0.100'),
    ]);
    bench.network.take(ip('10.0.0.100'));
    await bench.time.advance(milliseconds(500));
    expect(bench.network.has(ip('10.0.0.100'))).toBe(false);
    await bench.time.advance(milliseconds(600));
    expect(bench.network.has(ip('10.0.0.100'))).toBe(true);
    await bench.router.stop();
  });

  test('with no_track stay away when somebody deletes them', async () => {
    const untracked = { ...vip('10.0.0.100'), isTracked: false };
    const bench = await master(vrrpSettings([instanceSettings({ virtualAddresses: [untracked] })]));
    bench.network.take(ip('10.0.0.100'));
    await bench.time.advance(milliseconds(100));
    expect(bench.network.has(ip('10.0.0.100'))).toBe(false);
    expect(bench.router.snapshot().instances[0]?.vips[0]?.isPresent).toBe(false);
    await bench.router.stop();
  });

  test('wait for the coordinator where the unit is bound, while adverts go out', async () => {
    const bindings = new Map([['A', { commitBeforeVip: true, commitBeforePreempt: true }]]);
    const bench = new RouterBench(vrrpSettings([instanceSettings()]), { bindings });
    await bench.router.start();
    await bench.time.advance(seconds(5));
    const log = bench.takeLog();
    expect(log.slice(-3)).toEqual(['A: BACKUP -> MASTER', 'role A MASTER 2 waits', 'advert 100']);
    expect(bench.router.snapshot().instances[0]?.vipsWait).toBe(true);
    bench.router.releaseVips('A', 1);
    await bench.time.advance(milliseconds(1));
    expect(bench.network.has(ip('10.0.0.100'))).toBe(false);
    bench.router.releaseVips('A', 2);
    await bench.time.advance(milliseconds(1));
    expect(bench.takeLog().slice(0, 3)).toEqual([
      'add 10.0.0.100',
      'vips present A',
      'garp 10.0.0.100',
    ]);
    await bench.router.stop();
  });

  test('of no_accept are shut off by the firewall before they come', async () => {
    const bench = await master(vrrpSettings([instanceSettings({ accept: false })]));
    expect(bench.rulesets.at(-1)).toContain('ip daddr { 10.0.0.100 } drop');
    await bench.router.stop();
    expect(bench.rulesets.at(-1)).not.toContain('drop');
  });
});

describe('a step down', () => {
  test('removes VIPs and announces nothing any more', async () => {
    const bench = await master();
    const socket = bench.network.sockets[0];
    socket?.deliver(advertFromPeer(150));
    await bench.time.advance(milliseconds(1));
    expect(bench.takeLog()).toEqual([
      'A: MASTER -> BACKUP',
      'delete 10.0.0.100',
      'role A BACKUP 3',
    ]);
    await bench.time.advance(seconds(3));
    expect(bench.takeLog()).toEqual([]);
    await bench.router.stop();
  });

  test('while VIPs are being set leaves none of them behind and sends no late announcement', async () => {
    const bench = new RouterBench(vrrpSettings([instanceSettings()]));
    await bench.router.start();
    await bench.time.advance(milliseconds(3_600));
    bench.takeLog();
    const real = bench.network.addAddress.bind(bench.network);
    let finish: () => void = () => undefined;
    bench.network.addAddress = async (spec) => {
      await new Promise<void>((resolve) => (finish = resolve));
      return real(spec);
    };
    await bench.time.advance(milliseconds(10));
    bench.network.sockets[0]?.deliver(advertFromPeer(150));
    finish();
    await bench.time.advance(milliseconds(10));
    expect(bench.network.has(ip('10.0.0.100'))).toBe(false);
    expect(bench.takeLog().filter((line) => line.startsWith('garp'))).toEqual([]);
    await bench.router.stop();
  });
});

describe('faults', () => {
  test('a link without carrier means FAULT, its return BACKUP, and the reason is shown', async () => {
    const bench = await master();
    bench.network.setRunning('eth0', false);
    await bench.time.advance(milliseconds(1));
    expect(bench.router.snapshot().instances[0]).toMatchObject({
      state: 'FAULT',
      faults: ['interface eth0 is down'],
    });
    bench.network.setRunning('eth0', true);
    await bench.time.advance(milliseconds(1));
    expect(bench.router.snapshot().instances[0]?.state).toBe('BACKUP');
    await bench.router.stop();
  });

  test('an interface that is deleted and created again gets a new socket', async () => {
    const bench = await master();
    bench.network.removeLink('eth0');
    await bench.time.advance(milliseconds(1));
    expect(bench.router.snapshot().instances[0]?.state).toBe('FAULT');
    bench.network.addLink('eth0');
    bench.network.give('eth0', ip('10.0.0.1'), 24);
    await bench.time.advance(seconds(4));
    expect(bench.router.snapshot().instances[0]?.state).toBe('MASTER');
    expect(bench.network.sockets.map((socket) => socket.isClosed)).toEqual([true, false]);
    expect(bench.network.has(ip('10.0.0.100'))).toBe(true);
    await bench.router.stop();
  });

  test('without an address there is nothing to send from: FAULT until one appears', async () => {
    const bench = await master();
    bench.network.take(ip('10.0.0.1'));
    await bench.time.advance(milliseconds(1));
    expect(bench.router.snapshot().instances[0]?.faults).toEqual(['no IPv4 address on eth0']);
    bench.network.give('eth0', ip('10.0.0.9'), 24);
    await bench.time.advance(seconds(4));
    expect(bench.router.snapshot().instances[0]?.state).toBe('MASTER');
    expect(bench.network.sockets.at(-1)?.sent.at(-1)?.source).toEqual(ip('10.0.0.9'));
    await bench.router.stop();
  });

  test('a configured unicast source that appears later ends the FAULT', async () => {
    const instance = instanceSettings({
      sourceAddress: ip('10.0.0.7'),
      unicastPeers: [{ address: ip('10.0.0.2') }],
    });
    const bench = new RouterBench(vrrpSettings([instance]));
    await bench.router.start();
    await bench.time.advance(seconds(4));
    expect(bench.router.snapshot().instances[0]?.faults).toEqual([
      'source address 10.0.0.7 is not configured',
    ]);
    bench.network.give('eth0', ip('10.0.0.7'), 24);
    await bench.time.advance(seconds(4));
    expect(bench.router.snapshot().instances[0]?.state).toBe('MASTER');
    const advert = bench.network.sockets[0]?.sent.at(-1);
    expect([advert?.source, advert?.destination]).toEqual([ip('10.0.0.7'), ip('10.0.0.2')]);
    await bench.router.stop();
  });

  test('up and down delays swallow a short loss', async () => {
    const interfaceDelays = [
      { interfaceName: 'eth0', down: milliseconds(500), up: milliseconds(500) },
    ];
    const bench = await master(vrrpSettings([instanceSettings()], { interfaceDelays }));
    bench.network.setRunning('eth0', false);
    await bench.time.advance(milliseconds(400));
    bench.network.setRunning('eth0', true);
    await bench.time.advance(seconds(1));
    expect(bench.router.snapshot().instances[0]?.state).toBe('MASTER');
    bench.network.setRunning('eth0', false);
    await bench.time.advance(milliseconds(501));
    expect(bench.router.snapshot().instances[0]?.state).toBe('FAULT');
    await bench.router.stop();
  });
});

describe('routes', () => {
  const route = {
    spec: { family: 4, destination: ip('10.9.0.0'), prefixLength: 16, gateway: ip('10.8.0.1') },
    isTracked: true,
    text: '10.9.0.0/16 via 10.8.0.1',
  } as const;

  test('whose gateway’s link is down are pending, shown, and set when the link is up', async () => {
    const bench = new RouterBench(vrrpSettings([instanceSettings({ virtualRoutes: [route] })]));
    bench.network.addLink('eth1');
    bench.network.setRunning('eth1', false);
    await bench.router.start();
    await bench.time.advance(seconds(4));
    const pending = bench.router.snapshot().instances[0];
    expect(pending?.routes).toEqual([
      {
        text: '10.9.0.0/16 via 10.8.0.1',
        state: 'pending',
        isPresent: false,
        isExcluded: false,
        because: 'Network is unreachable',
      },
    ]);
    expect(pending?.problems.map((problem) => problem.reason)).toEqual(['pending']);
    bench.network.setRunning('eth1', true);
    await bench.time.advance(milliseconds(100));
    expect(bench.router.snapshot().instances[0]?.routes[0]?.state).toBe('set');
    await bench.router.stop();
    expect(bench.network.routes.size).toBe(0);
  });

  test('that are static wait for their link in the same way', async () => {
    const bench = new RouterBench(vrrpSettings([instanceSettings()], { staticRoutes: [route] }));
    bench.network.addLink('eth1');
    bench.network.setRunning('eth1', false);
    await bench.router.start();
    expect(bench.router.snapshot().statics[0]?.state).toBe('pending');
    bench.network.setRunning('eth1', true);
    await bench.time.advance(milliseconds(100));
    expect(bench.router.snapshot().statics[0]?.state).toBe('set');
    await bench.router.stop();
  });
});

describe('the picture of the roles', () => {
  test('tells of a MASTER when it advertised last, of a BACKUP when it heard its master last', async () => {
    const bench = await master();
    const { units, instances } = bench.router.roles();
    expect(units).toMatchObject([{ name: 'A', state: 'MASTER' }]);
    const sent = bench.router.snapshot().instances[0]?.lastAdvertSent;
    expect(sent).toBeGreaterThan(units[0]!.since - 1);
    const shown = { unit: 'A', vrid: 51, effectivePriority: 100 };
    expect(instances).toEqual([{ ...shown, lastAdvertSent: sent, masterHeard: undefined }]);
    bench.network.sockets[0]?.deliver(advertFromPeer(200));
    const [heard] = bench.router.roles().instances;
    expect(bench.router.roles().units[0]?.state).toBe('BACKUP');
    expect(heard?.masterHeard).toBe(bench.time.now());
    await bench.router.stop();
  });
});

describe('a stall', () => {
  test('a late master-down timer reads the socket before it decides', async () => {
    const bench = new RouterBench(vrrpSettings([instanceSettings()]));
    await bench.router.start();
    bench.time.stall(seconds(5));
    bench.network.sockets[0]?.waiting.push(advertFromPeer(200));
    bench.recorded.length = 0;
    await bench.time.advance(milliseconds(1));
    expect(bench.recorded.map((event) => event.kind)).toEqual(['timer', 'datagram', 'drained']);
    expect(bench.router.snapshot().instances[0]?.state).toBe('BACKUP');
    expect(bench.network.sockets[0]?.sent).toEqual([]);
    await bench.router.stop();
  });
});

describe('a reload', () => {
  test('exchanges VIPs on a MASTER, announces the new one, and keeps the rest untouched', async () => {
    const before = [vip('10.0.0.100'), vip('10.0.0.101')];
    const after = [vip('10.0.0.101'), vip('10.0.0.102')];
    const bench = await master(vrrpSettings([instanceSettings({ virtualAddresses: before })]));
    const reloaded = vrrpSettings([instanceSettings({ virtualAddresses: after })]);
    await bench.router.reload(reloaded, new Map());
    await bench.time.advance(milliseconds(1));
    const log = bench.takeLog().filter((line) => !line.startsWith('advert'));
    expect(log).toEqual([
      'delete 10.0.0.100',
      'add 10.0.0.102',
      ...Array<string>(5).fill('garp 10.0.0.102'),
    ]);
    await bench.router.stop();
  });

  test('removes an instance with priority 0 and starts a new one as BACKUP', async () => {
    const bench = await master();
    const other = instanceSettings({ name: 'B', virtualRouterId: 52 });
    await bench.router.reload(vrrpSettings([other]), new Map());
    expect(bench.takeLog().slice(0, 2)).toEqual(['advert 0', 'A: MASTER -> INIT']);
    expect(bench.router.snapshot().instances.map(({ name, state }) => [name, state])).toEqual([
      ['B', 'BACKUP'],
    ]);
    await bench.router.stop();
  });

  test.each([
    ['VRID', { virtualRouterId: 53 }],
    ['interface', { interfaceName: 'eth1' }],
    ['family', { family: 6, virtualAddresses: [vip('fe80::100')], version: 3 }],
    ['kind of transport', { unicastPeers: [{ address: ip('10.0.0.9') }] }],
  ] as const)('with another %s gives the old router up and starts anew', async (_what, change) => {
    const resumed = { resume: new Set(['A']) };
    const bench = await master(vrrpSettings([instanceSettings({})]), resumed);
    bench.network.addLink('eth1');
    bench.network.give('eth1', ip('10.0.1.1'), 24);
    bench.takeLog();
    await bench.router.reload(vrrpSettings([instanceSettings(change)]), new Map());
    expect(bench.takeLog().slice(0, 2)).toEqual(['advert 0', 'A: MASTER -> INIT']);
    expect(bench.network.has(ip('10.0.0.100'))).toBe(false);
    // The IPv6 one has no address to send from.
    const state = 'family' in change ? 'FAULT' : 'BACKUP';
    expect(bench.router.snapshot().instances[0]?.state).toBe(state);
    await bench.router.stop();
  });

  test('in maintenance adds instances that do not take the role', async () => {
    const bench = await master();
    bench.router.setMaintenance(true);
    const other = instanceSettings({ name: 'B', virtualRouterId: 52, priority: 255 });
    await bench.router.reload(vrrpSettings([other]), new Map());
    await bench.time.advance(seconds(10));
    expect(bench.router.snapshot().instances[0]?.state).not.toBe('MASTER');
    await bench.router.stop();
  });
});

test('a group is told first at the start, and last at a transition and at the stop', async () => {
  const notify = { priorityChanges: false, generic: script('/n') };
  const members = ['A', 'B'].map((name, i) =>
    instanceSettings({ name, virtualRouterId: 51 + i, notify }),
  );
  const tracking = { interfaces: [], scripts: [], files: [], processes: [] };
  const group = { name: 'G', members: ['A', 'B'], tracking, trackingWeight: false, notify };
  const bench = new RouterBench(vrrpSettings(members, { groups: [group] }));
  await bench.router.start();
  await bench.time.advance(seconds(4));
  await bench.router.stop();
  const told = bench.processes.lines.map((line) => line.split(' ').slice(2, 4).join(' '));
  expect(told).toEqual([
    ...['G BACKUP', 'A BACKUP', 'B BACKUP'],
    ...['B MASTER', 'A MASTER', 'G MASTER'],
    ...['A STOP', 'B STOP', 'G STOP'],
  ]);
});

describe('a reload of a group', () => {
  const a = instanceSettings({ name: 'A' });
  const b = instanceSettings({
    name: 'B',
    virtualRouterId: 52,
    virtualAddresses: [vip('10.0.0.102')],
  });
  const group = (...members: string[]): NonNullable<Parameters<typeof vrrpSettings>[1]> => ({
    groups: [
      {
        name: 'G',
        members,
        tracking: { interfaces: [], scripts: [], files: [], processes: [] },
        trackingWeight: false,
        notify: { priorityChanges: false },
      },
    ],
  });
  const states = (bench: RouterBench): unknown =>
    bench.router.snapshot().instances.map(({ unit, name, state }) => `${unit} ${name} ${state}`);

  test('takes a member out, which then lives alone, while the others stay MASTER', async () => {
    const bench = await master(vrrpSettings([a, b], group('A', 'B')));
    expect(states(bench)).toEqual(['G A MASTER', 'G B MASTER']);
    await bench.router.reload(vrrpSettings([a, b], group('A')), new Map());
    expect(bench.takeLog()).toContain('delete 10.0.0.102');
    expect(states(bench)).toEqual(['G A MASTER', 'B B BACKUP']);
    await bench.time.advance(seconds(4));
    expect(states(bench)).toEqual(['G A MASTER', 'B B MASTER']);
    expect(bench.network.has(ip('10.0.0.102'))).toBe(true);
    await bench.router.stop();
  });

  test('takes a lone instance in', async () => {
    const bench = await master(vrrpSettings([a, b], group('A')));
    expect(states(bench)).toEqual(['G A MASTER', 'B B MASTER']);
    await bench.router.reload(vrrpSettings([a, b], group('A', 'B')), new Map());
    await bench.time.advance(seconds(5));
    expect(states(bench)).toEqual(['G A MASTER', 'G B MASTER']);
    expect(bench.network.has(ip('10.0.0.102'))).toBe(true);
    await bench.router.stop();
    expect(bench.network.has(ip('10.0.0.102'))).toBe(false);
  });
});

describe('tracking', () => {
  const scripted = (weight: number): Parameters<typeof vrrpSettings> => [
    [
      instanceSettings({
        tracking: {
          interfaces: [],
          scripts: [{ name: 's', weight, isReversed: false }],
          files: [],
          processes: [],
        },
      }),
    ],
    {
      scripts: [
        {
          name: 's',
          command: script('/check'),
          interval: seconds(1),
          timeout: seconds(1),
          weight,
          isReversed: false,
          rise: 2,
          fall: 2,
          initFail: false,
        },
      ],
    },
  ];

  test('an unweighted script holds INIT until its first result, then fails after `fall` failures', async () => {
    const bench = new RouterBench(vrrpSettings(...scripted(0)));
    bench.processes.endsWith = undefined;
    await bench.router.start();
    expect(bench.router.snapshot().instances[0]).toMatchObject({
      state: 'INIT',
      awaiting: ['script s'],
    });
    bench.processes.started[0]?.end({ kind: 'exited', status: 0 });
    await bench.time.advance(milliseconds(1));
    expect(bench.router.snapshot().instances[0]?.state).toBe('BACKUP');
    bench.processes.endsWith = 1;
    await bench.time.advance(seconds(1));
    expect(bench.router.snapshot().instances[0]?.state).toBe('BACKUP');
    await bench.time.advance(seconds(1));
    expect(bench.router.snapshot().instances[0]).toMatchObject({
      state: 'FAULT',
      faults: ['script s fails'],
    });
    await bench.router.stop();
  });

  test('a weighted script changes the advertised priority', async () => {
    const bench = await master(vrrpSettings(...scripted(20)));
    expect(bench.router.snapshot().instances[0]?.effectivePriority).toBe(120);
    expect(bench.network.sockets[0]?.sent.at(-1)?.payload[2]).toBe(120);
    bench.processes.endsWith = 1;
    await bench.time.advance(seconds(3));
    expect(bench.network.sockets[0]?.sent.at(-1)?.payload[2]).toBe(100);
    await bench.router.stop();
  });
});
