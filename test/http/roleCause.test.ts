/** Each sentence of the recorded VRRP lives has a kind of its own. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { roleCause, roleCauses } from '../../src/http/roleCause.js';

interface Line {
  readonly kind?: string;
  readonly to?: string;
  readonly because?: string;
}

const folder = join(__dirname, '../conformance/vrrp');

/** Role changes of the recorded cases, wherever they stand in a line. */
function changes(value: unknown): readonly Line[] {
  if (Array.isArray(value)) return value.flatMap(changes);
  if (typeof value !== 'object' || value === null) return [];
  const line: Line = value;
  const own =
    (line.kind === 'transition' || line.kind === 'roleChanged') && line.because !== undefined;
  return [...(own ? [line] : []), ...Object.values(value).flatMap(changes)];
}

const recorded = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.jsonl'))
  .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'))
  .filter((line) => line !== '')
  .flatMap((line) => changes(JSON.parse(line)));

test('no sentence of a recorded life is of no kind', () => {
  expect(recorded.length).toBeGreaterThan(100);
  const other = recorded.filter(({ because = '', to = '' }) => roleCause(because, to) === 'other');
  expect(other.map(({ because }) => because)).toEqual([]);
  const kinds = recorded.map(({ because = '', to = '' }) => roleCause(because, to));
  expect(kinds.filter((kind) => !roleCauses.includes(kind))).toEqual([]);
});

test.each([
  ['no advertisement from 10.0.0.2 in time', 'MASTER', 'silence'],
  ['LAN: no advertisement from fe80::1 in time', 'MASTER', 'silence'],
  ['10.0.0.2 gave up the role', 'MASTER', 'given-up'],
  ['preempts 10.0.0.2 of priority 50', 'MASTER', 'preemption'],
  ['10.0.0.2 has the higher priority 200, ours 100', 'BACKUP', 'stronger-master'],
  ['interface eth0 down', 'FAULT', 'fault'],
  ['follows LAN in group G1', 'FAULT', 'group'],
  ['maintenance', 'BACKUP', 'operator'],
  ['something new', 'BACKUP', 'other'],
])('%s -> %s is %s', (because, to, kind) => {
  expect(roleCause(because, to)).toBe(kind);
});
