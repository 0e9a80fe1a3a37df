/** Metrics of the log of connections that ended (`Stats`). */
import type { StatisticsAnswer } from '../control/statusAnswer.js';
import { labelled, one, oneOf, type MetricRow, type Sample } from './metricRow.js';

function ofStatistics(read: (log: StatisticsAnswer) => readonly Sample[]): MetricRow['read'] {
  return ({ statistics }) => (statistics === undefined ? [] : read(statistics));
}

const ofOutputs = (
  read: (output: StatisticsAnswer['outputs'][number]) => number | undefined,
): MetricRow['read'] =>
  ofStatistics(({ outputs }) =>
    outputs.flatMap((output) => {
      const value = read(output);
      const { kind, target } = output;
      return value === undefined ? [] : [{ labels: { kind, target }, value }];
    }),
  );

export const statisticsMetrics: readonly MetricRow[] = [
  {
    name: 'keepstate_connection_log_state',
    help: 'The log of ended connections: 1 at the state that holds (standby: the MASTER logs).',
    type: 'gauge',
    labels: ['state'],
    read: ofStatistics(({ state }) =>
      oneOf('state', ['starting', 'logging', 'standby', 'down'], state),
    ),
  },
  {
    name: 'keepstate_connections_logged_total',
    help: 'Ended connections that were logged.',
    type: 'counter',
    labels: [],
    read: ofStatistics(({ logged }) => one(logged)),
  },
  {
    name: 'keepstate_connection_log_lines_total',
    help: 'Lines of the log of ended connections, by what became of them.',
    type: 'counter',
    labels: ['kind', 'target', 'result'],
    read: ofStatistics(({ outputs }) =>
      outputs.flatMap(({ kind, target, written, lost }) => [
        { labels: { kind, target, result: 'written' }, value: written },
        { labels: { kind, target, result: 'lost' }, value: lost },
      ]),
    ),
  },
  {
    name: 'keepstate_connection_log_waiting',
    help: 'Lines in memory, because the place takes none.',
    type: 'gauge',
    labels: ['kind', 'target'],
    read: ofOutputs(({ waiting }) => waiting),
  },
  {
    name: 'keepstate_connection_log_failing_seconds',
    help: 'For how long nothing could be written; 0: it can.',
    type: 'gauge',
    labels: ['kind', 'target'],
    read: ofOutputs(({ failingForMs = 0 }) => failingForMs / 1000),
  },
  {
    name: 'keepstate_connection_log_flows',
    help: 'Of a node without Sync: the flows that it knows.',
    type: 'gauge',
    labels: [],
    read: ofStatistics(({ entries }) => (entries === undefined ? [] : one(entries))),
  },
  {
    name: 'keepstate_connection_log_flows_limit',
    help: 'Of a node without Sync: how many flows it takes (HashLimit).',
    type: 'gauge',
    labels: [],
    read: ofStatistics(({ limit }) => (limit === undefined ? [] : one(limit))),
  },
  {
    name: 'keepstate_connection_log_events_total',
    help: 'Of a node without Sync: flow events of the kernel, and those that the filter left out.',
    type: 'counter',
    labels: ['kind'],
    read: ofStatistics(({ events }) => [
      ...labelled('kind', 'received', events?.received),
      ...labelled('kind', 'filtered', events?.filtered),
    ]),
  },
  {
    name: 'keepstate_connection_log_overruns_total',
    help: 'Of a node without Sync: how often the kernel dropped events.',
    type: 'counter',
    labels: [],
    read: ofStatistics(({ overruns }) => (overruns === undefined ? [] : one(overruns))),
  },
  {
    name: 'keepstate_connection_log_resyncs_total',
    help: 'Of a node without Sync: comparisons with the kernel.',
    type: 'counter',
    labels: [],
    read: ofStatistics(({ resyncs }) => (resyncs === undefined ? [] : one(resyncs))),
  },
  {
    name: 'keepstate_connection_log_event_buffer_bytes',
    help: 'Of a node without Sync: size of the buffer in which the kernel queues events.',
    type: 'gauge',
    labels: [],
    read: ofStatistics(({ netlinkBufferBytes: bytes }) => (bytes === undefined ? [] : one(bytes))),
  },
];
