import { seconds, microseconds, type Microseconds } from '../../../src/base/time.js';
import type { UnitAction } from '../../../src/vrrp/machine/actions.js';
import { advertOf } from '../../../src/vrrp/wire/advert.js';
import type { Conditions, UnitEvent } from '../../../src/vrrp/machine/events.js';
import { unitStep } from '../../../src/vrrp/machine/unit.js';
import { encodeAdvert } from '../../../src/vrrp/wire/packet.js';
import { toJsonLine } from '../../../src/vrrp/machine/recording.js';
import type { InstanceSettings } from '../../../src/vrrp/settings.js';
import { takeRolePicture } from '../../../src/vrrp/status/rolePicture.js';
import { initialUnit, type UnitSettings, type UnitState } from '../../../src/vrrp/machine/state.js';
import { instanceSettings, ip, unitSettings } from '../../support/vrrp/settings.js';

const healthy: Conditions = {
  faults: [],
  awaiting: [],
  contributions: [],
  sourceAddress: ip('10.0.0.5'),
};

/** Steps a unit and keeps what it did. */
class SteppedUnit {
  state: UnitState;
  settings: UnitSettings;
  actions: UnitAction[] = [];

  constructor(settings: UnitSettings) {
    this.settings = settings;
    this.state = initialUnit(settings, microseconds(0));
  }

  feed(event: UnitEvent): readonly UnitAction[] {
    const before = toJsonLine(this.state);
    deepFreeze(this.state);
    const step = unitStep(this.state, event, this.settings);
    expect(toJsonLine(this.state)).toBe(before);
    this.state = step.state;
    this.actions.push(...step.actions);
    return step.actions;
  }

  conditions(instance: string, at: Microseconds, conditions = healthy): readonly UnitAction[] {
    return this.feed({ kind: 'conditions', at, instance, conditions });
  }

  begin(): this {
    for (const { name } of this.settings.members) this.conditions(name, microseconds(0));
    this.feed({ kind: 'start', at: microseconds(0), resumeMaster: false });
    return this;
  }

  becomeMaster(): this {
    const at = seconds(10);
    for (const { name } of this.settings.members) {
      this.feed({ kind: 'timer', at, instance: name, timer: 'masterDown', due: at });
      this.feed({ kind: 'drained', at, instance: name });
    }
    return this;
  }

  states(): Readonly<Record<string, string>> {
    return Object.fromEntries(
      Object.values(this.state.members).map(({ name, state }) => [name, state]),
    );
  }
}

function deepFreeze(value: unknown): void {
  // Bytes cannot be frozen; toJsonLine compares them.
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return;
  Object.freeze(value);
  for (const each of Object.values(value)) deepFreeze(each);
}

const a = instanceSettings({ name: 'A' });
const b = instanceSettings({ name: 'B', virtualRouterId: 52 });
const c = instanceSettings({ name: 'C', virtualRouterId: 53 });

function datagram(settings: InstanceSettings, priority: number, at: Microseconds): UnitEvent {
  const source = ip('10.0.0.2');
  const destination = settings.multicastGroup;
  const payload = encodeAdvert(advertOf(settings, priority), { source, destination });
  const totalLength = 20 + payload.length;
  return {
    kind: 'datagram',
    at,
    instance: settings.name,
    datagram: { source, destination, ttl: 255, totalLength, payload },
  };
}

test('a step never changes the state it was given', () => {
  const unit = new SteppedUnit(unitSettings([a, b])).begin().becomeMaster();
  unit.feed(datagram(a, 50, seconds(11)));
  unit.feed(datagram(b, 200, seconds(12)));
  unit.feed({ kind: 'reload', at: seconds(13) });
  unit.feed({ kind: 'stop', at: seconds(14), because: 'STOP' });
  expect(unit.state.role).toBe('INIT');
});

