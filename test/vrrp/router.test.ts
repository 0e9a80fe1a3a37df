import { milliseconds, seconds } from '../../src/base/time.js';
import { encodeAdvert } from '../../src/vrrp/wire/packet.js';
import { advertOf } from '../../src/vrrp/wire/advert.js';
import type { VrrpDatagram } from '../../src/net/ports.js';
import { RouterHarness, vrrpSettings } from '../support/vrrp/routerHarness.js';
import { instanceSettings, ip, vip } from '../support/vrrp/settings.js';

const script = (text: string): { words: string[] } => ({ words: text.split(' ') });

/** What a peer at 10.0.0.2 with the same settings sends. */
function advertFromPeer(priority: number, settings = instanceSettings()): VrrpDatagram {
  const carriage = { source: ip('10.0.0.2'), destination: settings.multicastGroup };
  const payload = encodeAdvert(advertOf(settings, priority), carriage);
  return { ...carriage, ttl: 255, totalLength: payload.length + 20, payload };
}

test('a lone router becomes MASTER in keepalived’s order: advert, VIPs, gratuitous ARP, notify', async () => {
  const harness = new RouterHarness(
    vrrpSettings([
      instanceSettings({
        virtualAddresses: [vip('10.0.0.100'), vip('10.0.0.101')],
        garp: { masterRepeat: 2 },
        notify: { priorityChanges: false, master: script('/m up'), generic: script('/n') },
      }),
    ]),
  );
  await harness.router.start();
  await harness.time.advance(milliseconds(3_608));
  expect(harness.takeLog()).toEqual(['A: INIT -> BACKUP', 'role A BACKUP 1']);
  await harness.time.advance(milliseconds(2));
  expect(harness.takeLog()).toEqual([
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
  expect(harness.processes.lines).toEqual([
    '/n INSTANCE A BACKUP 100',
    '/m up',
    '/n INSTANCE A MASTER 100',
  ]);
  await harness.time.advance(seconds(5));
  expect(harness.takeLog()).toEqual([
    ...Array<string>(4).fill('advert 100'),
    ...['garp 10.0.0.100', 'garp 10.0.0.101', 'garp 10.0.0.100', 'garp 10.0.0.101'],
    'advert 100',
  ]);
  await harness.router.stop();
  expect(harness.takeLog()).toEqual([
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
): Promise<RouterHarness> {
  const harness = new RouterHarness(settings, options);
  await harness.router.start();
  await harness.time.advance(seconds(4));
  harness.takeLog();
  return harness;
}

describe('VIPs', () => {
  test('of a crashed run are removed before the start', async () => {
    const harness = new RouterHarness(vrrpSettings([instanceSettings()]));
    harness.network.give('eth0', ip('10.0.0.100'), 24);
    await harness.router.start();
    expect(harness.takeLog()).toEqual(['delete 10.0.0.100', 'A: INIT -> BACKUP']);
    expect(harness.network.has(ip('10.0.0.100'))).toBe(false);
    await harness.router.stop();
  });

  test('of a unit that resumes stay where they are', async () => {
    const harness = new RouterHarness(vrrpSettings([instanceSettings()]), {
      resume: new Set(['A']),
    });
    harness.network.give('eth0', ip('10.0.0.100'), 24);
    await harness.router.start();
    await harness.time.advance(milliseconds(10));
    expect(harness.takeLog()).not.toContain('delete 10.0.0.100');
    expect(harness.router.snapshot().instances[0]?.state).toBe('MASTER');
    expect(harness.network.has(ip('10.0.0.100'))).toBe(true);
    await harness.router.stop();
  });

  test('deleted by somebody else come back at once, announced, without a change of role', async () => {
    const harness = await master();
    harness.network.take(ip('10.0.0.100'));
    await harness.time.advance(milliseconds(20));
    expect(harness.takeLog()).toEqual([
      'add 10.0.0.100',
      ...Array<string>(5).fill('garp 10.0.0.100'),
    ]);
    harness.network.take(ip('10.0.0.100'));
    await harness.time.advance(milliseconds(500));
    expect(harness.network.has(ip('10.0.0.100'))).toBe(false);
    await harness.time.advance(milliseconds(600));
    expect(harness.network.has(ip('10.0.0.100'))).toBe(true);
    await harness.router.stop();
  });

  test('with no_track stay away when somebody deletes them', async () => {
    const untracked = { ...vip('10.0.0.100'), isTracked: false };
    const harness = await master(
      vrrpSettings([instanceSettings({ virtualAddresses: [untracked] })]),
    );
    harness.network.take(ip('10.0.0.100'));
    await harness.time.advance(milliseconds(100));
    expect(harness.network.has(ip('10.0.0.100'))).toBe(false);
    expect(harness.router.snapshot().instances[0]?.vips[0]?.isPresent).toBe(false);
    await harness.router.stop();
  });

  test('wait for the coordinator where the unit is bound, while adverts go out', async () => {
    const bindings = new Map([['A', { commitBeforeVip: true, commitBeforePreempt: true }]]);
    const harness = new RouterHarness(vrrpSettings([instanceSettings()]), { bindings });
    await harness.router.start();
    await harness.time.advance(seconds(5));
    const log = harness.takeLog();
    expect(log.slice(-3)).toEqual(['A: BACKUP -> MASTER', 'role A MASTER 2 waits', 'advert 100']);
    expect(harness.router.snapshot().instances[0]?.vipsWait).toBe(true);
    harness.router.releaseVips('A', 1);
    await harness.time.advance(milliseconds(1));
    expect(harness.network.has(ip('10.0.0.100'))).toBe(false);
    harness.router.releaseVips('A', 2);
    await harness.time.advance(milliseconds(1));
    expect(harness.takeLog().slice(0, 3)).toEqual([
      'add 10.0.0.100',
      'vips present A',
      'garp 10.0.0.100',
    ]);
    await harness.router.stop();
  });

  test('of no_accept are shut off by the firewall before they come', async () => {
    const harness = await master(vrrpSettings([instanceSettings({ accept: false })]));
    expect(harness.rulesets.at(-1)).toContain('ip daddr { 10.0.0.100 } drop');
    await harness.router.stop();
    expect(harness.rulesets.at(-1)).not.toContain('drop');
  });
});

describe('a step down', () => {
  test('removes VIPs and announces nothing any more', async () => {
    const harness = await master();
    const socket = harness.network.sockets[0];
    socket?.deliver(advertFromPeer(150));
    await harness.time.advance(milliseconds(1));
    expect(harness.takeLog()).toEqual([
      'A: MASTER -> BACKUP',
      'delete 10.0.0.100',
      'role A BACKUP 3',
    ]);
    await harness.time.advance(seconds(3));
    expect(harness.takeLog()).toEqual([]);
    await harness.router.stop();
  });

  test('while VIPs are being set leaves none of them behind and sends no late announcement', async () => {
    const harness = new RouterHarness(vrrpSettings([instanceSettings()]));
    await harness.router.start();
    await harness.time.advance(milliseconds(3_600));
    harness.takeLog();
    const real = harness.network.addAddress.bind(harness.network);
    let finish: () => void = () => undefined;
    harness.network.addAddress = async (spec) => {
      await new Promise<void>((resolve) => (finish = resolve));
      return real(spec);
    };
    await harness.time.advance(milliseconds(10));
    harness.network.sockets[0]?.deliver(advertFromPeer(150));
    finish();
    await harness.time.advance(milliseconds(10));
    expect(harness.network.has(ip('10.0.0.100'))).toBe(false);
    expect(harness.takeLog().filter((line) => line.startsWith('garp'))).toEqual([]);
    await harness.router.stop();
  });
});

describe('faults', () => {
  test('a link without carrier means FAULT, its return BACKUP, and the reason is shown', async () => {
    const harness = await master();
    harness.network.setRunning('eth0', false);
    await harness.time.advance(milliseconds(1));
    expect(harness.router.snapshot().instances[0]).toMatchObject({
      state: 'FAULT',
      faults: ['interface eth0 is down'],
    });
    harness.network.setRunning('eth0', true);
    await harness.time.advance(milliseconds(1));
    expect(harness.router.snapshot().instances[0]?.state).toBe('BACKUP');
    await harness.router.stop();
  });

  test('an interface that is deleted and created again gets a new socket', async () => {
    const harness = await master();
    harness.network.removeLink('eth0');
    await harness.time.advance(milliseconds(1));
    expect(harness.router.snapshot().instances[0]?.state).toBe('FAULT');
    harness.network.addLink('eth0');
    harness.network.give('eth0', ip('10.0.0.1'), 24);
    await harness.time.advance(seconds(4));
    expect(harness.router.snapshot().instances[0]?.state).toBe('MASTER');
    expect(harness.network.sockets.map((socket) => socket.isClosed)).toEqual([true, false]);
    expect(harness.network.has(ip('10.0.0.100'))).toBe(true);
    await harness.router.stop();
  });

  test('without an address there is nothing to send from: FAULT until one appears', async () => {
    const harness = await master();
    harness.network.take(ip('10.0.0.1'));
    await harness.time.advance(milliseconds(150));
    expect(harness.router.snapshot().instances[0]?.faults).toEqual(['no IPv4 address on eth0']);
    harness.network.give('eth0', ip('10.0.0.9'), 24);
    await harness.time.advance(seconds(4));
    expect(harness.router.snapshot().instances[0]?.state).toBe('MASTER');
    expect(harness.network.sockets.at(-1)?.sent.at(-1)?.source).toEqual(ip('10.0.0.9'));
    await harness.router.stop();
  });

  test('a configured unicast source that appears later ends the FAULT', async () => {
    const instance = instanceSettings({
      sourceAddress: ip('10.0.0.7'),
      unicastPeers: [{ address: ip('10.0.0.2') }],
    });
    const harness = new RouterHarness(vrrpSettings([instance]));
    await harness.router.start();
    await harness.time.advance(seconds(4));
    expect(harness.router.snapshot().instances[0]?.faults).toEqual([
      'source address 10.0.0.7 is not configured',
    ]);
    harness.network.give('eth0', ip('10.0.0.7'), 24);
    await harness.time.advance(seconds(4));
    expect(harness.router.snapshot().instances[0]?.state).toBe('MASTER');
    const advert = harness.network.sockets[0]?.sent.at(-1);
    expect([advert?.source, advert?.destination]).toEqual([ip('10.0.0.7'), ip('10.0.0.2')]);
    await harness.router.stop();
  });

  test('up and down delays swallow a short loss', async () => {
    const interfaceDelays = [
      { interfaceName: 'eth0', down: milliseconds(500), up: milliseconds(500) },
    ];
    const harness = await master(vrrpSettings([instanceSettings()], { interfaceDelays }));
    harness.network.setRunning('eth0', false);
    await harness.time.advance(milliseconds(400));
    harness.network.setRunning('eth0', true);
    await harness.time.advance(seconds(1));
    expect(harness.router.snapshot().instances[0]?.state).toBe('MASTER');
    harness.network.setRunning('eth0', false);
    await harness.time.advance(milliseconds(501));
    expect(harness.router.snapshot().instances[0]?.state).toBe('FAULT');
    await harness.router.stop();
  });
});

describe('routes', () => {
  const route = {
    spec: { family: 4, destination: ip('10.9.0.0'), prefixLength: 16, gateway: ip('10.8.0.1') },
    isTracked: true,
    text: '10.9.0.0/16 via 10.8.0.1',
  } as const;

  test('whose gateway’s link is down are pending, shown, and set when the link is up', async () => {
    const harness = new RouterHarness(vrrpSettings([instanceSettings({ virtualRoutes: [route] })]));
    harness.network.addLink('eth1');
    harness.network.setRunning('eth1', false);
    await harness.router.start();
    await harness.time.advance(seconds(4));
    const pending = harness.router.snapshot().instances[0];
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
    harness.network.setRunning('eth1', true);
    await harness.time.advance(milliseconds(100));
    expect(harness.router.snapshot().instances[0]?.routes[0]?.state).toBe('set');
    await harness.router.stop();
    expect(harness.network.routes.size).toBe(0);
  });

  test('that are static wait for their link in the same way', async () => {
    const harness = new RouterHarness(
      vrrpSettings([instanceSettings()], { staticRoutes: [route] }),
    );
    harness.network.addLink('eth1');
    harness.network.setRunning('eth1', false);
    await harness.router.start();
    expect(harness.router.snapshot().statics[0]?.state).toBe('pending');
    harness.network.setRunning('eth1', true);
    await harness.time.advance(milliseconds(100));
    expect(harness.router.snapshot().statics[0]?.state).toBe('set');
    await harness.router.stop();
  });
});

describe('the picture of the roles', () => {
  test('tells of a MASTER when it advertised last, of a BACKUP when it heard its master last', async () => {
    const harness = await master();
    const { units, instances } = harness.router.roles();
    expect(units).toMatchObject([{ name: 'A', state: 'MASTER' }]);
    const sent = harness.router.snapshot().instances[0]?.lastAdvertSent;
    expect(sent).toBeGreaterThan(units[0]!.since - 1);
    const shown = { unit: 'A', vrid: 51, effectivePriority: 100 };
    expect(instances).toEqual([{ ...shown, lastAdvertSent: sent, masterHeard: undefined }]);
    harness.network.sockets[0]?.deliver(advertFromPeer(200));
    const [heard] = harness.router.roles().instances;
    expect(harness.router.roles().units[0]?.state).toBe('BACKUP');
    expect(heard?.masterHeard).toBe(harness.time.now());
    await harness.router.stop();
  });
});

describe('a stall', () => {
  test('a late master-down timer reads the socket before it decides', async () => {
    const harness = new RouterHarness(vrrpSettings([instanceSettings()]));
    await harness.router.start();
    harness.time.stall(seconds(5));
    harness.network.sockets[0]?.waiting.push(advertFromPeer(200));
    harness.recorded.length = 0;
    await harness.time.advance(milliseconds(1));
    expect(harness.recorded.map((event) => event.kind)).toEqual(['timer', 'datagram', 'drained']);
    expect(harness.router.snapshot().instances[0]?.state).toBe('BACKUP');
    expect(harness.network.sockets[0]?.sent).toEqual([]);
    await harness.router.stop();
  });
});

describe('a reload', () => {
  test('exchanges VIPs on a MASTER, announces the new one, and keeps the rest untouched', async () => {
    const before = [vip('10.0.0.100'), vip('10.0.0.101')];
    const after = [vip('10.0.0.101'), vip('10.0.0.102')];
    const harness = await master(vrrpSettings([instanceSettings({ virtualAddresses: before })]));
    const reloaded = vrrpSettings([instanceSettings({ virtualAddresses: after })]);
    await harness.router.reload(reloaded, new Map());
    await harness.time.advance(milliseconds(1));
    const log = harness.takeLog().filter((line) => !line.startsWith('advert'));
    expect(log).toEqual([
      'delete 10.0.0.100',
      'add 10.0.0.102',
      ...Array<string>(5).fill('garp 10.0.0.102'),
    ]);
    await harness.router.stop();
  });

  test('removes an instance with priority 0 and starts a new one as BACKUP', async () => {
    const harness = await master();
    const other = instanceSettings({ name: 'B', virtualRouterId: 52 });
    await harness.router.reload(vrrpSettings([other]), new Map());
    expect(harness.takeLog().slice(0, 2)).toEqual(['advert 0', 'A: MASTER -> INIT']);
    expect(harness.router.snapshot().instances.map(({ name, state }) => [name, state])).toEqual([
      ['B', 'BACKUP'],
    ]);
    await harness.router.stop();
  });

  test.each([
    ['VRID', { virtualRouterId: 53 }],
    ['interface', { interfaceName: 'eth1' }],
    ['family', { family: 6, virtualAddresses: [vip('fe80::100')], version: 3 }],
    ['kind of transport', { unicastPeers: [{ address: ip('10.0.0.9') }] }],
  ] as const)('with another %s gives the old router up and starts anew', async (_what, change) => {
    const resumed = { resume: new Set(['A']) };
    const harness = await master(vrrpSettings([instanceSettings({})]), resumed);
    harness.network.addLink('eth1');
    harness.network.give('eth1', ip('10.0.1.1'), 24);
    harness.takeLog();
    await harness.router.reload(vrrpSettings([instanceSettings(change)]), new Map());
    expect(harness.takeLog().slice(0, 2)).toEqual(['advert 0', 'A: MASTER -> INIT']);
    expect(harness.network.has(ip('10.0.0.100'))).toBe(false);
    // The IPv6 one has no address to send from.
    const state = 'family' in change ? 'FAULT' : 'BACKUP';
    expect(harness.router.snapshot().instances[0]?.state).toBe(state);
    await harness.router.stop();
  });

  test('in maintenance adds instances that do not take the role', async () => {
    const harness = await master();
    harness.router.setMaintenance(true);
    const other = instanceSettings({ name: 'B', virtualRouterId: 52, priority: 255 });
    await harness.router.reload(vrrpSettings([other]), new Map());
    await harness.time.advance(seconds(10));
    expect(harness.router.snapshot().instances[0]?.state).not.toBe('MASTER');
    await harness.router.stop();
  });
});

test('a group is told first at the start, and last at a transition and at the stop', async () => {
  const notify = { priorityChanges: false, generic: script('/n') };
  const members = ['A', 'B'].map((name, i) =>
    instanceSettings({ name, virtualRouterId: 51 + i, notify }),
  );
  const tracking = { interfaces: [], scripts: [], files: [], processes: [] };
  const group = { name: 'G', members: ['A', 'B'], tracking, trackingWeight: false, notify };
  const harness = new RouterHarness(vrrpSettings(members, { groups: [group] }));
  await harness.router.start();
  await harness.time.advance(seconds(4));
  await harness.router.stop();
  const told = harness.processes.lines.map((line) => line.split(' ').slice(2, 4).join(' '));
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
  const states = (harness: RouterHarness): unknown =>
    harness.router.snapshot().instances.map(({ unit, name, state }) => `${unit} ${name} ${state}`);

  test('takes a member out, which then lives alone, while the others stay MASTER', async () => {
    const harness = await master(vrrpSettings([a, b], group('A', 'B')));
    expect(states(harness)).toEqual(['G A MASTER', 'G B MASTER']);
    await harness.router.reload(vrrpSettings([a, b], group('A')), new Map());
    expect(harness.takeLog()).toContain('delete 10.0.0.102');
    expect(states(harness)).toEqual(['G A MASTER', 'B B BACKUP']);
    await harness.time.advance(seconds(4));
    expect(states(harness)).toEqual(['G A MASTER', 'B B MASTER']);
    expect(harness.network.has(ip('10.0.0.102'))).toBe(true);
    await harness.router.stop();
  });

  test('takes a lone instance in', async () => {
    const harness = await master(vrrpSettings([a, b], group('A')));
    expect(states(harness)).toEqual(['G A MASTER', 'B B MASTER']);
    await harness.router.reload(vrrpSettings([a, b], group('A', 'B')), new Map());
    await harness.time.advance(seconds(5));
    expect(states(harness)).toEqual(['G A MASTER', 'G B MASTER']);
    expect(harness.network.has(ip('10.0.0.102'))).toBe(true);
    await harness.router.stop();
    expect(harness.network.has(ip('10.0.0.102'))).toBe(false);
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
    const harness = new RouterHarness(vrrpSettings(...scripted(0)));
    harness.processes.endsWith = undefined;
    await harness.router.start();
    expect(harness.router.snapshot().instances[0]).toMatchObject({
      state: 'INIT',
      awaiting: ['script s'],
    });
    harness.processes.started[0]?.end({ kind: 'exited', status: 0 });
    await harness.time.advance(milliseconds(1));
    expect(harness.router.snapshot().instances[0]?.state).toBe('BACKUP');
    harness.processes.endsWith = 1;
    await harness.time.advance(seconds(1));
    expect(harness.router.snapshot().instances[0]?.state).toBe('BACKUP');
    await harness.time.advance(seconds(1));
    expect(harness.router.snapshot().instances[0]).toMatchObject({
      state: 'FAULT',
      faults: ['script s fails'],
    });
    await harness.router.stop();
  });

  test('a weighted script changes the advertised priority', async () => {
    const harness = await master(vrrpSettings(...scripted(20)));
    expect(harness.router.snapshot().instances[0]?.effectivePriority).toBe(120);
    expect(harness.network.sockets[0]?.sent.at(-1)?.payload[2]).toBe(120);
    harness.processes.endsWith = 1;
    await harness.time.advance(seconds(3));
    expect(harness.network.sockets[0]?.sent.at(-1)?.payload[2]).toBe(100);
    await harness.router.stop();
  });
});

test('a farewell that could not be sent is no problem of the BACKUP that sends nothing', async () => {
  const harness = new RouterHarness(vrrpSettings([instanceSettings()]));
  const problems = (): readonly string[] =>
    harness.router.snapshot().instances[0]?.problems.map(({ reason }) => reason) ?? [];
  await harness.router.start();
  await harness.time.advance(seconds(4));
  const [socket] = harness.network.sockets;
  if (socket === undefined) throw new Error('the router has no socket');
  socket.outcome = { kind: 'refused', errno: 100, message: 'Network is down' };
  await harness.time.advance(seconds(2));
  expect(problems()).toEqual(['send']);
  harness.network.setRunning('eth0', false);
  await harness.time.advance(seconds(2));
  harness.network.setRunning('eth0', true);
  socket.deliver(advertFromPeer(200));
  await harness.time.advance(seconds(1));
  expect(harness.router.snapshot().instances[0]?.state).toBe('BACKUP');
  expect(problems()).toEqual([]);
  await harness.router.stop();
});
