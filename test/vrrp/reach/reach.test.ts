/** Two nodes, one target behind them: what counts, and when. */
import { ENETUNREACH, EPERM } from '../../../src/base/errno.js';
import { milliseconds, seconds, type Microseconds } from '../../../src/base/time.js';
import type { TrackTargetSettings, VrrpSettings } from '../../../src/vrrp/settings.js';
import { ReachPair, type ReachNode } from '../../support/vrrp/reachPair.js';
import { vrrpSettings } from '../../support/vrrp/routerHarness.js';
import { instanceSettings, ip } from '../../support/vrrp/settings.js';

const quick = { interval: milliseconds(200), timeout: milliseconds(200), fall: 3, rise: 3 };
const usual = { interval: seconds(1), timeout: seconds(1), fall: 5, rise: 10 };

function settingsWith(how: Partial<TrackTargetSettings> = quick): VrrpSettings {
  const target: TrackTargetSettings = {
    name: 'WAN',
    addresses: [{ kind: 'icmp', address: ip('198.51.100.1') }],
    required: 1,
    ...usual,
    size: 56,
    weight: 0,
    isReversed: false,
    ...how,
  };
  const targets = [{ name: 'WAN', weight: 0, isReversed: false }];
  const tracking = { interfaces: [], scripts: [], files: [], processes: [], targets };
  return { ...vrrpSettings([instanceSettings({ tracking })]), targets: [target] };
}

async function running(how: Partial<TrackTargetSettings> = quick, seed = 1): Promise<ReachPair> {
  const pair = new ReachPair(seed);
  pair.start(settingsWith(how));
  await pair.run(seconds(3));
  expect([pair.a.standing, pair.b.standing]).toEqual(['reached', 'reached']);
  for (const { asked } of [pair.a, pair.b]) asked.length = 0;
  return pair;
}

/** Until `condition`, at most `limit`; how long it took. */
async function until(
  pair: ReachPair,
  condition: () => boolean,
  limit: Microseconds = seconds(60),
): Promise<Microseconds> {
  const begun = pair.time.now();
  while (!condition() && pair.time.now() - begun < limit) await pair.time.advance(milliseconds(10));
  expect(condition()).toBe(true);
  return milliseconds((pair.time.now() - begun) / 1_000);
}

describe('a target that one node loses', () => {
  test('is decided within fall + 1 intervals, and handed over before it is a fault', async () => {
    const pair = await running();
    pair.a.life.loss = 100;
    const took = await until(pair, () => pair.a.asked.length > 0);
    expect(took).toBeLessThanOrEqual(milliseconds(850));
    expect(pair.a.asked).toEqual(['hand over: target WAN is unreachable from this node only']);
    expect(pair.a.reach.observations.get('WAN')).toMatchObject({
      verdict: 'bad',
      isYielding: true,
    });
    pair.a.finish?.();
    expect(pair.a.reach.observations.get('WAN')?.isYielding).toBe(false);
    expect(pair.b.verdict).toBe('good');
  });

  test('is a fault at once where nothing can be handed over', async () => {
    const pair = await running();
    pair.a.canHandOver = false;
    pair.a.life.loss = 100;
    await until(pair, () => pair.a.verdict === 'bad');
    expect(pair.a.reach.observations.get('WAN')?.isYielding).toBe(false);
  });

  test('counts until it is reached again and the hold is over', async () => {
    const pair = await running();
    pair.a.life.loss = 100;
    await until(pair, () => pair.a.verdict === 'bad');
    pair.a.life.loss = 0;
    await pair.run(seconds(25));
    expect([pair.a.verdict, pair.a.standing]).toEqual(['bad', 'held']);
    await pair.run(seconds(6));
    expect([pair.a.verdict, pair.a.standing]).toEqual(['good', 'reached']);
    expect(pair.a.asked.at(-1)).toBe('recovered: WAN');
  });

  test('does not come back while the peer loses it within the hold', async () => {
    const pair = await running();
    pair.a.life.loss = 100;
    await until(pair, () => pair.a.verdict === 'bad');
    pair.a.life.loss = 0;
    pair.b.isMaster = true;
    pair.b.life.loss = 100;
    await pair.run(seconds(10));
    expect([pair.a.standing, pair.b.standing]).toEqual(['held', 'lost-by-both']);
    expect(pair.b.verdict).toBe('good');
  });
});