describe('goodbye of a MASTER that crashed and did not resume', () => {
  const goodbye: UnitEvent = { kind: 'goodbye', at: seconds(1) };
  const adverts = (actions: readonly UnitAction[]): readonly unknown[] =>
    actions.flatMap((one) => (one.kind === 'sendAdvert' ? [[one.instance, one.priority]] : []));

  test('is priority 0 from each member, and changes no role', () => {
    const unit = new SteppedUnit(unitSettings([a, b])).begin();
    expect(adverts(unit.feed(goodbye))).toEqual([
      ['A', 0],
      ['B', 0],
    ]);
    expect(unit.states()).toEqual({ A: 'BACKUP', B: 'BACKUP' });
  });

  test('is not said in FAULT without a source, nor by a MASTER', () => {
    const unit = new SteppedUnit(unitSettings([a]));
    unit.conditions('A', microseconds(0), { ...healthy, sourceAddress: undefined });
    unit.feed({ kind: 'start', at: microseconds(0), resumeMaster: true });
    expect(unit.feed(goodbye)).toEqual([]);
    const master = new SteppedUnit(unitSettings([a])).begin().becomeMaster();
    expect(master.feed({ ...goodbye, at: seconds(11) })).toEqual([]);
  });

  test.each([
    ['a stronger', 200],
    ['a weaker', 50],
  ])('is not said once %s MASTER was heard, on whichever member', (_which, priority) => {
    const unit = new SteppedUnit(unitSettings([a, b])).begin();
    unit.feed(datagram(b, priority, seconds(0.5)));
    expect(unit.feed(goodbye)).toEqual([]);
  });
});

describe('in FAULT', () => {
  const broken = { ...healthy, faults: ['target WAN is unreachable'] };
  const inFault = (): SteppedUnit => {
    const unit = new SteppedUnit(unitSettings([a])).begin();
    unit.feed(datagram(a, 200, seconds(1)));
    unit.conditions('A', seconds(2), broken);
    return unit;
  };
  const seen = (unit: SteppedUnit): unknown => unit.state.members['A']?.masterInFault;

  test('who is MASTER is remembered, and nothing else happens', () => {
    const unit = inFault();
    expect(seen(unit)).toMatchObject({ priority: 200, lastHeard: seconds(1) });
    const { counters, problems } = unit.state.members['A']!;
    expect(unit.feed(datagram(a, 50, seconds(3)))).toEqual([]);
    expect(unit.state.members['A']).toMatchObject({ state: 'FAULT', counters, problems });
    expect(seen(unit)).toMatchObject({ priority: 50, lastHeard: seconds(3) });
    unit.conditions('A', seconds(4));
    expect([unit.states(), seen(unit)]).toEqual([{ A: 'BACKUP' }, undefined]);
  });

  test('neither junk nor a MASTER that leaves is somebody', () => {
    const unit = inFault();
    const junk = datagram(a, 60, seconds(3)) as Extract<UnitEvent, { kind: 'datagram' }>;
    unit.feed({ ...junk, datagram: { ...junk.datagram, ttl: 254 } });
    expect(seen(unit)).toMatchObject({ priority: 200 });
    unit.feed(datagram(a, 0, seconds(4)));
    expect(seen(unit)).toBeUndefined();
  });

  test('a MASTER that is silent for a master-down time is none', () => {
    const unit = inFault();
    const { settings, state } = unit;
    const heardAt = (at: Microseconds): unknown =>
      takeRolePicture([{ settings, state }], at).instances[0]?.masterInFault;
    expect(heardAt(seconds(4.6))).toMatchObject({ priority: 200 });
    expect(heardAt(seconds(4.7))).toBeUndefined();
  });
});

test('events before the start only gather conditions', () => {
  const unit = new SteppedUnit(unitSettings([a]));
  expect(unit.conditions('A', microseconds(0))).toEqual([]);
  expect(unit.feed(datagram(a, 200, seconds(1)))).toEqual([]);
  expect(unit.feed({ kind: 'reload', at: seconds(1) })).toEqual([]);
  expect(unit.states()).toEqual({ A: 'INIT' });
});

test('an instance whose conditions are unknown waits in INIT, without fault', () => {
  const unit = new SteppedUnit(unitSettings([a]));
  expect(unit.feed({ kind: 'start', at: microseconds(0), resumeMaster: false })).toEqual([]);
  unit.conditions('A', seconds(1));
  expect(unit.states()).toEqual({ A: 'BACKUP' });
});

