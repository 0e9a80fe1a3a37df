/** Metrics of alarms: who is told, what waits, and what was lost. */
import type { AlertsStatus } from '../control/alertsStatus.js';
import { one, type MetricRow } from './metricRow.js';

type Sink = AlertsStatus['sinks'][number];

function ofSinks(read: (sink: Sink) => number): MetricRow['read'] {
  return ({ alerts }) =>
    (alerts?.sinks ?? []).map((sink) => ({ labels: { sink: sink.name }, value: read(sink) }));
}

export const alertMetrics: readonly MetricRow[] = [
  {
    name: 'keepstate_alert_last_number',
    help: 'The number that the newest alarm has.',
    type: 'gauge',
    labels: [],
    read: ({ alerts }) => (alerts === undefined ? [] : one(alerts.last)),
  },
  {
    name: 'keepstate_alert_unsaved',
    help: 'Alarms that the disk does not take: a restart loses them.',
    type: 'gauge',
    labels: [],
    read: ({ alerts }) => (alerts === undefined ? [] : one(alerts.unsaved)),
  },
  {
    name: 'keepstate_alert_waiting',
    help: 'Alarms that wait to be told.',
    type: 'gauge',
    labels: ['sink'],
    read: ofSinks(({ waiting }) => waiting),
  },
  {
    name: 'keepstate_alert_told_total',
    help: 'Alarms that were taken, since the start.',
    type: 'counter',
    labels: ['sink'],
    read: ofSinks(({ taken }) => taken),
  },
  {
    name: 'keepstate_alert_lost_total',
    help: 'Alarms that were never told: the queue had no room for more. Of earlier lives too.',
    type: 'counter',
    labels: ['sink'],
    read: ofSinks(({ lost }) => lost),
  },
  {
    name: 'keepstate_alert_failures',
    help: 'Attempts without success since the last alarm that was taken.',
    type: 'gauge',
    labels: ['sink'],
    read: ofSinks(({ failures }) => failures),
  },
];
