/** The 35 cases of the agreement: machines driven against each other in virtual time. */
import { readAgreementCases } from '../support/agreement/agreementConformance.js';
import { breaksMust, renderPairCase } from '../support/agreement/pairCases.js';

/** Of a machine that does ten other things. */
jest.setTimeout(600_000);

const cases = readAgreementCases('cases');

test.each(cases.map(({ name, text }) => [name, text] as const))('%s', (_name, text) => {
  expect(breaksMust(text)).toBeUndefined();
  expect(renderPairCase(text)).toBe(text);
});

test('all 35 are there', () => {
  const numbers = new Set(cases.map(({ name }) => Number(/: (\d+):/.exec(name)?.[1])));
  expect([...numbers].sort((a, b) => a - b)).toEqual(Array.from({ length: 35 }, (_, i) => i + 1));
});
