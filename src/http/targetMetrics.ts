/** Metrics of tracked targets: what this node reaches, and what the peer says that it reaches. */
import type { TargetAddressStatus, TargetsStatus } from '../control/statusAnswer.js';
import {
  epochSeconds,
  flag,
  labelled,
  one,
  oneOf,
  type MetricRow,
  type Sample,
} from './metricRow.js';

const targetStates = ['good', 'bad', 'unknown', 'unable', 'blind'];
const labels = ['target', 'address', 'at'];

function ofTargets(read: (targets: TargetsStatus) => readonly Sample[]): MetricRow['read'] {
  return ({ targets }) => (targets === undefined ? [] : read(targets));
}

/** Each address of each target, here and at the peer. */
function ofAddresses(
  read: (address: TargetAddressStatus, at: Sample['labels']) => readonly Sample[],
): MetricRow['read'] {
  return ofTargets(({ list }) =>
    list.flatMap(({ name, addresses, peer }) => {
      const of = (at: string) => (one: TargetAddressStatus) =>
        read(one, { target: name, address: one.address, at });
      return [...addresses.flatMap(of('here')), ...(peer?.addresses ?? []).flatMap(of('peer'))];
    }),
  );
}

export const targetMetrics: readonly MetricRow[] = [
  {
    name: 'keepstate_target_state',
    help: 'Whether an address of a target is reached: 1 at what holds; at: which node asked.',
    type: 'gauge',
    labels: [...labels, 'state'],
    read: ofAddresses(({ state }, at) => oneOf('state', targetStates, state, at)),
  },
  {
    name: 'keepstate_target_since_seconds',
    help: 'Since when that holds, seconds since 1970.',
    type: 'gauge',
    labels,
    read: ofAddresses(({ since }, at) => [{ labels: at, value: epochSeconds(since) }]),
  },
  {
    name: 'keepstate_target_round_trip_seconds',
    help: 'Round trips of the last minute; left out where nothing was answered.',
    type: 'gauge',
    labels: [...labels, 'rank'],
    read: ofAddresses(({ rtt }, at) =>
      Object.entries(rtt ?? {}).map(([rank, ms]) => ({
        labels: { ...at, rank },
        value: ms / 1000,
      })),
    ),
  },
  {
    name: 'keepstate_target_probes',
    help: 'Probes of the last minute, by what became of them.',
    type: 'gauge',
    labels: [...labels, 'result'],
    read: ofAddresses(({ answered, lost }, at) => [
      { labels: { ...at, result: 'answered' }, value: answered },
      { labels: { ...at, result: 'lost' }, value: lost },
    ]),
  },
  {
    name: 'keepstate_target_loss_ratio',
    help: 'Share of the probes of the last minute that was lost.',
    type: 'gauge',
    labels,
    read: ofAddresses(({ lossPercent }, at) => [{ labels: at, value: lossPercent / 100 }]),
  },
  {
    name: 'keepstate_target_counts',
    help: '1 where a target is a fault now, or its weight counts as lost.',
    type: 'gauge',
    labels: ['target', 'standing'],
    read: ofTargets(({ list }) =>
      list.map(({ name, standing, counts }) => ({
        labels: { target: name, standing },
        value: flag(counts),
      })),
    ),
  },
  {
    name: 'keepstate_target_answers_refused_total',
    help: 'Answers to ICMP probes that were not believed, by reason.',
    type: 'counter',
    labels: ['reason'],
    read: ofTargets(({ junk, duplicates, late }) => [
      ...labelled('reason', 'strange', junk),
      ...labelled('reason', 'double', duplicates),
      ...labelled('reason', 'late', late),
    ]),
  },
  {
    name: 'keepstate_target_floods_total',
    help: 'How often more came in for the probes than was read.',
    type: 'counter',
    labels: [],
    read: ofTargets(({ floods }) => one(floods)),
  },
];
