import { silentLogger } from '../../../src/base/logger.js';
import { microseconds, milliseconds } from '../../../src/base/time.js';
import type { AddressSpec, KernelOutcome } from '../../../src/net/ports.js';
import { Announcements } from '../../../src/vrrp/addresses/announce.js';
import { noAcceptRuleset } from '../../../src/vrrp/addresses/firewall.js';
import { gatedControl } from '../../../src/vrrp/addresses/kernelGate.js';
import { SecondaryPromotion } from '../../../src/vrrp/addresses/secondaryPromotion.js';
import { FakeNetwork } from '../../support/vrrp/fakeNetwork.js';
import { ManualTime } from '../../support/base/manualTime.js';
import { ip } from '../../support/vrrp/settings.js';

const spec = (address: string, interfaceName = 'eth0'): AddressSpec => ({
  interfaceName,
  address: ip(address),
  prefixLength: 24,
});

describe('announcements', () => {
  const paced = { garpInterval: milliseconds(10), gnaInterval: milliseconds(20) };
  const unpaced = { garpInterval: microseconds(0), gnaInterval: microseconds(0) };

  function setUp(): { time: ManualTime; log: string[]; announcements: Announcements } {
    const time = new ManualTime();
    const network = new FakeNetwork();
    const announcements = new Announcements({
      announcer: network,
      timers: time,
      logger: silentLogger,
    });
    return { time, log: network.log, announcements };
  }

  test('without pacing leave back to back, in rounds over all addresses', () => {
    const { log, announcements } = setUp();
    announcements.block('A', [spec('10.0.0.1'), spec('10.0.0.2')], 2, unpaced);
    expect(log).toEqual(['garp 10.0.0.1', 'garp 10.0.0.2', 'garp 10.0.0.1', 'garp 10.0.0.2']);
    expect(announcements.sent).toBe(4);
  });

  test('that the kernel refuses are said once, until one is sent again', () => {
    const lines: string[] = [];
    let outcome: KernelOutcome = { kind: 'refused', errno: 100, message: 'Network is down' };
    const announcements = new Announcements({
      announcer: { announce: () => outcome },
      timers: new ManualTime(),
      logger: { log: (_level, message) => void lines.push(message) },
    });
    const block = (): void => {
      announcements.block('A', [spec('10.0.0.1'), spec('10.0.0.2')], 5, unpaced);
    };
    block();
    expect(lines).toEqual(['gratuitous announcements are not sent']);
    outcome = { kind: 'done' };
    block();
    outcome = { kind: 'refused', errno: 100, message: 'Network is down' };
    block();
    expect(lines).toHaveLength(2);
  });

  test('with pacing keep their count and order, one per interval and interface', async () => {
    const { time, log, announcements } = setUp();
    announcements.block('A', [spec('10.0.0.1'), spec('10.0.0.2')], 2, paced);
    announcements.block('B', [spec('10.1.0.1', 'eth1')], 1, paced);
    expect(log).toEqual(['garp 10.0.0.1', 'garp 10.1.0.1']);
    await time.advance(milliseconds(10));
    expect(log.slice(2)).toEqual(['garp 10.0.0.2']);
    await time.advance(milliseconds(100));
    expect(log.slice(3)).toEqual(['garp 10.0.0.1', 'garp 10.0.0.2']);
    expect(time.armed).toBe(0);
  });

  test('of an instance that is no longer MASTER are dropped, those of others stay', async () => {
    const { time, log, announcements } = setUp();
    announcements.block('A', [spec('10.0.0.1')], 3, paced);
    announcements.block('B', [spec('10.0.0.9')], 1, paced);
    announcements.cancel('A');
    await time.advance(milliseconds(100));
    expect(log).toEqual(['garp 10.0.0.1', 'garp 10.0.0.9']);
  });

  test('over IPv6 are paced by gna_interval', async () => {
    const { time, log, announcements } = setUp();
    announcements.block('A', [spec('fd00::1'), spec('fd00::2')], 1, paced);
    await time.advance(milliseconds(19));
    expect(log).toEqual(['garp fd00::1']);
    await time.advance(milliseconds(1));
    expect(log).toEqual(['garp fd00::1', 'garp fd00::2']);
    announcements.close();
  });
});

test('no_accept rules name every VIP once per family, and vanish without VIPs', () => {
  const text = noAcceptRuleset([ip('10.0.0.1'), ip('fd00::1'), ip('10.0.0.1'), ip('10.0.0.2')]);
  expect(text).toContain('ip daddr { 10.0.0.1, 10.0.0.2 } drop');
  expect(text).toContain('ip6 saddr { fd00::1 } drop');
  expect(text.startsWith('table inet keepstate_vrrp\ndelete table inet keepstate_vrrp\n')).toBe(
    true,
  );
  expect(noAcceptRuleset([])).not.toContain('chain');
});

test('the kernel is asked for a bounded number of changes at a time, in order', async () => {
  const network = new FakeNetwork();
  network.addLink('eth0');
  let pending = 0;
  let most = 0;
  const real = network.addAddress.bind(network);
  network.addAddress = async (one) => {
    most = Math.max(most, ++pending);
    await new Promise((resolve) => setImmediate(resolve));
    pending -= 1;
    return real(one);
  };
  const control = gatedControl(network, 3);
  const all = Array.from({ length: 20 }, (_, i) => spec(`10.0.0.${i + 1}`));
  const outcomes = await Promise.all(all.map((one) => control.addAddress(one)));
  expect(outcomes.every(({ kind }) => kind === 'done')).toBe(true);
  expect(most).toBe(3);
  expect(network.log).toEqual(all.map((_one, i) => `add 10.0.0.${i + 1}`));
});

test('promote_secondaries is set while asked for and put back as it was', () => {
  const name = 'net/ipv4/conf/eth0/promote_secondaries';
  const values = new Map([[name, '0']]);
  const sysctls = {
    read: (key: string) => values.get(key),
    write: (key: string, value: string) => {
      values.set(key, value);
      return undefined;
    },
  };
  const promotion = new SecondaryPromotion(sysctls, silentLogger);
  promotion.apply(new Set(['eth0', 'missing']));
  expect(values.get(name)).toBe('1');
  promotion.apply(new Set(['eth0']));
  promotion.restore();
  expect(values.get(name)).toBe('0');
});
