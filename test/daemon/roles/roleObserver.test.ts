/** What becomes of the router's news: history for all units, the coordinator for the bound one. */
import { microseconds } from '../../../src/base/time.js';
import type { CoordinatorInput } from '../../../src/coordinator/runner.js';
import { Afterwards, roleObserver } from '../../../src/daemon/roles/roleObserver.js';
import type { RoleRecorder } from '../../../src/daemon/roles/roleRecorder.js';
import type { RouterObserver } from '../../../src/vrrp/routerPorts.js';
import { ManualTime } from '../../support/base/manualTime.js';
import { ip } from '../../support/vrrp/settings.js';

let log: string[];
let events: CoordinatorInput[];
let observer: RouterObserver;

beforeEach(() => {
  log = [];
  events = [];
  const recorder: Pick<RoleRecorder, 'transition' | 'roleChanged' | 'split'> = {
    transition: ({ instance, to }) => void log.push(`transition ${instance} ${to}`),
    roleChanged: ({ unit, to }) => void log.push(`role ${unit} ${to}`),
    split: (unit, because) => void log.push(`split ${unit}: ${because}`),
  };
  observer = roleObserver({
    recorder: recorder as RoleRecorder,
    isGroup: (unit) => unit === 'G',
    isBound: (unit) => unit === 'G',
    membersOf: () => ['A', 'B'],
    sendToCoordinator: (event) => void events.push(event),
    afterwards: { add: (work) => work() },
    beforeVipsGo: () => void log.push('VIPs go'),
    afterRoleChange: () => void log.push('look'),
  });
});

const change = (unit: string, to: 'MASTER' | 'BACKUP') => ({
  ...{ unit, from: 'INIT' as const, to, because: 'a test', epoch: 7 },
  ...{ vipsWait: true, isResumed: false },
});
const kinds = (): string[] => events.map(({ kind }) => kind);

test('a role change is recorded and looked at; that of the bound unit is an event', () => {
  observer.roleChanged(change('other', 'MASTER'));
  expect(kinds()).toEqual([]);
  observer.roleChanged(change('G', 'MASTER'));
  expect(events).toEqual([expect.objectContaining({ kind: 'roleChanged', unitEpoch: 7 })]);
  expect(log).toEqual(['role other MASTER', 'look', 'role G MASTER', 'look']);
});

test('VIPs are up when those of all members are, and anew after the role was away', () => {
  observer.roleChanged(change('G', 'MASTER'));
  observer.vipsPresent('G', 'A');
  observer.vipsPresent('other', 'B');
  expect(kinds()).toEqual(['roleChanged']);
  observer.vipsPresent('G', 'B');
  expect(kinds()).toEqual(['roleChanged', 'vipsUp']);
  observer.roleChanged(change('G', 'BACKUP'));
  observer.roleChanged(change('G', 'MASTER'));
  expect(kinds().slice(2)).toEqual(['roleChanged', 'roleChanged']);
});

test('VIPs that waited for nothing are told of right after the role', () => {
  observer.vipsPresent('G', 'A');
  observer.vipsPresent('G', 'B');
  observer.roleChanged(change('G', 'MASTER'));
  expect(kinds()).toEqual(['vipsUp', 'roleChanged', 'vipsUp']);
});

test('an instance that leaves MASTER says so while its VIPs are still there', () => {
  const times = { at: microseconds(1), wallClock: microseconds(2) };
  const transition = { unit: 'G', instance: 'A', because: 'a test', ...times } as const;
  observer.transition({ ...transition, from: 'BACKUP', to: 'MASTER' });
  observer.transition({ ...transition, from: 'MASTER', to: 'FAULT' });
  expect(log).toEqual(['transition A MASTER', 'VIPs go', 'transition A FAULT']);
});

test('another MASTER is an event of the bound unit, of others a split in the history', () => {
  const seen = { instance: 'A', from: ip('10.0.0.2'), priority: 50 };
  observer.otherMasterSeen({ ...seen, unit: 'G' });
  observer.otherMasterSeen({ ...seen, unit: 'other' });
  const because = '10.0.0.2 was MASTER too, with priority 50';
  expect(events).toEqual([{ kind: 'otherMasterSeen', because, address: '10.0.0.2' }]);
  expect(log).toEqual([`split other: ${because}`]);
});

test('what is kept waits for the next turn, in order; a stop does it at once', async () => {
  const time = new ManualTime();
  const afterwards = new Afterwards(time);
  afterwards.add(() => {
    log.push('first');
    afterwards.add(() => log.push('third'));
  });
  afterwards.add(() => log.push('second'));
  expect(log).toEqual([]);
  await time.advance(microseconds(1));
  expect(log).toEqual(['first', 'second', 'third']);
  afterwards.add(() => log.push('fourth'));
  afterwards.flush();
  expect(log.at(-1)).toBe('fourth');
  await time.advance(microseconds(1));
  expect(log).toHaveLength(4);
});
