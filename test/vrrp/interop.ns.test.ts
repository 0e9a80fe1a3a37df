/**
 * keepstate beside a real keepalived 2.2.7, both ways round. Each scenario has hosts of its own and
 * spends most of its time waiting for timers, so all are started together and each test waits for
 * its own. The default is one scenario per behaviour; KEEPSTATE_FULL=1 multiplies them.
 */
import { Lab } from '../lab/lab.js';
import { sleep, waitFor } from '../lab/waitFor.js';
import { VrrpPair, type PairOptions, type Side } from '../support/vrrp/pair.js';
import type { DaemonKind } from '../support/vrrp/peers.js';

const isFull = process.env['KEEPSTATE_FULL'] === '1';
const timeout = 240_000;

type Kinds = Readonly<Record<Side, DaemonKind>>;
const keepstateFirst: Kinds = { a: 'keepstate', b: 'keepalived' };
const keepalivedFirst: Kinds = { a: 'keepalived', b: 'keepstate' };

/** What each scenario ended with; undefined is success. */
const scenarios = new Map<string, () => Promise<void>>();
let outcomes = new Map<string, Promise<unknown>>();

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.open();
  outcomes = new Map(
    [...scenarios].map(([name, run]) => [
      name,
      run().then(
        () => undefined,
        (error: unknown) => error,
      ),
    ]),
  );
});
afterAll(async () => {
  await lab.close();
}, 300_000);

function scenario(name: string, run: () => Promise<void>): void {
  scenarios.set(name, run);
  test(
    name,
    async () => {
      const error = await outcomes.get(name);
      if (error !== undefined) throw error as Error;
    },
    timeout,
  );
}

let count = 0;
async function pair(options: Omit<PairOptions, 'id'>): Promise<VrrpPair> {
  return VrrpPair.build(lab, { id: `s${count++}`, ...options });
}

async function bothStarted(options: Omit<PairOptions, 'id'>): Promise<VrrpPair> {
  const built = await pair(options);
  await Promise.all([built.start('a'), built.start('b')]);
  await built.settle('a', 'MASTER');
  await built.settle('b', 'BACKUP');
  return built;
}

async function expectNoError(built: VrrpPair): Promise<void> {
  expect(await built.complaints()).toEqual([]);
  const { adverts, bad } = await built.judgeCapture();
  expect(bad).toEqual([]);
  expect(adverts).toBeGreaterThan(1);
}

/** Election, kill -9 and return, clean stop and return, carrier loss and return. */
async function life(options: Omit<PairOptions, 'id'>): Promise<void> {
  const built = await bothStarted(options);
  await built.peer('a').kill();
  await built.settle('b', 'MASTER');
  await built.start('a');
  await built.settle('a', 'MASTER');
  await built.settle('b', 'BACKUP');
  await expectNoError(built);
  await built.peer('a').stop();
  await built.settle('b', 'MASTER');
  await built.start('a');
  await built.settle('a', 'MASTER');
  await built.settle('b', 'BACKUP');
  const network = built.networks[0];
  await network?.cut(built.hosts.a, 'eth0');
  await built.settle('a', 'FAULT');
  await built.settle('b', 'MASTER');
  await network?.restore(built.hosts.a, 'eth0');
  await built.settle('a', 'MASTER');
  await built.settle('b', 'BACKUP');
  await expectNoError(built);
}

const modes: readonly (readonly [string, Omit<PairOptions, 'id' | 'kinds'>])[] = [
  ['multicast', {}],
  ['unicast with a password', { unicast: true, password: 'secret' }],
  [
    'a sync group of two, unicast, with a password',
    { grouped: true, unicast: true, password: '1111' },
  ],
];
const fullModes: typeof modes = [
  ['multicast with a password', { password: '12345678' }],
  ['unicast', { unicast: true }],
  ['a sync group of two, multicast', { grouped: true }],
  ['version 3', { version: 3 }],
  ['version 3, unicast', { version: 3, unicast: true }],
  ['version 3 over IPv6', { version: 3, ipv6: true }],
];

