/** What VRRP shows of other routers, as events of the coordinator. */
import { microseconds, seconds } from '../../../src/base/time.js';
import type { CoordinatorInput, CoordinatorRunner } from '../../../src/coordinator/runner.js';
import { initialCoordinator, type CoordinatorState } from '../../../src/coordinator/vocabulary.js';
import { VrrpWitness } from '../../../src/daemon/roles/vrrpWitness.js';
import type { RolePicture } from '../../../src/vrrp/status/rolePicture.js';
import { ip } from '../../support/vrrp/settings.js';

const now = seconds(100);
const heard = (unit: string, priority: number, ago = 0): RolePicture['instances'][number] => ({
  ...{ unit, vrid: 51, effectivePriority: 100, lastAdvertSent: undefined, masterHeard: undefined },
  master: { address: ip('10.0.0.2'), priority, lastHeard: microseconds(now - ago) },
});

function witness(
  state: Partial<CoordinatorState>,
  ...instances: RolePicture['instances'][number][]
) {
  const events: CoordinatorInput[] = [];
  const coordinator: Pick<CoordinatorRunner, 'state' | 'input'> = {
    state: { ...initialCoordinator, role: 'BACKUP', ...state },
    input: (event) => void events.push(event),
  };
  const roles: RolePicture = { units: [], instances };
  const looking = new VrrpWitness({
    coordinator: () => coordinator as CoordinatorRunner,
    clock: { now: () => now, wallClock: () => now },
    roles: () => roles,
    bound: () => 'G',
  });
  looking.look(roles);
  return { events, looking };
}

const granted = { ...initialCoordinator.evidence, granted: now };
const known = { ...initialCoordinator.evidence, advertisers: ['10.0.0.2'] };

test('whose adverts the bound unit accepts is an event, once, and not while MASTER', () => {
  const event = { kind: 'advertiser', address: '10.0.0.2' };
  expect(witness({}, heard('G', 150)).events).toEqual([event]);
  expect(witness({ evidence: known }, heard('G', 150)).events).toEqual([]);
  expect(witness({}, heard('other', 150)).events).toEqual([]);
  expect(witness({ role: 'MASTER' }, heard('G', 150)).events).toEqual([]);
});

test('priority 0 of the MASTER counts for a second, and is an event where a peer said it resigned', () => {
  const resigned = { kind: 'masterResigned' };
  expect(witness({ evidence: granted }, heard('G', 0)).events).toContainEqual(resigned);
  expect(witness({ evidence: granted }, heard('G', 0, 1_000_001)).events).not.toContainEqual(
    resigned,
  );
  expect(witness({ evidence: granted }, heard('G', 150)).events).not.toContainEqual(resigned);
  expect(witness({}, heard('G', 0)).events).not.toContainEqual(resigned);
});

test('a resignation is looked for at a faster pace only while it is awaited', () => {
  expect(witness({ evidence: granted }).looking.isAwaited).toBe(true);
  expect(witness({}).looking.isAwaited).toBe(false);
  const long = { ...initialCoordinator.evidence, granted: microseconds(now - 1_000_001) };
  expect(witness({ evidence: long }).looking.isAwaited).toBe(false);
});
