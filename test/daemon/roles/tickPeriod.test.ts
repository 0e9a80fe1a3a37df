import { samplePeriodOf, tickPeriodOf } from '../../../src/daemon/roles/tickPeriod.js';
import type { RolePicture } from '../../../src/vrrp/status/rolePicture.js';

const picture = (count: number): RolePicture => ({
  units: [],
  instances: Array.from({ length: count }, () => ({
    ...{ unit: 'G', vrid: 1, effectivePriority: 100, lastAdvertSent: undefined },
    ...{ masterHeard: undefined, master: undefined },
  })),
});

test.each([
  [50, false, 250_000, 1_000_000],
  [51, false, 1_000_000, 5_000_000],
  [50, true, 5_000, 1_000_000],
  [51, true, 5_000, 5_000_000],
])(
  '%i instances, a hand-over awaited: %s: a tick each %i us, problems each %i us',
  (count, isAwaited, tick, sample) => {
    expect(tickPeriodOf(picture(count), isAwaited)).toBe(tick);
    expect(samplePeriodOf(picture(count))).toBe(sample);
  },
);
