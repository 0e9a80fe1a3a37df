/** Metrics of the node as a whole. */
import type { StatusAnswer } from '../control/statusAnswer.js';
import {
  epochSeconds,
  flag,
  one,
  oneOf,
  states,
  type MetricRow,
  type Sample,
} from './metricRow.js';

/** Each unit once: groups, and instances that are in none. */
function units(status: StatusAnswer) {
  const alone = status.instances.filter(({ group }) => group === undefined);
  return [
    ...status.groups.map((group) => ({ ...group, kind: 'group' })),
    ...alone.map((instance) => ({ ...instance, kind: 'instance' })),
  ];
}

const scriptStates = ['good', 'bad', 'unknown', 'disabled'];

export const nodeMetrics: readonly MetricRow[] = [
  {
    name: 'keepstate_build_info',
    help: 'Version of the daemon; always 1.',
    type: 'gauge',
    labels: ['version', 'node'],
    read: ({ version, node }) => [{ labels: { version, node }, value: 1 }],
  },
  {
    name: 'keepstate_start_time_seconds',
    help: 'When the daemon started, seconds since 1970.',
    type: 'gauge',
    labels: [],
    read: ({ startedAt }) => one(epochSeconds(startedAt)),
  },
  {
    name: 'keepstate_resident_memory_bytes',
    help: 'Resident memory of the daemon.',
    type: 'gauge',
    labels: [],
    read: ({ rssBytes }) => one(rssBytes),
  },
  {
    name: 'keepstate_role',
    help: 'Role of the node: 1 at the state that holds (the bound unit, or all instances together).',
    type: 'gauge',
    labels: ['state'],
    read: ({ role }) => oneOf('state', states, role),
  },
  {
    name: 'keepstate_role_since_seconds',
    help: 'Since when the role holds, seconds since 1970.',
    type: 'gauge',
    labels: [],
    read: ({ since }) => one(epochSeconds(since)),
  },
  {
    name: 'keepstate_maintenance',
    help: '1 while the node is in maintenance.',
    type: 'gauge',
    labels: [],
    read: ({ maintenance }) => one(flag(maintenance)),
  },
  {
    name: 'keepstate_preemption_held',
    help: '1 while the node leaves the role to another one, after a planned hand-over.',
    type: 'gauge',
    labels: [],
    read: ({ preemptionHeld }) => one(flag(preemptionHeld)),
  },
  {
    name: 'keepstate_role_changing',
    help: '1 while a role change is on its way: commit, addresses, announcement.',
    type: 'gauge',
    labels: [],
    read: ({ phase }) => one(flag(phase !== 'steady')),
  },
  {
    name: 'keepstate_unit_state',
    help: 'State of a sync group or a lone instance: 1 at the state that holds.',
    type: 'gauge',
    labels: ['unit', 'kind', 'state'],
    read: (status) =>
      units(status).flatMap(({ name, kind, state: current }) =>
        oneOf('state', states, current, { unit: name, kind }),
      ),
  },
  {
    name: 'keepstate_unit_since_seconds',
    help: 'Since when the state of a unit holds, seconds since 1970.',
    type: 'gauge',
    labels: ['unit', 'kind'],
    read: (status) =>
      units(status).map(({ name, kind, since }) => ({
        labels: { unit: name, kind },
        value: epochSeconds(since),
      })),
  },
  {
    name: 'keepstate_loop_late_seconds',
    help: 'How late timers ran lately, of the thread that speaks VRRP and of the sync worker.',
    type: 'gauge',
    labels: ['thread', 'rank'],
    read: ({ lateness, sync }) => [
      ...latenessSamples('main', lateness),
      ...(sync === undefined ? [] : latenessSamples('sync', sync.worker.lateness)),
    ],
  },
  {
    name: 'keepstate_problems',
    help: 'Problems that count now, by code; no line where there is none of a code.',
    type: 'gauge',
    labels: ['code', 'severity'],
    read: ({ problems }) => {
      const counts = new Map<string, Sample>();
      for (const { code, severity } of problems) {
        const key = `${code} ${severity}`;
        const value = (counts.get(key)?.value ?? 0) + 1;
        counts.set(key, { labels: { code, severity }, value });
      }
      return [...counts.values()];
    },
  },
  {
    name: 'keepstate_problems_known',
    help: 'Problems that count now; 0 means that no problem is known.',
    type: 'gauge',
    labels: [],
    read: ({ problems }) => one(problems.length),
  },
  {
    name: 'keepstate_problems_ended',
    help: 'Problems that ended within the last hour and were not acknowledged.',
    type: 'gauge',
    labels: [],
    read: ({ endedProblems }) => one(endedProblems.length),
  },
  {
    name: 'keepstate_script_state',
    help: 'A vrrp_script: 1 at the state that holds.',
    type: 'gauge',
    labels: ['script', 'state'],
    read: ({ scripts = [] }) =>
      scripts.flatMap(({ name, state }) => oneOf('state', scriptStates, state, { script: name })),
  },
  {
    name: 'keepstate_script_running',
    help: '1 while a vrrp_script runs.',
    type: 'gauge',
    labels: ['script'],
    read: ({ scripts = [] }) =>
      scripts.map(({ name, running }) => ({ labels: { script: name }, value: flag(running) })),
  },
];

function latenessSamples(
  thread: string,
  { p50Ms, p99Ms, maxMs }: StatusAnswer['lateness'],
): readonly Sample[] {
  return [
    { labels: { thread, rank: 'median' }, value: p50Ms / 1000 },
    { labels: { thread, rank: 'p99' }, value: p99Ms / 1000 },
    { labels: { thread, rank: 'max' }, value: maxMs / 1000 },
  ];
}
