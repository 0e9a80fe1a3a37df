/** The agreement machine, held against its conformance cases (test/conformance/agreement). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { agreementStep } from '../../src/agreement/machine.js';
import {
  AgreementLife,
  eventsOf,
  readAgreementCases,
  renderAgreementCase,
} from '../support/agreement/agreementConformance.js';
import { agreementSettings } from '../support/agreement/settings.js';

const cases = readAgreementCases();

test.each(cases.map(({ name, text }) => [name, text] as const))('%s', (_name, text) => {
  expect(renderAgreementCase(text)).toBe(text);
});

test('there are at least 110 cases, each with a title of its own and a rule that is written down', () => {
  expect(cases.length).toBeGreaterThanOrEqual(110);
  expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
  const page = readFileSync(join(__dirname, '../../docs/decisions/agreement.md'), 'utf8');
  const written = [...page.matchAll(/^(\d)\. \*\*/gm)].map(([, rule]) => rule);
  const cited = [...new Set(cases.map(({ rule }) => rule.split(':')[0]))].sort();
  expect(cited).toEqual(written);
});

test('each kind of event and each timer comes in a case', () => {
  const kinds = new Set<string>();
  for (const { text } of cases) {
    for (const [, event] of eventsOf(text)) {
      kinds.add(event.kind === 'timer' ? `timer ${event.timer}` : event.kind);
    }
  }
  const timers = [
    ...['turn', 'force', 'deadline', 'again', 'listen', 'moveHold', 'rise', 'forgive', 'loop'],
    ...['lastResort', 'succession', 'lease', 'leaseGrace', 'damped'],
  ];
  const others = [
    ...['paths', 'loss', 'allSilent', 'statement', 'peerLoopStandsStill', 'ownLoopStoodStill'],
    ...['pathsRead', 'strangerHeard', 'role', 'facts', 'faultImminent', 'takeWanted'],
    ...['maintenance', 'probed', 'arbiterAnswer', 'lease'],
  ];
  expect([...kinds].sort()).toEqual([...timers.map((timer) => `timer ${timer}`), ...others].sort());
});

test('a line of the history has paths, limits and evidence of both nodes', () => {
  const life = new AgreementLife();
  const [own, theirs] = [3, 0].map((answered) => ({
    lan: { answered, hasCarrier: true, hasTargets: true },
  }));
  const first = { kind: 'statement', peer: 'A', says: { role: 'MASTER', held: 1, reach: theirs } };
  for (const event of [
    { kind: 'role', role: 'BACKUP' },
    first,
    { kind: 'paths', peer: 'A', states: { lan: 'living', sync: 'living' } },
    { kind: 'paths', peer: 'A', states: { lan: 'silent' } },
    { kind: 'probed', probe: 1, answers: { lan: { peer: false, ...own?.lan } } },
    { kind: 'timer', timer: 'force' },
  ]) {
    life.feed(event);
  }
  const yielded = { ...first, says: { role: 'BACKUP' } };
  const { actions } = agreementStep(life.state, life.eventOf(yielded), life.settings);
  const told = actions.flatMap((action) => (action.kind === 'history' ? [action.account] : []));
  expect(told).toEqual([
    {
      rule: 3,
      because: 'the peer gave way on lan',
      paths: { A: { lan: 'silent', sync: 'living' } },
      limits: { A: 100_000 },
      evidence: { own: { lan: { peer: false, ...own?.lan } }, peers: { A: theirs } },
    },
  ]);
});

test('an event of nobody known changes nothing and throws nothing', () => {
  const at = agreementSettings.beatInterval;
  const life = new AgreementLife();
  const before = life.state;
  const { state, actions } = agreementStep(
    before,
    { kind: 'allSilent', peer: 'nobody', lasted: at, at },
    life.settings,
  );
  expect([state, actions]).toEqual([before, []]);
});
