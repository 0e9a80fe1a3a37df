/**
 * What /metrics has to say of an answer to `status`, written down a second time: name and labels,
 * and where the value stands.
 */
import type { StatusAnswer } from '../../../src/control/statusAnswer.js';

const states = ['MASTER', 'BACKUP', 'FAULT', 'INIT'];
const epoch = (iso: string): number => Date.parse(iso) / 1_000;

/** `name{label="value",...}`, labels in the order of the alphabet. */
export function seriesName(name: string, labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return `${name}{${pairs.map(([key, value]) => `${key}="${value}"`).join(',')}}`;
}

export function metricsOfStatus(status: StatusAnswer): ReadonlyMap<string, number> {
  const all = new Map<string, number>();
  const set = (
    name: string,
    value: number | undefined,
    labels: Readonly<Record<string, string>> = {},
  ): void => {
    if (value !== undefined) all.set(seriesName(`keepstate_${name}`, labels), value);
  };
  const setStates = (name: string, state: string, labels: Readonly<Record<string, string>> = {}) =>
    states.forEach((one) => set(name, one === state ? 1 : 0, { ...labels, state: one }));
  setStates('role', status.role);
  set('role_since_seconds', epoch(status.since));
  set('maintenance', Number(status.maintenance));
  set('preemption_held', Number(status.preemptionHeld));
  set('role_changing', status.phase === 'steady' ? 0 : 1);
  set('problems_known', status.problems.length);
  set('problems_ended', status.endedProblems.length);
  for (const { name, state, since } of status.groups) {
    setStates('unit_state', state, { unit: name, kind: 'group' });
    set('unit_since_seconds', epoch(since), { unit: name, kind: 'group' });
  }
  for (const one of status.instances) {
    const at = { instance: one.name, interface: one.interface, vrid: String(one.vrid) };
    setStates('instance_state', one.state, at);
    set('instance_since_seconds', epoch(one.since), at);
    set('instance_effective_priority', one.effectivePriority, at);
    set('instance_faults', one.faults.length, at);
    set('adverts_sent_total', one.counters['advert_sent'], at);
    set('adverts_received_total', one.counters['advert_rcvd'], at);
    set('became_master_total', one.counters['become_master'], at);
    set('other_router_priority', one.peer?.priority, at);
    const missing = one.vips.filter(({ present }) => !present).length;
    set('instance_addresses_missing', one.state === 'MASTER' ? missing : 0, at);
  }
  const { sync } = status;
  if (sync === undefined) return all;
  set('flows', sync.kernel?.flows, { table: 'kernel' });
  set('flows', sync.internal.entries, { table: 'internal' });
  set('flows', sync.external.entries, { table: 'external' });
  set('flows_limit', sync.external.limit, { table: 'external' });
  for (const one of ['equal', 'different', 'unknown']) {
    set('parity', one === sync.parity ? 1 : 0, { parity: one });
  }
  const equalSince = sync.parityEqualSince;
  set('parity_equal_since_seconds', equalSince === undefined ? undefined : epoch(equalSince));
  set('events_total', sync.events.received);
  set('overruns_total', sync.overruns);
  set('queue_messages', sync.queues.resend, { queue: 'resend' });
  set('last_commit_flows', sync.lastCommit?.entries, { result: 'committed' });
  [...states, 'unknown'].forEach((one) =>
    set('peer_role', one === sync.peer.role ? 1 : 0, { state: one }),
  );
  for (const one of sync.links) {
    const at = { interface: one.interface, kind: one.kind };
    set('link_usable', Number(one.usable), at);
    set('link_active', Number(one.active), at);
    set('link_sent_bytes_total', one.bytesSent, at);
  }
  for (const [key, fingerprint] of Object.entries(sync.seal?.keys ?? {})) {
    set('key_active', sync.seal?.activeKey === Number(key) ? 1 : 0, { key, fingerprint });
  }
  return all;
}

/** Series that are wrong or absent, and those of the same names that nothing in `status` has. */
export function differences(
  status: StatusAnswer,
  shown: ReadonlyMap<string, number>,
): readonly string[] {
  const expected = metricsOfStatus(status);
  const names = new Set([...expected.keys()].map((series) => series.replace(/\{.*/, '')));
  const wrong = [...expected].filter(([series, value]) => shown.get(series) !== value);
  const extra = [...shown.keys()].filter(
    (series) => names.has(series.replace(/\{.*/, '')) && !expected.has(series),
  );
  return [
    ...wrong.map(([series, value]) => `${series}: ${shown.get(series) ?? 'absent'}, not ${value}`),
    // `ignored` flows and failed commits have no line above.
    ...extra.filter((series) => !/ignored|"failed"|"transmit"|"internal"|"instance"/.test(series)),
  ];
}
