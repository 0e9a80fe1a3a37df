/** The exposition of a node: the table's metrics and what its history adds, by prom-client. */
import { Counter, Gauge, Histogram, Registry, type OpenMetricsContentType } from 'prom-client';
import type { HistoryEvent } from '../control/statusAnswer.js';
import type { NodeView } from './httpMessages.js';
import type { MetricRow, Sample } from './metricRow.js';
import { metricTable } from './metricTable.js';
import { roleCause } from './roleCause.js';

export interface Exposition {
  readonly contentType: string;
  readonly text: string;
}

/** Milliseconds to minutes: what a commit or a takeover takes. */
const durationBuckets = [0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30];

/** Durations and role changes since this thread started: counted as they happen. */
export class HistoryMetrics {
  readonly #changes = new Counter({
    name: 'keepstate_role_changes_total',
    help: 'Role changes of groups and instances since the start, by cause.',
    labelNames: ['unit', 'kind', 'to', 'cause'],
    registers: [],
  });
  readonly #takeovers = new Histogram({
    name: 'keepstate_takeover_duration_seconds',
    help: 'From the decision to take the role to all virtual addresses being up.',
    buckets: durationBuckets,
    registers: [],
  });
  readonly #commits = new Histogram({
    name: 'keepstate_commit_duration_seconds',
    help: 'Commit of the external cache to the kernel at a takeover.',
    buckets: durationBuckets,
    registers: [],
  });

  note({ phase, name, kind, from, to, because, ...took }: HistoryEvent): void {
    const { takeoverMs, commitMs } = took;
    if (phase === 'changed') {
      if (from === to) return;
      this.#changes.inc({ unit: name, kind, to, cause: roleCause(because, to) });
      return;
    }
    if (takeoverMs !== undefined) this.#takeovers.observe(takeoverMs / 1000);
    if (commitMs !== undefined) this.#commits.observe(commitMs / 1000);
  }

  registerIn(registry: AnyRegistry): void {
    registry.registerMetric(this.#changes);
    registry.registerMetric(this.#takeovers);
    registry.registerMetric(this.#commits);
  }
}

export const lookAge = {
  name: 'keepstate_look_age_seconds',
  help: 'Age of this answer: clients that ask within 0.2 s share a look, unless something happened.',
  type: 'gauge',
  labels: [],
} as const;

/**
 * `ageSeconds`: of the view. `accept`: the client's header; OpenMetrics where it asks for that,
 * else text 0.0.4.
 */
export async function exposition(
  view: NodeView,
  history: HistoryMetrics,
  { ageSeconds, accept }: { readonly ageSeconds: number; readonly accept: string },
): Promise<Exposition> {
  const registry = registryFor(accept);
  addRow(registry, lookAge, [{ labels: {}, value: ageSeconds }]);
  for (const row of metricTable) addRow(registry, row, row.read(view.status));
  history.registerIn(registry);
  return { contentType: registry.contentType, text: await registry.metrics() };
}

/** Of either text form. */
export type AnyRegistry = Registry | Registry<OpenMetricsContentType>;

export function registryFor(accept: string): AnyRegistry {
  if (!accept.includes('application/openmetrics-text')) return new Registry();
  const registry = new Registry<OpenMetricsContentType>();
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  return registry;
}

export function addRow(
  registry: AnyRegistry,
  { name, help, type, labels }: Omit<MetricRow, 'read'>,
  samples: readonly Sample[],
): void {
  const details = { name, help, labelNames: [...labels], registers: [registry] };
  if (type === 'gauge') {
    const gauge = new Gauge(details);
    // Without this a metric without labels begins at 0, also where nothing is known.
    if (samples.length === 0) registry.removeSingleMetric(name);
    for (const { labels: at, value } of samples) gauge.set({ ...at }, value);
    return;
  }
  const counter = new Counter(details);
  if (samples.length === 0) registry.removeSingleMetric(name);
  for (const { labels: at, value } of samples) counter.inc({ ...at }, value);
}
