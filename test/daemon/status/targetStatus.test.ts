/** Targets in `status`, and as problems. */
import { microseconds, milliseconds, seconds } from '../../../src/base/time.js';
import { targetsText } from '../../../src/cli/targetText.js';
import {
  targetProblems,
  targetsStatus,
  type ShownTargets,
} from '../../../src/daemon/status/targetStatus.js';
import type { Standing } from '../../../src/vrrp/reach/comparison.js';
import type { AddressFigures } from '../../../src/vrrp/reach/reachWords.js';
import type { TrackTargetSettings } from '../../../src/vrrp/settings.js';
import { ip } from '../../support/vrrp/settings.js';

const wallClock = microseconds(1_800_000_000_000_000);
const settings: TrackTargetSettings = {
  ...{ name: 'WAN', addresses: [{ kind: 'icmp', address: ip('198.51.100.1') }], required: 1 },
  ...{ interval: seconds(1), timeout: seconds(1), rise: 10, fall: 5, size: 56 },
  ...{ weight: 0, isReversed: false },
};
const own: AddressFigures & { readonly refusal?: string } = {
  ...{ address: 'icmp 198.51.100.1', state: 'bad', age: seconds(9), answered: 45, lost: 15 },
  roundTrip: { last: milliseconds(2), median: milliseconds(3), worst: milliseconds(40) },
};

function shown(standing: Standing, figures = own, counts = false): ShownTargets {
  const peer = { ...own, state: 'good', lost: 0 } as const;
  return {
    icmpSocket: 'raw-socket',
    counters: { junk: 1, duplicates: 2, late: 3, floods: 4 },
    targets: [
      {
        settings,
        comparison: { counts, standing },
        peerWord: {
          ...{ name: 'WAN', state: 'good', age: seconds(99), question: 0 },
          addresses: [peer],
        },
        figures: () => [figures],
      },
    ],
  };
}

test('nothing is shown where nothing is tracked', () => {
  expect(targetsStatus(undefined, seconds(1), wallClock)).toBeUndefined();
  const none = { ...shown('reached'), targets: [] };
  expect(targetsStatus(none, seconds(1), wallClock)).toBeUndefined();
});

test('both nodes side by side, in milliseconds and percent', () => {
  const status = targetsStatus(shown('lost-here-only', own, true), seconds(1), wallClock);
  const rtt = { last: 2, median: 3, worst: 40 };
  expect(status).toMatchObject({
    ...{ icmpSocket: 'raw-socket', junk: 1, duplicates: 2, late: 3, floods: 4 },
    list: [
      {
        ...{ name: 'WAN', standing: 'lost-here-only', counts: true },
        text: 'target WAN is unreachable from this node only',
        addresses: [{ state: 'bad', since: '2027-01-15T07:59:51.000Z', rtt, lossPercent: 25 }],
        peer: { state: 'good', addresses: [{ state: 'good', lossPercent: 0 }] },
      },
    ],
  });
  if (status === undefined) throw new Error('no status');
  const text = targetsText(status, wallClock / 1_000, { colours: false, columns: 200 } as never);
  expect(text.split('\n')).toEqual([
    expect.stringMatching(/^TARGET +ASKED +HERE +SINCE +RTT ms \(median, worst\) +LOSS +PEER /),
    expect.stringMatching(
      /^WAN +icmp 198\.51\.100\.1 +LOST +9\.0 s +2\.0 \(3\.0, 40\.0\) +25 % +answers .* 0 %/,
    ),
    '  target WAN is unreachable from this node only: it counts',
    '  ICMP by raw-socket: 1 strange, 2 double, 3 late answers, 4 floods',
  ]);
});

test.each([
  ['reached', undefined],
  ['held', undefined],
  ['unknown', undefined],
  ['lost', 'target-lost'],
  ['lost-here-only', 'target-lost'],
  ['peer-not-heard-yet', 'target-lost'],
  ['peer-silent', 'target-peer-silent'],
  ['peer-cannot-serve', 'target-lost'],
  ['lost-by-both', 'target-lost-by-both'],
  ['peer-unable', 'target-peer-unable'],
  ['unable', 'target-unable'],
] as const)('a target that is %s is the problem %s', (standing, code) => {
  const problems = targetProblems(targetsStatus(shown(standing), seconds(1), wallClock));
  expect(problems.map((one) => one.code)).toEqual(code === undefined ? [] : [code]);
});

test('a refusal brings its remedy, a flood is a problem of its own', () => {
  const refused = { ...own, state: 'unable', refusal: 'no route to it: ip route add' } as const;
  const [unable] = targetProblems(targetsStatus(shown('unable', refused), seconds(1), wallClock));
  expect(unable?.text).toBe('target WAN cannot be asked: no route to it: ip route add');
  const blind = { ...own, state: 'blind' } as const;
  const [flooded] = targetProblems(targetsStatus(shown('reached', blind), seconds(1), wallClock));
  expect(flooded?.code).toBe('target-blind');
});
