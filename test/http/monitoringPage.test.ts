/** docs/monitoring.md, the alert rules and the dashboard name metrics that exist. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { metricTable } from '../../src/http/metricTable.js';
import { monitoringPage } from '../../src/http/monitoringPage.js';

const root = join(__dirname, '../..');
const text = (path: string): string => readFileSync(join(root, path), 'utf8');

const known = new Set([
  ...metricTable.map(({ name }) => name),
  'keepstate_look_age_seconds',
  'keepstate_role_changes_total',
  'keepstate_takeover_duration_seconds_bucket',
  'keepstate_commit_duration_seconds_bucket',
]);
const labelsOf = new Map(metricTable.map(({ name, labels }) => [name, labels]));

/** Names in an expression that no metric has, and labels that the metric has not. */
function wrongIn(expression: string): string[] {
  return [...expression.matchAll(/\b(keepstate_[a-z_]+)(?:\{([^}]*)\})?/g)].flatMap(
    ([, name = '', matchers = '']) => {
      if (!known.has(name)) return [name];
      const labels = labelsOf.get(name);
      const used = [...matchers.matchAll(/([a-z_]+)\s*=/g)].map(([, label = '']) => label);
      return labels === undefined ? [] : used.filter((label) => !labels.includes(label));
    },
  );
}

test('docs/monitoring.md is what the table says (npm run docs:monitoring)', () => {
  expect(text('docs/monitoring.md')).toBe(monitoringPage());
});

test('a wrong name and a wrong label are found', () => {
  expect(wrongIn('rate(keepstate_nothing[1m]) + keepstate_role{rolle="MASTER"}')).toEqual([
    ...['keepstate_nothing', 'rolle'],
  ]);
});

test('each alert rule asks for metrics that exist', () => {
  const rules = text('config/monitoring/keepstate.rules.yml');
  const expressions = [...rules.matchAll(/^ +expr: (.+)$/gm)].map(([, expr = '']) => expr);
  expect(expressions.length).toBeGreaterThanOrEqual(12);
  expect(rules.match(/^ +- alert: /gm)).toHaveLength(expressions.length);
  expect(expressions.flatMap(wrongIn)).toEqual([]);
});

test('each panel of the dashboard asks for metrics that exist', () => {
  const dashboard = JSON.parse(text('config/monitoring/grafana-keepstate.json')) as {
    readonly panels: readonly { readonly targets: readonly { readonly expr: string }[] }[];
  };
  const expressions = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
  expect(expressions.length).toBeGreaterThan(10);
  expect(expressions.flatMap(wrongIn)).toEqual([]);
});