test('the identification goes from 65535 to 1', () => {
  const unit = new SteppedUnit(unitSettings([a])).begin().becomeMaster();
  const member = unit.state.members['A']!;
  unit.state = { ...unit.state, members: { A: { ...member, nextIdentification: 65_535 } } };
  for (const second of [11, 12]) {
    const at = seconds(second);
    unit.feed({ kind: 'timer', at, instance: 'A', timer: 'advert', due: at });
  }
  const sent = unit.actions.filter((action) => action.kind === 'sendAdvert');
  expect(sent.map((action) => action.identification)).toEqual([1, 65_535, 1]);
});

describe('a reload that changes the members of a group', () => {
  test('lets a new member take part in the role of the others, once it is known', () => {
    const unit = new SteppedUnit(unitSettings([a, b])).begin().becomeMaster();
    unit.settings = unitSettings([a, b, c]);
    unit.feed({ kind: 'reload', at: seconds(11) });
    expect(unit.states()).toEqual({ A: 'MASTER', B: 'MASTER', C: 'INIT' });
    const actions = unit.conditions('C', seconds(12));
    expect(unit.states()).toEqual({ A: 'MASTER', B: 'MASTER', C: 'MASTER' });
    expect(actions.map(({ kind }) => kind)).toEqual([
      'sendAdvert',
      'transition',
      'startTimer',
      'addVips',
      'announce',
      'notify',
      'startTimer',
    ]);
  });

  test('lets a new member of a BACKUP group listen', () => {
    const unit = new SteppedUnit(unitSettings([a], { isGroup: true, name: 'G' })).begin();
    unit.settings = unitSettings([a, b]);
    unit.feed({ kind: 'reload', at: seconds(1) });
    unit.conditions('B', seconds(2));
    expect(unit.states()).toEqual({ A: 'BACKUP', B: 'BACKUP' });
    expect(unit.state.members['B']?.timers.masterDown).toBe(seconds(2) + 3_609_375);
  });

  test('takes the group to FAULT when the new member has a fault', () => {
    const unit = new SteppedUnit(unitSettings([a, b])).begin().becomeMaster();
    unit.settings = unitSettings([a, b, c]);
    unit.feed({ kind: 'reload', at: seconds(11) });
    unit.conditions('C', seconds(12), { ...healthy, faults: ['interface eth2 down'] });
    expect(unit.states()).toEqual({ A: 'FAULT', B: 'FAULT', C: 'FAULT' });
    expect(unit.state.because).toBe('C: interface eth2 down');
  });

  test('does not let a takeover wait for a member that is not known yet', () => {
    const unit = new SteppedUnit(unitSettings([a], { isGroup: true, name: 'G' })).begin();
    unit.settings = unitSettings([a, b]);
    unit.feed({ kind: 'reload', at: seconds(1) });
    const at = seconds(10);
    unit.feed({ kind: 'timer', at, instance: 'A', timer: 'masterDown', due: at });
    unit.feed({ kind: 'drained', at, instance: 'A' });
    expect(unit.states()).toEqual({ A: 'MASTER', B: 'INIT' });
  });

  test('stops the member that is taken out, and leaves the others alone', () => {
    const unit = new SteppedUnit(unitSettings([a, b])).begin().becomeMaster();
    const actions = unit.feed({ kind: 'removeMember', at: seconds(11), instance: 'B' });
    expect(actions).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ kind: 'sendAdvert', instance: 'B', priority: 0 }),
        { kind: 'removeVips', instance: 'B' },
        expect.objectContaining({ kind: 'notify', instance: 'B', state: 'DELETED' }),
      ]),
    );
    unit.settings = unitSettings([a], { isGroup: true, name: 'G' });
    unit.feed({ kind: 'reload', at: seconds(11) });
    expect(unit.states()).toEqual({ A: 'MASTER' });
  });

  test('brings the group back when the member with the fault is taken out', () => {
    const unit = new SteppedUnit(unitSettings([a, b])).begin();
    unit.conditions('B', seconds(1), { ...healthy, faults: ['interface eth1 down'] });
    unit.feed({ kind: 'removeMember', at: seconds(2), instance: 'B' });
    unit.settings = unitSettings([a], { isGroup: true, name: 'G' });
    unit.feed({ kind: 'reload', at: seconds(2) });
    expect(unit.states()).toEqual({ A: 'BACKUP' });
  });
});
