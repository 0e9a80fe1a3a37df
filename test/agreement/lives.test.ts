/** Random lives of two and three nodes: never two MASTERs that hear each other, never none. */
import type { AgreementState } from '../../src/agreement/agreementState.js';
import { agreementStep } from '../../src/agreement/machine.js';
import { randomLife } from '../support/agreement/randomLife.js';
import type { Step } from '../support/agreement/simulatedNode.js';

/** Of a machine that does ten other things. */
jest.setTimeout(600_000);

const isFull = process.env['KEEPSTATE_FULL'] === '1';
const lives = isFull ? 1_000 : 12;

test('faults that begin and end at random, then all is healed', () => {
  const broken = Array.from({ length: lives }, (_, seed) => ({ seed, ...randomLife(seed) })).filter(
    ({ faults }) => faults.length > 0,
  );
  expect(broken).toEqual([]);
}, 3_600_000);

test('a state is plain data: written as JSON and read back at each step it lives the same life', () => {
  const written: Step = (state, event, settings) =>
    agreementStep(JSON.parse(JSON.stringify(state)) as AgreementState, event, settings);
  expect(randomLife(7, written)).toEqual(randomLife(7));
});

test('a machine that never yields, and one that never takes the role, do not live', () => {
  const without =
    (kinds: readonly string[]): Step =>
    (state, event, settings) => {
      const { state: next, actions } = agreementStep(state, event, settings);
      return { state: next, actions: actions.filter(({ kind }) => !kinds.includes(kind)) };
    };
  const faultsOf = (step: Step): string =>
    [0, 1, 2, 3, 4, 5].flatMap((seed) => randomLife(seed, step).faults).join('\n');
  expect(faultsOf(without(['giveWay']))).toMatch(/two MASTERs|in the end/);
  expect(faultsOf(without(['take', 'allowTake']))).toContain('nobody serves');
});
