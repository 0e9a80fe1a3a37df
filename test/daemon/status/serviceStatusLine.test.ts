import { microseconds } from '../../../src/base/time.js';
import { serviceStatusLine } from '../../../src/daemon/status/serviceStatusLine.js';
import type { RolePicture } from '../../../src/vrrp/status/rolePicture.js';
import { sampleSync } from '../../support/daemon/statusSamples.js';

const roles = (...units: readonly (readonly [string, 'MASTER' | 'BACKUP'])[]): RolePicture => ({
  units: units.map(([name, state]) => ({ name, state, since: microseconds(0) })),
  instances: [],
});

test.each([
  ['a BACKUP without replication', roles(['A', 'BACKUP']), undefined, 'A BACKUP'],
  [
    'two units, and how replication stands',
    roles(['A', 'MASTER'], ['B', 'BACKUP']),
    { downBecause: undefined, status: sampleSync },
    `A MASTER, B BACKUP; sync ${sampleSync.state}`,
  ],
  [
    'a worker that has not reported yet',
    roles(['A', 'MASTER']),
    { downBecause: undefined, status: undefined },
    'A MASTER; sync starting',
  ],
  [
    'no instance, and a dead worker',
    roles(),
    { downBecause: 'exit 1', status: undefined },
    'no instance; sync down',
  ],
] as const)('%s', (_what, picture, engine, line) => {
  expect(serviceStatusLine(picture, engine)).toBe(line);
});

test('what a name contains does not reach the terminal as it is', () => {
  expect(serviceStatusLine(roles(['A\u001b[2J', 'BACKUP']), undefined)).not.toContain('\u001b');
});
