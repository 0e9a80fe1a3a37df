/** The role machine, held against its conformance cases (test/conformance/role). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventsOf, readRoleCases, renderRoleCase } from '../../support/sync/roleConformance.js';

const cases = readRoleCases();

test.each(cases.map(({ name, text }) => [name, text] as const))('%s', (_name, text) => {
  expect(renderRoleCase(text)).toBe(text);
});

test('there are at least 80 cases, each with a title of its own and a rule of docs/architecture.md', () => {
  expect(cases.length).toBeGreaterThanOrEqual(80);
  expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
  const rules = readFileSync(join(__dirname, '../../../docs/architecture.md'), 'utf8');
  const numbered = new Set([...rules.matchAll(/^\| (R\d+) \|/gm)].map(([, rule]) => rule));
  const cited = new Set(cases.map(({ head }) => head.rule.split(':')[0]));
  expect([...cited].filter((rule) => !numbered.has(rule))).toEqual([]);
  expect([...numbered].filter((rule) => !cited.has(rule))).toEqual([]);
});

test('every event comes at every stage of a course', () => {
  const seen = new Set<string>();
  for (const { text } of cases) {
    for (const [{ course }, { kind }] of eventsOf(text)) seen.add(`${course.stage} ${kind}`);
  }
  const stages = new Set([...seen].map((pair) => pair.split(' ')[0]));
  const kinds = new Set([...seen].map((pair) => pair.split(' ')[1]));
  const missing = [...stages].flatMap((stage) =>
    [...kinds].map((kind) => `${stage} ${kind}`).filter((pair) => !seen.has(pair)),
  );
  expect(missing).toEqual([]);
  expect([stages.size, kinds.size]).toEqual([8, 33]);
});