describe('a life of election, crash, stop and link failure', () => {
  for (const [name, options] of isFull ? [...modes, ...fullModes] : modes) {
    scenario(`${name}: keepstate is preferred, keepalived stands by`, () =>
      life({ ...options, kinds: keepstateFirst }),
    );
    scenario(`${name}: keepalived is preferred, keepstate stands by`, () =>
      life({ ...options, kinds: keepalivedFirst }),
    );
  }
});

describe('coming back', () => {
  for (const kinds of [keepstateFirst, keepalivedFirst]) {
    scenario(
      `nopreempt: ${kinds.a} leaves the role to a living ${kinds.b} of lower priority`,
      async () => {
        const built = await pair({ kinds, extra: { a: { nopreempt: true } } });
        await built.start('a');
        await built.settle('a', 'MASTER');
        await built.start('b');
        await built.peer('a').stop();
        await built.settle('b', 'MASTER');
        await built.start('a');
        await built.settle('a', 'BACKUP');
        await sleep(6_000);
        expect(await built.peer('a').state('EXT')).toBe('BACKUP');
        expect(await built.peer('b').state('EXT')).toBe('MASTER');
        await expectNoError(built);
      },
    );

    scenario(`preempt_delay: ${kinds.a} takes the role back only after the delay`, async () => {
      const built = await bothStarted({ kinds, extra: { a: { preemptDelay: 6 } } });
      await built.peer('a').stop();
      await built.settle('b', 'MASTER');
      await built.start('a');
      await sleep(4_500);
      expect(await built.peer('a').state('EXT')).toBe('BACKUP');
      await built.settle('a', 'MASTER');
      await built.settle('b', 'BACKUP');
      await expectNoError(built);
    });

    scenario(
      `equal priorities: when ${kinds.a} and ${kinds.b} are both MASTER, the higher address stays`,
      async () => {
        const built = await pair({ kinds, priorities: { a: 100, b: 100 } });
        const [network] = built.networks;
        await network?.lose(built.hosts.a, 'eth0', 100);
        await network?.lose(built.hosts.b, 'eth0', 100);
        await Promise.all([built.start('a'), built.start('b')]);
        await built.settle('a', 'MASTER');
        await built.settle('b', 'MASTER');
        await network?.lose(built.hosts.a, 'eth0', 0);
        await network?.lose(built.hosts.b, 'eth0', 0);
        await built.settle('a', 'BACKUP');
        await built.settle('b', 'MASTER');
        await expectNoError(built);
      },
    );
  }
});

scenario(
  'a group whose one network fails moves as a whole, and says priority 0 on the other',
  async () => {
    const built = await bothStarted({ kinds: keepstateFirst, grouped: true, unicast: true });
    await built.networks[1]?.cut(built.hosts.a, 'eth1');
    await built.settle('a', 'FAULT');
    await built.settle('b', 'MASTER');
    const goodbyes = await waitFor(async () => {
      const rows = await built.captures[0]?.fields(['ip.src'], 'vrrp.prio == 0');
      return rows !== undefined && rows.length > 0 ? rows : undefined;
    });
    expect(goodbyes).toEqual([['10.0.0.1']]);
    expect(built.peer('b').history('EXT').at(-1)).toBe('MASTER');
    expect(built.peer('b').history('INT').at(-1)).toBe('MASTER');
    await expectNoError(built);
  },
);

describe('a keepstate that was stopped for longer than its timers', () => {
  scenario('as BACKUP reads what waits in its socket and stays BACKUP', async () => {
    const built = await bothStarted({ kinds: keepalivedFirst });
    built.peer('b').process.freeze();
    await sleep(6_000);
    built.peer('b').process.thaw();
    await sleep(2_500);
    expect(built.peer('b').history('EXT')).toEqual(['BACKUP']);
    expect(await built.peer('a').state('EXT')).toBe('MASTER');
    await expectNoError(built);
  });

  scenario('as MASTER takes its role back from the peer that filled in', async () => {
    const built = await bothStarted({ kinds: keepstateFirst });
    built.peer('a').process.freeze();
    await built.settle('b', 'MASTER');
    built.peer('a').process.thaw();
    await built.settle('b', 'BACKUP');
    await built.settle('a', 'MASTER');
    await expectNoError(built);
  });
});
