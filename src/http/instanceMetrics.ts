/** Metrics of each VRRP instance. */
import type { InstanceStatus } from '../control/statusAnswer.js';
import { epochSeconds, oneOf, states, type MetricRow } from './metricRow.js';

function ofInstances(read: (instance: InstanceStatus) => number | undefined): MetricRow['read'] {
  return ({ instances }) =>
    instances.flatMap((instance) => {
      const value = read(instance);
      return value === undefined ? [] : [{ labels: instanceLabels(instance), value }];
    });
}

const instanceLabels = ({ name, interface: link, vrid }: InstanceStatus) => ({
  instance: name,
  interface: link,
  vrid: String(vrid),
});
const instanceLabelNames = ['instance', 'interface', 'vrid'];

/**
 * Counters of keepalived that count a refused advertisement, and the reason that they stand for.
 */
const refusals: Readonly<Record<string, string>> = {
  packet_len_err: 'length',
  advert_interval_err: 'interval',
  ip_ttl_err: 'ttl',
  invalid_type_rcvd: 'type',
  addr_list_err: 'addresses',
  invalid_authtype: 'auth_type_unknown',
  authtype_mismatch: 'auth_type',
  auth_failure: 'auth',
  vers_err: 'version',
  chk_err: 'checksum',
  auth_ext_missing: 'auth_missing',
  auth_ext_malformed: 'auth_malformed',
  auth_ext_unknown_key: 'auth_unknown_key',
  auth_ext_invalid_hmac: 'auth_invalid_hmac',
  auth_ext_stale: 'auth_stale',
  auth_ext_replay: 'auth_replay',
};

export const instanceMetrics: readonly MetricRow[] = [
  {
    name: 'keepstate_instance_state',
    help: 'State of an instance: 1 at the state that holds.',
    type: 'gauge',
    labels: [...instanceLabelNames, 'state'],
    read: ({ instances }) =>
      instances.flatMap((instance) =>
        oneOf('state', states, instance.state, instanceLabels(instance)),
      ),
  },
  {
    name: 'keepstate_instance_since_seconds',
    help: 'Since when the state of an instance holds, seconds since 1970.',
    type: 'gauge',
    labels: instanceLabelNames,
    read: ofInstances(({ since }) => epochSeconds(since)),
  },
  {
    name: 'keepstate_instance_effective_priority',
    help: 'Priority of an instance with what its trackers add.',
    type: 'gauge',
    labels: instanceLabelNames,
    read: ofInstances(({ effectivePriority }) => effectivePriority),
  },
  {
    name: 'keepstate_instance_priority',
    help: 'Priority of an instance in its configuration.',
    type: 'gauge',
    labels: instanceLabelNames,
    read: ofInstances(({ priority }) => priority),
  },
  {
    name: 'keepstate_instance_faults',
    help: 'Number of faults that keep an instance from the role.',
    type: 'gauge',
    labels: instanceLabelNames,
    read: ofInstances(({ faults }) => faults.length),
  },
  {
    name: 'keepstate_instance_addresses_missing',
    help: 'Virtual addresses that a MASTER should have and its kernel has not.',
    type: 'gauge',
    labels: instanceLabelNames,
    read: ofInstances(({ state, vips }) =>
      state === 'MASTER' ? vips.filter(({ present }) => !present).length : 0,
    ),
  },
  {
    name: 'keepstate_adverts_sent_total',
    help: 'VRRP advertisements sent.',
    type: 'counter',
    labels: instanceLabelNames,
    read: ofInstances(({ counters }) => counters['advert_sent']),
  },
  {
    name: 'keepstate_adverts_received_total',
    help: 'VRRP advertisements accepted.',
    type: 'counter',
    labels: instanceLabelNames,
    read: ofInstances(({ counters }) => counters['advert_rcvd']),
  },
  {
    name: 'keepstate_adverts_refused_total',
    help: 'VRRP advertisements refused, by reason.',
    type: 'counter',
    labels: [...instanceLabelNames, 'reason'],
    read: ({ instances }) =>
      instances.flatMap((instance) =>
        Object.entries(refusals).map(([counter, reason]) => ({
          labels: { ...instanceLabels(instance), reason },
          value: instance.counters[counter] ?? 0,
        })),
      ),
  },
  {
    name: 'keepstate_became_master_total',
    help: 'How often an instance became MASTER.',
    type: 'counter',
    labels: instanceLabelNames,
    read: ofInstances(({ counters }) => counters['become_master']),
  },
  {
    name: 'keepstate_released_master_total',
    help: 'How often an instance gave up being MASTER.',
    type: 'counter',
    labels: instanceLabelNames,
    read: ofInstances(({ counters }) => counters['release_master']),
  },
  {
    name: 'keepstate_priority_zero_total',
    help: 'Advertisements that give the role up, sent and received.',
    type: 'counter',
    labels: [...instanceLabelNames, 'direction'],
    read: ({ instances }) =>
      instances.flatMap((instance) =>
        [
          ['sent', instance.counters['pri_zero_sent'] ?? 0] as const,
          ['received', instance.counters['pri_zero_rcvd'] ?? 0] as const,
        ].map(([direction, value]) => ({
          labels: { ...instanceLabels(instance), direction },
          value,
        })),
      ),
  },
  {
    name: 'keepstate_instance_active_key',
    help: 'auth_hmac: number of the key that signs.',
    type: 'gauge',
    labels: instanceLabelNames,
    read: ofInstances(({ hmac }) => hmac?.activeKey),
  },
  {
    name: 'keepstate_other_router_priority',
    help: 'Priority in the last accepted advertisement of another router.',
    type: 'gauge',
    labels: instanceLabelNames,
    read: ofInstances(({ peer }) => peer?.priority),
  },
  {
    name: 'keepstate_other_router_heard_seconds',
    help: 'Age of the last accepted advertisement of another router.',
    type: 'gauge',
    labels: instanceLabelNames,
    read: ofInstances(({ peer }) => (peer === undefined ? undefined : peer.heardAgoMs / 1000)),
  },
];