describe('a target that both lose', () => {
  test.each([0, 40, 130, 190, 210])('%i ms apart moves nothing', async (apart) => {
    const pair = await running();
    pair.a.life.loss = 100;
    await pair.time.advance(milliseconds(apart));
    pair.b.life.loss = 100;
    await pair.run(seconds(20));
    expect([pair.a.asked, pair.b.asked]).toEqual([[], []]);
    expect([pair.a.standing, pair.b.standing]).toEqual(['lost-by-both', 'lost-by-both']);
    expect([pair.a.verdict, pair.b.verdict]).toEqual(['good', 'good']);
  });

  test('counts again for the one that has it no more when the other has it back', async () => {
    const pair = await running();
    pair.a.life.loss = 100;
    pair.b.life.loss = 100;
    await pair.run(seconds(10));
    pair.b.life.loss = 0;
    await until(pair, () => pair.a.verdict === 'bad');
    expect(pair.a.standing).toBe('lost-here-only');
  });
});

describe('the peer', () => {
  const lostBy = async (pair: ReachPair): Promise<void> => {
    pair.a.life.loss = 100;
    await pair.run(seconds(8));
  };

  test('that says nothing leaves the role where it is', async () => {
    const pair = await running();
    pair.b.isHeard = false;
    await lostBy(pair);
    expect([pair.a.verdict, pair.a.standing]).toEqual(['good', 'peer-silent']);
  });

  test('that cannot take the role leaves it too', async () => {
    const pair = await running();
    pair.a.presence = { kind: 'present', canServe: false, comparesTargets: true };
    await lostBy(pair);
    expect([pair.a.verdict, pair.a.standing]).toEqual(['good', 'peer-cannot-serve']);
  });

  test('that cannot ask counts as neither', async () => {
    const pair = await running();
    pair.b.life.errno = ENETUNREACH;
    await lostBy(pair);
    expect([pair.a.verdict, pair.a.standing]).toEqual(['good', 'peer-unable']);
    expect(pair.b.standing).toBe('unable');
  });

  test('that never was: the loss counts, and is gone with the first answers', async () => {
    const pair = await running();
    pair.a.presence = { kind: 'none' };
    await lostBy(pair);
    expect([pair.a.verdict, pair.a.standing]).toEqual(['bad', 'lost']);
    pair.a.life.loss = 0;
    await until(pair, () => pair.a.verdict === 'good', seconds(2));
  });

  test('that tracks no such target says so, and the loss counts', async () => {
    const pair = new ReachPair();
    pair.a.reach.apply(settingsWith());
    pair.b.reach.apply(vrrpSettings([]));
    await pair.run(seconds(3));
    expect(pair.b.reach.hasWords).toBe(false);
    await lostBy(pair);
    expect([pair.a.verdict, pair.a.standing]).toEqual(['bad', 'lost']);
    expect(pair.b.reach.hasWords).toBe(true);
  });

  test('that falls silent later releases a node that is in FAULT for a target alone', async () => {
    const pair = await running();
    await lostBy(pair);
    expect(pair.a.verdict).toBe('bad');
    pair.a.isMaster = false;
    pair.a.presence = { kind: 'silent' };
    await pair.run(seconds(1));
    expect([pair.a.verdict, pair.a.standing]).toEqual(['good', 'peer-silent']);
    expect(pair.a.asked.at(-1)).toBe('released: WAN');
  });
});

test('a process that stood still reads the words that wait before the peer is silent', async () => {
  const pair = await running();
  pair.a.life.loss = 100;
  await pair.run(seconds(8));
  expect(pair.a.verdict).toBe('bad');
  pair.a.isMaster = false;
  pair.b.isHeard = false;
  pair.time.stall(seconds(5));
  pair.a.reach.tick(pair.a.presence);
  expect(pair.a.standing).toBe('lost-here-only');
  pair.b.isHeard = true;
  await pair.run(seconds(2));
  expect([pair.a.verdict, pair.a.standing]).toEqual(['bad', 'lost-here-only']);
  expect(pair.a.asked.filter((one) => one.startsWith('released'))).toEqual([]);
});

