import { groupOf, leavingMembers, successorOf, unitsOf } from '../../../src/vrrp/machine/units.js';
import type { InstanceSettings, SyncGroupSettings } from '../../../src/vrrp/settings.js';
import { vrrpSettings } from '../../support/vrrp/routerHarness.js';
import { instanceSettings, ip } from '../../support/vrrp/settings.js';

const numbered = (name: string, virtualRouterId: number): InstanceSettings =>
  instanceSettings({ name, virtualRouterId });
const [a, b, c] = [numbered('A', 51), numbered('B', 52), numbered('C', 53)] as const;

const group = (name: string, ...members: string[]): SyncGroupSettings => ({
  name,
  members,
  tracking: { interfaces: [], scripts: [], files: [], processes: [] },
  trackingWeight: false,
  notify: { priorityChanges: false },
});
const names = (...groups: SyncGroupSettings[]): unknown =>
  unitsOf(vrrpSettings([a, b, c], { groups }), new Map()).map(({ name, isGroup, members }) => [
    name,
    isGroup,
    members.map((member) => member.name),
  ]);

test('groups come first, then lone instances; each instance belongs to one unit', () => {
  expect(names()).toEqual([
    ['A', false, ['A']],
    ['B', false, ['B']],
    ['C', false, ['C']],
  ]);
  expect(names(group('G', 'C', 'A'), group('H', 'A', 'B'))).toEqual([
    ['G', true, ['C', 'A']],
    ['H', true, ['B']],
  ]);
});

test('a group whose members do not exist is no unit', () => {
  expect(names(group('G', 'X'))).toHaveLength(3);
});

test('what a unit asks of the coordinator is its binding, and nothing without one', () => {
  const binding = { commitBeforeVip: true, commitBeforePreempt: false };
  const [first, second] = unitsOf(vrrpSettings([a, b]), new Map([['A', binding]]));
  expect(first).toMatchObject(binding);
  expect(second).toMatchObject({ commitBeforeVip: false, commitBeforePreempt: false });
});

test('the group of an instance', () => {
  const settings = vrrpSettings([a, b], { groups: [group('G', 'A')] });
  expect(groupOf(settings, 'A')?.name).toBe('G');
  expect(groupOf(settings, 'B')).toBeUndefined();
});

describe('after a reload a unit', () => {
  const unitOf = (...members: InstanceSettings[]) =>
    unitsOf(vrrpSettings(members, { groups: [group('G', 'A', 'B')] }), new Map());
  const [before] = unitOf(a, b);
  if (before === undefined) throw new Error('no unit');

  test('goes on with other members, whose names are known', () => {
    const after = successorOf(before, unitOf(a));
    expect(after?.members.map(({ name }) => name)).toEqual(['A']);
    if (after !== undefined) expect(leavingMembers(before, after)).toEqual(['B']);
  });

  test.each([
    ['another interface', { interfaceName: 'eth9' }],
    ['another number', { virtualRouterId: 99 }],
    ['unicast in place of multicast', { unicastPeers: [{ address: ip('10.0.0.2') }] }],
  ])('ends where a member has %s: that is another virtual router', (_what, change) => {
    const changed = instanceSettings({ name: 'A', ...change });
    expect(successorOf(before, unitOf(changed, b))).toBeUndefined();
  });

  test('ends where its name is now that of a lone instance', () => {
    const lone = instanceSettings({ name: 'G' });
    expect(successorOf(before, unitsOf(vrrpSettings([lone]), new Map()))).toBeUndefined();
  });
});
