/** Metrics of the last commit, and of what is left of a role that has left. */
import { epochSeconds, flag, labelled, ofSync, one, type MetricRow } from './metricRow.js';

export const takeoverMetrics: readonly MetricRow[] = [
  {
    name: 'keepstate_last_commit_flows',
    help: 'Flows of the last commit, by what became of them.',
    type: 'gauge',
    labels: ['result'],
    read: ofSync(({ lastCommit }) =>
      lastCommit === undefined
        ? []
        : [
            ...labelled('result', 'committed', lastCommit.entries),
            ...labelled('result', 'failed', lastCommit.failed),
          ],
    ),
  },
  {
    name: 'keepstate_last_commit_duration_seconds',
    help: 'How long the last commit took.',
    type: 'gauge',
    labels: [],
    read: ofSync(({ lastCommit }) =>
      lastCommit === undefined ? [] : one(lastCommit.durationMs / 1000),
    ),
  },
  {
    name: 'keepstate_last_commit_time_seconds',
    help: 'When the last commit ended, seconds since 1970.',
    type: 'gauge',
    labels: [],
    read: ofSync(({ lastCommit }) =>
      lastCommit === undefined ? [] : one(epochSeconds(lastCommit.at)),
    ),
  },
  {
    name: 'keepstate_last_commit_incomplete',
    help: '1 where the last commit was cancelled, or the table of the kernel was full, by reason.',
    type: 'gauge',
    labels: ['reason'],
    read: ofSync(({ lastCommit }) =>
      lastCommit === undefined
        ? []
        : [
            ...labelled('reason', 'cancelled', flag(lastCommit.cancelled)),
            ...labelled('reason', 'table_full', flag(lastCommit.tableFull)),
          ],
    ),
  },
  {
    name: 'keepstate_purge_due_seconds',
    help: 'When what is left over in the kernel is looked at next, from now.',
    type: 'gauge',
    labels: [],
    read: ofSync(({ purgeInMs }) => (purgeInMs === undefined ? [] : one(purgeInMs / 1000))),
  },
  {
    name: 'keepstate_purge_flows',
    help: 'Flows of the role that has left, by what became of them since.',
    type: 'gauge',
    labels: ['result'],
    read: ofSync(({ purge }) =>
      purge === undefined
        ? []
        : [
            ...labelled('result', 'removed', purge.removed),
            ...labelled('result', 'ended', purge.ended),
            ...labelled('result', 'kept', purge.kept),
          ],
    ),
  },
  {
    name: 'keepstate_adopted_flows',
    help: 'Flows of a returning peer that this MASTER committed, and those that its kernel refused.',
    type: 'gauge',
    labels: ['result'],
    read: ofSync(({ adopted }) =>
      adopted === undefined
        ? []
        : [
            ...labelled('result', 'committed', adopted.entries),
            ...labelled('result', 'refused', adopted.refused),
          ],
    ),
  },
];
