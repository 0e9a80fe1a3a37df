import { seconds } from '../../../src/base/time.js';
import { counterpart, roleOf } from '../../../src/daemon/status/peerRole.js';
import type { NodeRoles, UnitRole } from '../../../src/sync/wire/peerRoles.js';

const unit = (name: string, vrid: number): UnitRole => ({
  ...{ name, vrid, state: 'BACKUP', since: seconds(1), priority: 100 },
});
const peer = (more: Partial<NodeRoles>, ...units: UnitRole[]): NodeRoles => ({ units, ...more });
const own = { name: 'G', vrid: 51, isBound: false };

describe('the counterpart of a unit', () => {
  test('is the one of its name, else the only one of its number', () => {
    expect(counterpart(own, peer({}, unit('X', 51), unit('G', 60)))?.vrid).toBe(60);
    expect(counterpart(own, peer({}, unit('X', 51), unit('Y', 60)))?.name).toBe('X');
    expect(counterpart(own, peer({}, unit('X', 51), unit('Y', 51)))).toBeUndefined();
    expect(counterpart(own, undefined)).toBeUndefined();
  });

  test('of the bound one is the bound one, whatever they are called', () => {
    const roles = peer({ bound: 'Y' }, unit('G', 51), unit('Y', 60));
    expect(counterpart({ ...own, isBound: true }, roles)?.name).toBe('Y');
    expect(counterpart(own, roles)?.name).toBe('G');
  });
});

test('the role of a peer as a whole is that of its bound unit, or of its only one', () => {
  expect(roleOf(peer({ bound: 'Y' }, unit('G', 51), unit('Y', 60)))?.name).toBe('Y');
  expect(roleOf(peer({}, unit('G', 51)))?.name).toBe('G');
  expect(roleOf(peer({}, unit('G', 51), unit('Y', 60)))).toBeUndefined();
  expect(roleOf(peer({ more: 3 }, unit('G', 51)))).toBeUndefined();
  expect(roleOf(undefined)).toBeUndefined();
});
