import { seconds } from '../../src/base/time.js';
import type { HeardMaster, InstanceState } from '../../src/vrrp/machine/state.js';
import { initialInstance, initialUnit } from '../../src/vrrp/machine/state.js';
import { masterSilence } from '../../src/vrrp/unitNews.js';
import { instanceSettings, ip, unitSettings } from '../support/vrrp/settings.js';

const heard = (at: number, priority = 150): HeardMaster => ({
  address: ip('10.0.0.2'),
  priority,
  lastHeard: seconds(at),
});

function silenceOf(...members: readonly Partial<InstanceState>[]): number | undefined {
  const settings = members.map((_, i) => instanceSettings({ name: `I${i}` }));
  const unit = initialUnit(unitSettings(settings), seconds(0));
  const states = settings.map((each, i) => [
    each.name,
    { ...initialInstance(each, seconds(0)), ...members[i] },
  ]);
  const before = { ...unit, members: Object.fromEntries(states) as typeof unit.members };
  return masterSilence(before, seconds(10));
}

test.each([
  ['the last advert of any member counts', [{ master: heard(6) }, { master: heard(7) }], 3],
  ['a member that heard nobody says nothing', [{}, { master: heard(6) }], 4],
  ['nobody was heard', [{}, {}], undefined],
  ['the other gave the role up', [{ master: heard(9, 0) }, { master: heard(8) }], undefined],
  ['a weaker one is replaced', [{ weakerMaster: heard(9) }, { master: heard(8) }], undefined],
] as const)('%s', (_name, members, expected) => {
  expect(silenceOf(...members)).toBe(expected === undefined ? undefined : seconds(expected));
});
