import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { caseFiles, caseHead, casesDirectory, renderCase } from '../../support/vrrp/conformance.js';

const cases = caseFiles().map((path) => {
  const text = readFileSync(path, 'utf8');
  return { name: relative(casesDirectory, path), text, head: caseHead(text) };
});

test.each(cases.map(({ name, text, head }) => [name, head.case, text] as const))(
  '%s: %s',
  (_name, _title, text) => {
    expect(renderCase(text)).toBe(text);
  },
);

test('there are at least 120 cases, each with a title of its own and its rule', () => {
  expect(cases.length).toBeGreaterThanOrEqual(120);
  expect(new Set(cases.map(({ head }) => head.case)).size).toBe(cases.length);
  for (const { head } of cases) {
    expect(head.rule).toMatch(/RFC \d+ section|RFC \d+|keepalived 2\.|keepstate/);
  }
});
