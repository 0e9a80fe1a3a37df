import { EPERM } from '../../../src/base/errno.js';
import { milliseconds, seconds } from '../../../src/base/time.js';
import { askTargets } from '../../../src/cli/doctor/targets.js';
import type { TrackTargetSettings } from '../../../src/vrrp/settings.js';
import { ManualTime } from '../../support/base/manualTime.js';
import { FakeProbers, type ProbeFate } from '../../support/vrrp/fakeProbers.js';
import { ip } from '../../support/vrrp/settings.js';

const target: TrackTargetSettings = {
  ...{ name: 'WAN', required: 1, interval: seconds(1), timeout: seconds(1), rise: 10, fall: 5 },
  ...{ size: 56, weight: 0, isReversed: false },
  addresses: [
    { kind: 'icmp', address: ip('198.51.100.1') },
    { kind: 'tcp', address: ip('198.51.100.2'), port: 443 },
  ],
};

async function findings(fate: (address: string) => ProbeFate): Promise<string[]> {
  const time = new ManualTime();
  const probers = new FakeProbers(time, fate);
  const asking = askTargets([target], { probers, timers: time });
  await time.advance(seconds(3));
  expect([...probers.sent.values()]).toEqual([1, 1]);
  return (await asking).map(({ code, text }) => `${code}: ${text}`);
}

const socket = 'target-socket: targets are asked by the fake';

test('targets that answer are no finding', async () => {
  const found = await findings(() => milliseconds(3));
  expect(found).toEqual([expect.stringContaining(socket)]);
});

test('one that does not answer, and one that cannot be asked, are told', async () => {
  const found = await findings((address) =>
    address === '198.51.100.1' ? 'lost' : { errno: EPERM },
  );
  expect(found).toEqual([
    expect.stringContaining(socket),
    'target-lost: target WAN, icmp 198.51.100.1 does not answer',
    expect.stringMatching(/^target-unable: target WAN, tcp 198\.51\.100\.2 443 .*firewall rule/),
  ]);
});
