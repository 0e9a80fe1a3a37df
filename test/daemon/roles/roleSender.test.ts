import { seconds } from '../../../src/base/time.js';
import { rolesOf, RoleSender } from '../../../src/daemon/roles/roleSender.js';
import type { SyncCommand } from '../../../src/sync/messages.js';
import type { RolePicture } from '../../../src/vrrp/status/rolePicture.js';

const instance = (unit: string, vrid: number, effectivePriority: number) => ({
  ...{ unit, vrid, effectivePriority },
  ...{ lastAdvertSent: undefined, masterHeard: undefined, master: undefined },
});
const picture: RolePicture = {
  units: [
    { name: 'LONE', state: 'FAULT', since: seconds(3) },
    { name: 'G', state: 'MASTER', since: seconds(5) },
  ],
  instances: [instance('LONE', 7, 90), instance('G', 52, 100), instance('G', 51, 150)],
};

test('a unit is told with the number and priority of its lowest member, the bound one first', () => {
  expect(rolesOf(picture, 'G')).toEqual({
    bound: 'G',
    units: [
      { name: 'G', vrid: 51, state: 'MASTER', since: seconds(5), priority: 150 },
      { name: 'LONE', vrid: 7, state: 'FAULT', since: seconds(3), priority: 90 },
    ],
  });
});

test('of very many units some are told and the rest is counted', () => {
  const units = Array.from({ length: 500 }, (_unused, i) => ({
    ...{ name: `U${i}`, state: 'BACKUP' as const, since: seconds(1) },
  }));
  const roles = rolesOf({ units, instances: [] }, 'U499');
  expect(roles.more).toBe(468);
  expect(roles.units.map(({ name }) => name).slice(0, 2)).toEqual(['U499', 'U0']);
});

test('only news are told; another worker is told again', () => {
  const posted: SyncCommand[] = [];
  const teller = new RoleSender((command) => posted.push(command));
  teller.send(picture, undefined);
  teller.send(picture, undefined);
  expect(posted).toHaveLength(1);
  teller.forget();
  teller.send(picture, undefined);
  expect(posted).toHaveLength(2);
});
