/**
 * `/metrics/keepalived`: the names, labels and values of both exporters for keepalived
 * (mehdy/keepalived-exporter, gen2brain/keepalived_exporter), so that their dashboards go on.
 */
import type { InstanceStatus } from '../control/statusAnswer.js';
import type { NodeView, ScriptView } from './httpMessages.js';
import { addRow, registryFor, type Exposition } from './metrics.js';
import { flag, type Sample } from './metricRow.js';

/** keepalived's numbers. */
const stateNumbers = { INIT: 0, BACKUP: 1, MASTER: 2, FAULT: 3 } as const;
const scriptNumbers: Readonly<Record<ScriptView['status'], number>> = {
  BAD: 0,
  GOOD: 1,
  INIT: 2,
  DISABLED: 3,
};

interface CounterRow {
  readonly counter: string;
  /** In mehdy's exporter. */
  readonly name: string;
  readonly help: string;
}

const counterRows: readonly CounterRow[] = [
  ['advert_rcvd', 'advertisements_received', 'Advertisements received'],
  ['advert_sent', 'advertisements_sent', 'Advertisements sent'],
  ['become_master', 'become_master', 'Became master'],
  ['release_master', 'release_master', 'Released master'],
  ['packet_len_err', 'packet_length_errors', 'Packet length errors'],
  ['advert_interval_err', 'advertisements_interval_errors', 'Advertisement interval errors'],
  ['ip_ttl_err', 'ip_ttl_errors', 'TTL errors'],
  ['invalid_type_rcvd', 'invalid_type_received', 'Invalid type errors'],
  ['addr_list_err', 'address_list_errors', 'Address list errors'],
  ['invalid_authtype', 'authentication_invalid', 'Authentication invalid'],
  ['authtype_mismatch', 'authentication_mismatch', 'Authentication mismatch'],
  ['auth_failure', 'authentication_failure', 'Authentication failure'],
  ['pri_zero_rcvd', 'priority_zero_received', 'Priority zero received'],
  ['pri_zero_sent', 'priority_zero_sent', 'Priority zero sent'],
].map(([counter = '', name = '', help = '']) => ({ counter, name, help }));

export async function keepalivedExposition(view: NodeView, accept: string): Promise<Exposition> {
  const registry = registryFor(accept);
  const add = (
    type: 'gauge' | 'counter',
    name: string,
    help: string,
    labels: readonly string[],
    samples: readonly Sample[],
  ): void => addRow(registry, { name: `keepalived_${name}`, help, type, labels }, samples);
  const { instances } = view.status;
  add('gauge', 'up', 'Status', [], [{ labels: {}, value: 1 }]);
  for (const { counter, name, help } of counterRows) {
    const count = (labelsOf: (one: InstanceStatus) => Sample['labels']): readonly Sample[] =>
      instances.map((one) => ({ labels: labelsOf(one), value: one.counters[counter] ?? 0 }));
    add('counter', `${name}_total`, help, ['iname', 'intf', 'vrid', 'state'], count(mehdy));
    add('counter', `vrrp_${counter}`, help, ['name', 'intf', 'vrid', 'state'], count(gen2brain));
  }
  add(
    'counter',
    'gratuitous_arp_delay_total',
    'Gratuitous ARP delay',
    ['iname', 'intf', 'vrid', 'state'],
    instances.map((one) => ({ labels: mehdy(one), value: view.garpDelays[one.name] ?? 0 })),
  );
  add(
    'gauge',
    'vrrp_state',
    'State of vrrp',
    ['iname', 'intf', 'vrid', 'ip_address'],
    instances.flatMap(({ name, vrid, state, vips }) =>
      vips.map((vip) => ({
        labels: {
          ...{ iname: name, intf: vip.interface, vrid: String(vrid) },
          ip_address: vip.address.replace(/\/.*$/, ''),
        },
        value: stateNumbers[state],
      })),
    ),
  );
  const scripts = (read: (script: ScriptView) => number): readonly Sample[] =>
    view.scripts.map((script) => ({ labels: { name: script.name }, value: read(script) }));
  const statuses = scripts(({ status }) => scriptNumbers[status]);
  add('gauge', 'script_status', 'Tracker Script Status', ['name'], statuses);
  // keepalived says `idle` (0) or `running` (1).
  const running = scripts(({ isRunning }) => flag(isRunning));
  add('gauge', 'script_state', 'Tracker Script State', ['name'], running);
  return { contentType: registry.contentType, text: await registry.metrics() };
}

function mehdy({ name, interface: intf, vrid, state }: InstanceStatus) {
  return { iname: name, intf, vrid: String(vrid), state };
}

function gen2brain({ name, interface: intf, vrid, state }: InstanceStatus) {
  return { name, intf, vrid: String(vrid), state };
}