describe('a node that cannot ask', () => {
  test('as BACKUP says so; without a way the MASTER has lost it', async () => {
    const pair = await running();
    pair.a.life.errno = ENETUNREACH;
    pair.b.life.errno = undefined;
    await pair.run(seconds(2));
    expect([pair.a.verdict, pair.a.standing]).toEqual(['bad', 'lost-here-only']);
    const [address] = pair.a.reach.targets[0]?.figures(pair.time.now()) ?? [];
    expect(address).toMatchObject({ state: 'bad', refusal: 'no route to it: ip route add' });
  });

  test('from an address that only the MASTER has says so as BACKUP', async () => {
    const source = ip('10.0.0.100');
    const pair = await running({ ...quick, source });
    pair.b.hasSource = false;
    await pair.run(seconds(2));
    expect(pair.b.standing).toBe('unable');
    pair.a.life.loss = 100;
    await pair.run(seconds(4));
    expect([pair.a.verdict, pair.a.standing]).toEqual(['good', 'peer-unable']);
    pair.b.hasSource = true;
    await until(pair, () => pair.a.verdict === 'bad');
  });

  test('because a rule forbids it has lost nothing, MASTER or not, and is right when it is mended', async () => {
    const pair = await running();
    pair.a.life.errno = EPERM;
    await pair.run(seconds(2));
    expect([pair.a.verdict, pair.a.standing]).toEqual(['disabled', 'unable']);
    pair.a.life.errno = undefined;
    await pair.run(seconds(1));
    expect([pair.a.verdict, pair.a.standing]).toEqual(['good', 'reached']);
  });
});

test('a flooded socket says nothing: what was known stays', async () => {
  const pair = await running();
  pair.a.probers.isFlooded = true;
  pair.a.life.loss = 100;
  await pair.run(seconds(10));
  expect([pair.a.verdict, pair.a.standing]).toEqual(['good', 'reached']);
  expect(pair.a.reach.words()[0]?.state).toBe('blind');
  pair.a.probers.isFlooded = false;
  await until(pair, () => pair.a.verdict === 'bad', seconds(2));
});

test('a process that stood still reads what waits before it calls a probe lost', async () => {
  const pair = await running();
  pair.time.stall(milliseconds(900));
  await pair.run(seconds(3));
  const lost = pair.a.reach.targets[0]?.figures(pair.time.now())[0]?.lost;
  expect([lost, pair.a.standing]).toEqual([0, 'reached']);
});

test('a reload leaves a target that is the same alone, and closes one that is gone', async () => {
  const pair = await running();
  const [before] = pair.a.reach.targets;
  pair.a.reach.apply(settingsWith());
  expect(pair.a.reach.targets[0]).toBe(before);
  pair.a.reach.apply(settingsWith({ ...quick, fall: 4 }));
  expect(pair.a.reach.targets[0]).not.toBe(before);
  pair.a.reach.apply(vrrpSettings([]));
  const sent = pair.a.probers.sent.get('198.51.100.1');
  await pair.run(seconds(2));
  expect(pair.a.probers.sent.get('198.51.100.1')).toBe(sent);
});

describe('with the defaults, over ten minutes', () => {
  interface Move {
    readonly at: Microseconds;
    readonly to: ReachNode;
  }

  /** The better one (a) has the role unless the target counts against a, which b then takes. */
  const follow = async (pair: ReachPair): Promise<readonly Move[]> => {
    const moves: Move[] = [];
    const { a, b } = pair;
    for (let second = 0; second < 600; second++) {
      await pair.run(seconds(1));
      const to = a.verdict !== 'bad' || b.verdict === 'bad' ? a : b;
      if (to.isMaster) continue;
      moves.push({ at: pair.time.now(), to });
      for (const node of [a, b]) {
        node.isMaster = node === to;
        node.finish?.();
      }
    }
    return moves;
  };

  test.each([
    [20, 0, 2],
    [30, 5, 4],
    [50, 50, 4],
  ])(
    '%i %% and %i %% loss: no return within the hold, and at most %i moves',
    async (lossA, lossB, most) => {
      const pair = await running(usual, lossA * 100 + lossB);
      pair.a.life.loss = lossA;
      pair.b.life.loss = lossB;
      const moves = await follow(pair);
      const returns = moves.filter(({ at }, i) => at - (moves[i - 1]?.at ?? 0) < seconds(30));
      expect(returns.filter(({ to }) => to === pair.a)).toEqual([]);
      expect(moves.length).toBeLessThanOrEqual(most);
    },
    60_000,
  );
});
