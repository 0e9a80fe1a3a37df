/** What the sync worker learns of the network. */
import { milliseconds, seconds } from '../../../src/base/time.js';
import { NetworkReporter } from '../../../src/daemon/host/networkReporter.js';
import type { SyncCommand } from '../../../src/sync/messages.js';
import { ManualTime } from '../../support/base/manualTime.js';
import { FakeNetwork } from '../../support/vrrp/fakeNetwork.js';
import { ip } from '../../support/vrrp/settings.js';

let network: FakeNetwork;
let time: ManualTime;
let posted: SyncCommand[];
let reporter: NetworkReporter;

beforeEach(() => {
  network = new FakeNetwork();
  network.addLink('sync');
  network.give('sync', ip('10.3.0.1'), 24);
  time = new ManualTime();
  posted = [];
  reporter = new NetworkReporter({
    network,
    timers: time,
    post: (command) => void posted.push(command),
    virtualAddresses: () => [ip('10.0.0.100'), ip('10.3.0.1')],
    linkNames: () => ['sync', 'sync', 'none'],
  });
});

afterEach(() => reporter.close());

const taken = (): SyncCommand[] => posted.splice(0);
const link = { kind: 'linkState', interfaceName: 'sync', isUsable: true, mtu: 1500, index: 2 };

test('a worker that starts gets all addresses once, VIPs included, and each link', () => {
  reporter.sendAll();
  expect(taken()).toEqual([
    { kind: 'ownAddresses', addresses: ['10.3.0.1', '10.0.0.100'] },
    link,
    { kind: 'linkState', interfaceName: 'none', isUsable: false },
  ]);
});

test('a link is news when it changed, and its loss announces a mass of deletes', () => {
  reporter.sendAll();
  taken();
  network.setRunning('sync', true);
  expect(taken()).toEqual([]);
  network.setRunning('sync', false);
  expect(taken()).toEqual([{ ...link, isUsable: false }]);
  network.removeLink('sync');
  const kinds = taken().map(({ kind }) => kind);
  expect(kinds).toContain('massDeleteExpected');
  expect(kinds.at(-1)).toBe('linkState');
});

test('addresses that come together are one message; one that goes announces deletes at once', async () => {
  network.give('sync', ip('10.3.0.7'), 24);
  network.give('sync', ip('10.3.0.8'), 24);
  expect(taken()).toEqual([]);
  await time.advance(milliseconds(50));
  expect(taken()).toEqual([
    { kind: 'ownAddresses', addresses: ['10.3.0.1', '10.3.0.7', '10.3.0.8', '10.0.0.100'] },
  ]);
  network.take(ip('10.3.0.7'));
  expect(taken()).toEqual([{ kind: 'massDeleteExpected', for: seconds(2) }]);
});
