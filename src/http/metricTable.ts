/**
 * Each metric of `/metrics`: name, help, type, and where its value stands in the answer to
 * `status`. docs/monitoring.md and the exposition are made from this table.
 */
import type { MetricRow } from './metricRow.js';
import { alertMetrics } from './alertMetrics.js';
import { instanceMetrics } from './instanceMetrics.js';
import { nodeMetrics } from './nodeMetrics.js';
import { peerMetrics } from './peerMetrics.js';
import { statisticsMetrics } from './statisticsMetrics.js';
import { syncMetrics } from './syncMetrics.js';
import { takeoverMetrics } from './takeoverMetrics.js';
import { targetMetrics } from './targetMetrics.js';

export const metricTable: readonly MetricRow[] = [
  ...nodeMetrics,
  ...instanceMetrics,
  ...targetMetrics,
  ...syncMetrics,
  ...peerMetrics,
  ...takeoverMetrics,
  ...statisticsMetrics,
  ...alertMetrics,
];
