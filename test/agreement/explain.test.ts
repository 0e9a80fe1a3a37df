/** `explain`: what the machine would do, said before it has to. */
import { milliseconds } from '../../src/base/time.js';
import { explain } from '../../src/agreement/explain.js';
import type { AgreementSettings } from '../../src/agreement/settings.js';
import {
  AgreementLife,
  beginnings,
  type WrittenEvent,
} from '../support/agreement/agreementConformance.js';

function lines(
  beginning: string,
  then: readonly WrittenEvent[] = [],
  settings: Partial<AgreementSettings> = {},
): readonly string[] {
  const life = new AgreementLife(settings);
  for (const event of [...(beginnings[beginning] ?? []), ...then]) life.feed(event);
  const before = life.state;
  const found = explain(life.state, milliseconds(1_000), life.settings);
  expect(life.state).toBe(before);
  return found.map(({ goes, then: follows }) => `${goes}: ${follows}`);
}

test('a BACKUP beside its MASTER', () => {
  expect(lines('backup')).toMatchInlineSnapshot(`
    [
      "the power of A: this node takes the role",
      "the process of A: VRRP's time counts, 3600 ms",
      "A from lan: this node takes the role after 1 s; named split",
      "this node from lan: the role stays; named split",
      "A from wan: this node takes the role after 1 s; named split",
      "this node from wan: the role stays; named split",
      "sync to A: the role stays; named split",
      "all paths to A: VRRP's time counts, 3600 ms",
    ]
  `);
});

test('a MASTER beside its BACKUP', () => {
  expect(lines('master')).toMatchInlineSnapshot(`
    [
      "the power of A: the role stays; named no-standby",
      "the process of A: the role stays; named no-standby",
      "A from lan: the role stays; named split",
      "this node from lan: this node hands the role over; named split",
      "A from wan: the role stays; named split",
      "this node from wan: this node hands the role over; named split",
      "sync to A: the role stays; named split",
      "all paths to A: the role stays; named no-standby",
      "a member of this node: this node gives the role away: a member failed and the peer can serve",
    ]
  `);
});

test('a BACKUP in maintenance', () => {
  const maintenance = { kind: 'maintenance', isOn: true };
  expect(lines('backup', [maintenance])).toMatchInlineSnapshot(`
    [
      "the power of A: nobody serves; named no-master",
      "the process of A: nobody serves; named no-master",
      "A from lan: the role stays; named split",
      "this node from lan: the role stays; named split",
      "A from wan: the role stays; named split",
      "this node from wan: the role stays; named split",
      "sync to A: the role stays; named split",
      "all paths to A: nobody serves; named no-master",
    ]
  `);
});

test('a BACKUP with an arbiter', () => {
  expect(lines('backup', [], { arbiter: 'default' })).toMatchInlineSnapshot(`
    [
      "the power of A: the arbiter is asked for the role",
      "the process of A: VRRP's time counts, 3600 ms",
      "A from lan: this node takes the role after 1 s; named split",
      "this node from lan: the role stays; named split",
      "A from wan: this node takes the role after 1 s; named split",
      "this node from wan: the role stays; named split",
      "sync to A: the role stays; named split",
      "all paths to A: VRRP's time counts, 3600 ms",
      "the arbiter: the role stays",
    ]
  `);
});

test('a MASTER that needs the lease', () => {
  expect(lines('master', [], { arbiter: 'required' })).toMatchInlineSnapshot(`
    [
      "the power of A: the role stays; named no-standby",
      "the process of A: the role stays; named no-standby",
      "A from lan: the role stays; named split",
      "this node from lan: this node hands the role over; named split",
      "A from wan: the role stays; named split",
      "this node from wan: this node hands the role over; named split",
      "sync to A: the role stays; named split",
      "all paths to A: the role stays; named no-standby",
      "a member of this node: this node gives the role away: a member failed and the peer can serve",
      "the arbiter: the role stays",
    ]
  `);
});

test('a MASTER whose peer ended in order', () => {
  const ended = { kind: 'statement', peer: 'A', hasEnded: true };
  expect(lines('master', [ended])).toMatchInlineSnapshot(`
    [
      "A: it is not heard: VRRP's rules alone",
      "a member of this node: this node stays MASTER without it; named last-resort",
    ]
  `);
});
