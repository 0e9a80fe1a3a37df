/** Addresses that NAT uses move to the new MASTER before the others. */
import { formatIp } from '../../../src/base/ipAddress';
import type { UnitAction } from '../../../src/vrrp/machine/actions';
import { announcedAddresses, translatedFirst } from '../../../src/vrrp/addresses/announceOrder';
import { instanceSettings, vip } from '../../support/vrrp/settings';

const lan = instanceSettings({ name: 'LAN', virtualAddresses: [vip('10.1.0.254')] });
const wan = instanceSettings({ name: 'WAN', virtualAddresses: [vip('10.2.0.254')] });
const both = instanceSettings({
  name: 'BOTH',
  virtualAddresses: [vip('10.1.0.254'), vip('10.3.0.254')],
  excludedAddresses: [vip('10.2.0.254')],
});
const isTranslated = (address: string): boolean => address === '10.2.0.254';

function announce(instance: string): UnitAction {
  return { kind: 'announce', instance, count: 5, because: 'becameMaster' };
}

function order(actions: readonly UnitAction[]): string[] {
  return actions.map((one) => (one.kind === 'announce' ? one.instance : one.kind));
}

test('of one instance the address that NAT uses comes first, the others as configured', () => {
  const addresses = announcedAddresses(both, isTranslated).map(({ address }) => formatIp(address));
  expect(addresses).toEqual(['10.2.0.254', '10.1.0.254', '10.3.0.254']);
});

test('of a group the member whose address NAT uses comes first; other actions keep their place', () => {
  const notify: UnitAction = { kind: 'notify', instance: 'LAN', state: 'MASTER', priority: 100 };
  const actions = [announce('LAN'), notify, announce('WAN')];
  expect(order(translatedFirst(actions, [lan, wan], isTranslated))).toEqual([
    'WAN',
    'notify',
    'LAN',
  ]);
});

test('without NAT the configured order counts, whichever member caused the change', () => {
  const actions = [announce('WAN'), announce('LAN')];
  expect(order(translatedFirst(actions, [lan, wan], () => false))).toEqual(['LAN', 'WAN']);
});
