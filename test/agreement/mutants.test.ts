/**
 * Machines with one thing wrong are found: by what the specification demands of a numbered case;
 * where another rule makes up for it there, by a line of a rule.
 */
import {
  readAgreementCases,
  renderAgreementCase,
} from '../support/agreement/agreementConformance.js';
import { mutatedStep, type Mutation } from '../support/agreement/mutants.js';
import { breaksMust } from '../support/agreement/pairCases.js';

/** Of a machine that does ten other things. */
jest.setTimeout(600_000);

const mutations: readonly (Mutation & { readonly found: string })[] = [
  {
    ...{ is: 'takes the role although the kernel answers', file: 'silence.ts', found: '6' },
    ...{ from: 'if (segments.some(({ peer }) => peer)) {', to: 'if (false) {' },
  },
  {
    ...{ is: 'takes the role where nobody answers', file: 'silence.ts', found: '13' },
    ...{ from: 'if (!segments.some(({ answered }) => answered > 0)) {', to: 'if (false) {' },
  },
  {
    ...{ is: 'never takes the role from silence', file: 'silence.ts', found: '1' },
    ...{ from: 'if (lasted < limit) return', to: 'if (lasted < limit * 100) return' },
  },
  {
    ...{ is: 'holds a flooded path for silent', file: 'silence.ts', found: 'lines' },
    ...{ from: "states.includes('blind')", to: 'false' },
  },
  {
    ...{ is: 'keeps the usual limit without real-time right', file: 'limits.ts', found: 'lines' },
    ...{ from: 'hasRealTime && peer.hasRealTime ?', to: 'true ?' },
  },
  {
    ...{ is: 'takes what a peer says to be there for ever', file: 'peers.ts', found: 'lines' },
    ...{ from: 'said: hasEnded ? undefined : says', to: 'said: says' },
  },
  {
    ...{ is: 'hears no third node', file: 'candidates.ts', found: '30' },
    ...{ from: "heard === 'living'", to: 'false' },
  },
  {
    ...{ is: 'waits for nobody better', file: 'candidates.ts', found: '29' },
    ...{ from: 'order(says, own) > 0', to: 'false' },
  },
  {
    ...{ is: 'takes the role while another MASTER is heard', file: 'admission.ts', found: '24' },
    ...{ from: 'master !== undefined && !state.isLeftToVrrp', to: 'false' },
  },
  {
    ...{ is: 'preempts at once what was moved away', file: 'admission.ts', found: '2' },
    ...{ from: 'if (holds.segments.length > 0)', to: 'if (false)' },
  },
  {
    ...{ is: 'resumes beside another MASTER', file: 'standstill.ts', found: '7' },
    ...{ from: 'if (master === undefined && !isStrange)', to: 'if (true)' },
  },
  {
    ...{ is: 'believes a loop that stands still', file: 'views.ts', found: 'lines' },
    ...{ from: 'isHeard(peer) && !stands ?', to: 'isHeard(peer) ?' },
  },
  {
    ...{ is: 'yields to the weaker MASTER', file: 'twoMasters.ts', found: '5' },
    ...{
      from: 'ownCandidate(step.state, settings)) > 0',
      to: 'ownCandidate(step.state, settings)) < 0',
    },
  },
  {
    ...{ is: 'never yields', file: 'twoMasters.ts', found: '5' },
    ...{
      from: 'ownCandidate(step.state, settings)) > 0',
      to: 'ownCandidate(step.state, settings)) > 999',
    },
  },
  {
    ...{ is: 'holds the MASTER that it followed for a rival', file: 'ownFacts.ts', found: '2' },
    ...{
      from: 'if (name === undefined || peer === undefined) return step;',
      to: 'if (true) return step;',
    },
  },
  {
    ...{ is: 'never follows a MASTER in FAULT', file: 'memberFault.ts', found: '18' },
    ...{ from: 'held > 0 && held === state.term', to: 'false' },
  },
  {
    ...{ is: 'leaves although the other cannot serve', file: 'memberFault.ts', found: '17' },
    ...{ from: 'if (!settings.lastResort) {', to: 'if (true) {' },
  },
  {
    ...{ is: 'is no last resort', file: 'memberFault.ts', found: '16' },
    ...{
      from: "if (own.role === 'FAULT') return beLastResort",
      to: "if (own.role === 'INIT') return beLastResort",
    },
  },
  {
    ...{ is: 'moves to a node that serves no pairs', file: 'reaches.ts', found: '3' },
    ...{
      from: "return ours > theirs ? 'better' : 'worse';",
      to: "return ours < theirs ? 'better' : 'worse';",
    },
  },
  {
    ...{ is: 'never claims the role', file: 'segmentDoubt.ts', found: '12' },
    ...{
      from: "patchDoubt(step, { stage: 'claiming' })",
      to: "patchDoubt(step, { stage: 'waiting' })",
    },
  },
  {
    ...{ is: 'gives way to no claim', file: 'segmentDoubt.ts', found: '12' },
    ...{ from: 'claims > state.term && (result', to: 'claims > 1e9 && (result' },
  },
  {
    ...{ is: 'does not say what it hears', file: 'views.ts', found: '30' },
    ...{
      from: 'Object.entries(peers).map(([name, { paths }])',
      to: 'Object.entries({} as typeof peers).map(([name, { paths }])',
    },
  },
  {
    ...{ is: 'moves the role as often as links flap', file: 'damping.ts', found: '19' },
    ...{
      from: 'return !state.holds.move && movesWithinAMinute(state, at) < mostMoves - 1;',
      to: 'return true;',
    },
  },
  {
    ...{ is: 'does without the required lease', file: 'arbiter.ts', found: '23' },
    ...{ from: "if (settings.arbiter === 'required') {", to: 'if (false) {' },
  },
  {
    ...{ is: 'waits for an arbiter for ever', file: 'arbiter.ts', found: '22' },
    ...{ from: 'if (taking.isAsked) return takeNow', to: 'if (false) return takeNow' },
  },
  {
    ...{ is: 'takes what the arbiter refused', file: 'arbiter.ts', found: '22' },
    ...{
      from: "case 'refused':\n      return dropTaking(",
      to: "case 'refused':\n      if (true) return takeNow(step, taking, settings);\n      return dropTaking(",
    },
  },
  {
    ...{ is: 'serves in maintenance', file: 'silence.ts', found: '33' },
    ...{ from: 'if (own.isInMaintenance) return', to: 'if (false) return' },
  },
];

