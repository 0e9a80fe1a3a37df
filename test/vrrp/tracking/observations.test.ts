import type { TrackReference } from '../../../src/vrrp/settings.js';
import { judgeTracking, type Observations } from '../../../src/vrrp/tracking/observations.js';
import { vrrpSettings } from '../../support/vrrp/routerHarness.js';
import { instanceSettings } from '../../support/vrrp/settings.js';

const nothing: Observations = {
  interfaces: new Map(),
  scripts: new Map(),
  files: new Map(),
  processes: new Map(),
};
const noTracking = { interfaces: [], scripts: [], files: [], processes: [] };
const reference = (weight: number, isReversed = false): TrackReference => ({
  name: 't',
  weight,
  isReversed,
});

describe('priority arithmetic', () => {
  const judge = (one: TrackReference, verdict: 'good' | 'bad'): unknown => {
    const instance = instanceSettings({ tracking: { ...noTracking, scripts: [one] } });
    const seen = { ...nothing, scripts: new Map([['t', verdict] as const]) };
    const { faults, contributions } = judgeTracking(
      vrrpSettings([instance]),
      instance,
      undefined,
      seen,
    );
    return faults.length > 0 ? 'fault' : contributions.map(({ value }) => value);
  };

  test.each([
    [20, false, 'good', [20]],
    [20, false, 'bad', [0]],
    [-20, false, 'good', [0]],
    [-20, false, 'bad', [-20]],
    [20, true, 'good', [0]],
    [20, true, 'bad', [20]],
    [-20, true, 'good', [-20]],
    [0, false, 'good', []],
    [0, false, 'bad', 'fault'],
    [0, true, 'good', 'fault'],
    [0, true, 'bad', []],
  ] as const)('weight %d, reverse %s, %s gives %j', (weight, isReversed, verdict, expected) => {
    expect(judge(reference(weight, isReversed), verdict)).toEqual(expected);
  });

  test.each([
    [1, 7, [7], false],
    [10, 30, [253], false],
    [-2, 127, undefined, true],
    [0, 1, undefined, true],
    [0, 0, [], false],
  ])('a file with weight %d saying %d', (weight, value, contributions, isFault) => {
    const instance = instanceSettings({ tracking: { ...noTracking, files: [reference(weight)] } });
    const file = { name: 't', path: '/f', weight: 1, isReversed: false };
    const settings = vrrpSettings([instance], { files: [file] });
    const seen = { ...nothing, files: new Map([['t', value]]) };
    const outcome = judgeTracking(settings, instance, undefined, seen);
    expect(outcome.faults.length > 0).toBe(isFault);
    if (contributions !== undefined) {
      expect(outcome.contributions.map((one) => one.value)).toEqual(contributions);
    }
  });

  test('in a group the weights of a member do not count unless sync_group_tracking_weight is on', () => {
    const instance = instanceSettings({ tracking: { ...noTracking, scripts: [reference(20)] } });
    const group = {
      name: 'G',
      members: ['A'],
      tracking: noTracking,
      trackingWeight: false,
      notify: { priorityChanges: false },
    };
    const seen = { ...nothing, scripts: new Map([['t', 'good'] as const]) };
    const settings = vrrpSettings([instance], { groups: [group] });
    const sum = (one: typeof group): unknown =>
      judgeTracking(settings, instance, one, seen).contributions;
    expect(sum(group)).toEqual([]);
    expect(sum({ ...group, trackingWeight: true })).toEqual([{ tracker: 'script t', value: 20 }]);
    const shared = { ...noTracking, scripts: [reference(30)] } as unknown as typeof noTracking;
    expect(sum({ ...group, trackingWeight: true, tracking: shared })).toEqual([
      { tracker: 'script t', value: 30 },
    ]);
  });
});

test('a script that is disabled is neither a fault nor awaited, whatever its weight', () => {
  for (const weight of [0, 20, -20]) {
    const tracking = { ...noTracking, scripts: [reference(weight)] };
    const instance = instanceSettings({ tracking });
    const seen = { ...nothing, scripts: new Map([['t', 'disabled'] as const]) };
    expect(judgeTracking(vrrpSettings([instance]), instance, undefined, seen)).toMatchObject({
      faults: [],
      awaiting: [],
      contributions: [],
    });
  }
});
