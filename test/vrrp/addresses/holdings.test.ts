/** Owners of one item, and losses, with a kernel in memory. */
import { silentLogger } from '../../../src/base/logger.js';
import { parseIp, type IpAddress } from '../../../src/base/ipAddress.js';
import { milliseconds, seconds } from '../../../src/base/time.js';
import type { RuleSpec } from '../../../src/net/ports.js';
import type { ItemSource } from '../../../src/vrrp/addresses/holdingItems.js';
import { Holdings } from '../../../src/vrrp/addresses/holdings.js';
import { ManualTime } from '../../support/base/manualTime.js';
import { FakeNetwork } from '../../support/vrrp/fakeNetwork.js';

const ip = (text: string): IpAddress => parseIp(text)!;
const rule = (priority: number): { spec: RuleSpec; text: string; isTracked: boolean } => ({
  spec: { family: 4, priority, table: 100 },
  text: `rule ${priority}`,
  isTracked: true,
});
const source = (...priorities: number[]): ItemSource => ({
  virtualAddresses: [],
  excludedAddresses: [],
  virtualRoutes: [],
  virtualRules: priorities.map(rule),
});

function setUp(): { network: FakeNetwork; time: ManualTime; holdings: Holdings; lines: string[] } {
  const network = new FakeNetwork();
  network.addLink('eth0');
  const time = new ManualTime();
  const lines: string[] = [];
  const holdings = new Holdings(
    {
      network,
      control: network,
      clock: time,
      timers: time,
      logger: { ...silentLogger, log: (_level, message) => void lines.push(message) },
      openRoutingWatch: () => network.routing,
    },
    () => undefined,
  );
  return { network, time, holdings, lines };
}

describe('an item of two owners', () => {
  test('stays while one of them lists it, and goes with the last', async () => {
    const { network, holdings } = setUp();
    await holdings.raise('A', source(5001));
    await holdings.raise('B', source(5001));
    await holdings.lower('A');
    expect([...network.rules]).toEqual([5001]);
    await holdings.lower('B');
    expect([...network.rules]).toEqual([]);
  });

  test.each([
    ['taken first', ['B', 'A']],
    ['given first', ['A', 'B']],
  ])('moved from B to A by a reload, %s: it is there afterwards', async (_name, order) => {
    const { network, holdings } = setUp();
    await holdings.raise('A', source(5000));
    await holdings.raise('B', source(5001));
    const after = { A: source(5000, 5001), B: source() };
    await Promise.all(order.map((owner) => holdings.change(owner, after[owner as 'A' | 'B'])));
    expect([...network.rules].sort()).toEqual([5000, 5001]);
    await holdings.lower('B');
    expect([...network.rules].sort()).toEqual([5000, 5001]);
  });
});

describe('a rule that is lost', () => {
  test('is put back once a second at most, as often as it is taken', async () => {
    const { network, time, holdings, lines } = setUp();
    await holdings.raise('A', source(5001));
    const take = async (): Promise<void> => {
      network.rules.delete(5001);
      network.routing.lose({ kind: 'rule', family: 4 });
      await time.advance(milliseconds(1));
    };
    await take();
    expect([...network.rules]).toEqual([5001]);
    await take();
    expect([...network.rules]).toEqual([]);
    await time.advance(seconds(1));
    expect([...network.rules]).toEqual([5001]);
    expect(lines).toEqual(Array(2).fill('rule was deleted by somebody else, put back'));
  });

  test('of others is no news; lost events have everything looked at', async () => {
    const { network, time, holdings, lines } = setUp();
    await holdings.raise('A', source(5001));
    network.routing.lose({ kind: 'rule', family: 4 });
    network.routing.lose({ kind: 'rule', family: 6 });
    network.routing.lose({
      kind: 'route',
      family: 4,
      destination: ip('10.9.0.0'),
      prefixLength: 16,
    });
    await time.advance(seconds(2));
    expect(lines).toEqual([]);
    network.rules.clear();
    network.routing.lose({ kind: 'unknown' });
    await time.advance(milliseconds(1));
    expect([...network.rules]).toEqual([5001]);
  });

  test('is not put back after its owner has given it up', async () => {
    const { network, time, holdings } = setUp();
    await holdings.raise('A', source(5001));
    const lowered = holdings.lower('A');
    network.routing.lose({ kind: 'rule', family: 4 });
    await lowered;
    await time.advance(seconds(2));
    expect([...network.rules]).toEqual([]);
  });
});