const leases: typeof mutations = [
  {
    ...{ is: 'takes beside one that lost its lease', file: 'arbiter.ts', found: 'lines' },
    ...{ from: 'if (rest > 0)', to: 'if (false)' },
  },
  {
    ...{ is: 'goes on for peers that do not hear it', file: 'arbiter.ts', found: '22' },
    ...{ from: 'some(([, says]) => hearsNode(says, settings))', to: 'some(() => true)' },
  },
  {
    ...{ is: 'believes a refusal at once', file: 'arbiter.ts', found: '22' },
    ...{ from: 'isLeaseYoung: true', to: 'isLeaseYoung: false' },
  },
  {
    ...{ is: 'keeps a lease that it does not use', file: 'arbiter.ts', found: 'lines' },
    ...{
      from: "return extend(step, { lease: 'none' }, { kind: 'releaseLease' });",
      to: 'return step;',
    },
  },
];

const cases = readAgreementCases('cases');
const lines = readAgreementCases();

test.each([...mutations, ...leases].map((each) => [each.is, each] as const))(
  'found: one that %s',
  (_is, each) => {
    const step = mutatedStep(each);
    if (each.found === 'lines') {
      expect(lines.some(({ text }) => renderAgreementCase(text, step) !== text)).toBe(true);
      return;
    }
    const numbered = cases.filter(({ name }) => name.includes(`: ${each.found}:`));
    expect(numbered.length).toBeGreaterThan(0);
    expect(numbered.some(({ text }) => breaksMust(text, step) !== undefined)).toBe(true);
  },
);

test('the machine itself breaks none of them', () => {
  const numbers = new Set(mutations.map(({ found }) => found));
  const used = cases.filter(({ name }) => numbers.has(/: (\d+):/.exec(name)?.[1] ?? ''));
  expect(used.map(({ text }) => breaksMust(text)).filter((broken) => broken !== undefined)).toEqual(
    [],
  );
});
