import { BoundaryError } from '../../../src/base/errors.js';
import { microseconds, seconds } from '../../../src/base/time.js';
import type { UnitAction } from '../../../src/vrrp/machine/actions.js';
import type { UnitEvent } from '../../../src/vrrp/machine/events.js';
import {
  fromJsonLine,
  parseRecordedLine,
  replay,
  toJsonLine,
} from '../../../src/vrrp/machine/recording.js';
import { liveOnce } from '../../support/vrrp/lan.js';
import { instanceSettings, ip, password, unitSettings } from '../../support/vrrp/settings.js';

const event: UnitEvent = {
  kind: 'datagram',
  at: microseconds(1_234_567),
  instance: 'A',
  datagram: {
    source: ip('10.0.0.2'),
    destination: ip('224.0.0.18'),
    ttl: 255,
    totalLength: 40,
    payload: Uint8Array.from([0x21, 51, 100, 0, 0, 1, 0xde, 0xad]),
  },
};

test('an event becomes one line with addresses and bytes in readable form', () => {
  const line = toJsonLine({ unit: 'G', event });
  expect(line).not.toContain('\n');
  expect(JSON.parse(line)).toEqual({
    unit: 'G',
    event: {
      kind: 'datagram',
      at: 1_234_567,
      instance: 'A',
      datagram: {
        source: { ip: '10.0.0.2' },
        destination: { ip: '224.0.0.18' },
        ttl: 255,
        totalLength: 40,
        payload: { hex: '213364000001dead' },
      },
    },
  });
});

test('lines survive writing and reading', () => {
  const settings = unitSettings([instanceSettings({ authentication: password('1111') })]);
  for (const line of [
    { unit: 'G', event },
    { unit: 'A', at: microseconds(5), settings },
    { unit: 'A', newSettings: settings },
  ]) {
    expect(parseRecordedLine(toJsonLine(line))).toEqual(line);
  }
});

test.each([
  ['no JSON', '{'],
  ['no unit', '{"event":{"kind":"start","at":1}}'],
  ['neither event nor settings', '{"unit":"A"}'],
  ['an event without time', '{"unit":"A","event":{"kind":"start"}}'],
  ['an event that this version does not know', '{"unit":"A","event":{"kind":"x","at":1}}'],
  ['settings without members', '{"unit":"A","at":0,"settings":{}}'],
  ['a malformed address', '{"unit":"A","event":{"kind":"x","at":1,"y":{"ip":"10.0.0.256"}}}'],
  ['malformed bytes', '{"unit":"A","event":{"kind":"x","at":1,"y":{"hex":"0"}}}'],
])('%s is an error at the boundary', (_name, text) => {
  expect(() => parseRecordedLine(text)).toThrow(BoundaryError);
});

test('an event before the settings of its unit is an error at the boundary', () => {
  expect(() => [...replay([toJsonLine({ unit: 'A', event })])]).toThrow(BoundaryError);
});

test('a replayed life takes the same turns as the recorded one', () => {
  const lines: string[] = [];
  const report = liveOnce(17, (line) => lines.push(line));
  const transitions: UnitAction[] = [];
  let steps = 0;
  for (const { actions } of replay(lines)) {
    steps += 1;
    transitions.push(...actions.filter(({ kind }) => kind === 'transition'));
  }
  expect(steps).toBe(report.steps);
  expect(transitions).toHaveLength(report.transitions);
  expect(transitions.length).toBeGreaterThan(2);
});

test('new settings count from the reload on, and the life goes on', () => {
  const before = unitSettings([instanceSettings()]);
  const after = unitSettings([instanceSettings({ priority: 200 })]);
  const conditions = {
    faults: [],
    awaiting: [],
    contributions: [],
    sourceAddress: ip('10.0.0.5'),
  };
  const events: readonly object[] = [
    { unit: 'A', at: 0, settings: before },
    { unit: 'A', event: { kind: 'conditions', at: 0, instance: 'A', conditions } },
    { unit: 'A', event: { kind: 'start', at: 0, resumeMaster: false } },
    { unit: 'A', newSettings: after },
    { unit: 'A', event: { kind: 'reload', at: seconds(1) } },
  ];
  const last = [...replay(events.map(toJsonLine))].at(-1);
  expect(last?.state.members['A']).toMatchObject({ state: 'BACKUP', effectivePriority: 200 });
});

test('values without addresses and bytes stay as they are', () => {
  const value = { a: [1, 'x', true, null], b: { ip: 'x', hex: 'y' } };
  expect(fromJsonLine(toJsonLine(value))).toEqual(value);
});
