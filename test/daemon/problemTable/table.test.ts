import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { problemsPage } from '../../../src/daemon/problemTable/page.js';
import { isProblemCode, problem, problemTable } from '../../../src/daemon/problemTable/table.js';

describe('the table of problems', () => {
  test('is what docs/problems.md says (npm run docs:problems)', () => {
    const page = readFileSync(join(__dirname, '../../../docs/problems.md'), 'utf8');
    expect(page).toBe(problemsPage());
  });

  test('says of each when it begins and ends, and what to do, without breaking the page', () => {
    for (const [code, row] of Object.entries(problemTable)) {
      for (const text of [row.begins, row.ends, row.remedy]) {
        expect([code, text]).toEqual([code, expect.stringMatching(/^[^|\n]{3,200}$/)]);
      }
    }
  });

  test('gives severity and remedy, where what was found has no better ones', () => {
    const found = problem('table-full', 'the internal table is 91 % full', { subject: 'internal' });
    expect(found).toEqual({
      severity: 'warning',
      code: 'table-full',
      text: 'the internal table is 91 % full',
      remedy: problemTable['table-full'].remedy,
      subject: 'internal',
    });
    expect(problem('table-full', 't', { severity: 'error', remedy: 'r' })).toMatchObject({
      severity: 'error',
      remedy: 'r',
    });
  });

  test('knows its codes', () => {
    expect(isProblemCode('parity')).toBe(true);
    expect(isProblemCode('toString')).toBe(false);
  });
});

test('each code is provoked by a test', () => {
  const tests = join(__dirname, '..', '..');
  const texts = readdirSync(tests, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts') && !name.endsWith('problemTable.test.ts'))
    .map((name) => readFileSync(join(tests, name), 'utf8'));
  const never = Object.keys(problemTable).filter(
    (code) => !texts.some((text) => text.includes(`'${code}'`)),
  );
  expect(never).toEqual([]);
});
