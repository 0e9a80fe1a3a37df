/**
 * keepalived 2.2.7's JSON dump (signal 36): an array of {data, stats}, one line, slashes escaped,
 * fields in its order. Passwords are masked, as newer versions do. Pure.
 */
import { toSeconds } from '../../base/time.js';
import type { InstanceCounters } from '../machine/counters.js';
import type { StateName } from '../machine/actions.js';
import type { InstanceSettings, NotifySettings, ScriptCommand, VrrpSettings } from '../settings.js';
import type { InstanceSnapshot, ItemSnapshot, RouterSnapshot } from '../status/snapshot.js';

/** keepalived's numbers of states. */
const stateNumbers: Readonly<Record<StateName, number>> = {
  INIT: 0,
  BACKUP: 1,
  MASTER: 2,
  FAULT: 3,
};

/** Without instances keepalived writes no file: undefined. */
export function jsonText(settings: VrrpSettings, snapshot: RouterSnapshot): string | undefined {
  if (snapshot.instances.length === 0) return undefined;
  const elements = snapshot.instances.map((instance) => {
    const own = settings.instances.find((one) => one.name === instance.name);
    const data = own === undefined ? '{}' : objectText(dataFields(settings, own, instance));
    return `{"data":${data},"stats":${JSON.stringify(statsOf(instance))}}`;
  });
  return `[${elements.join(',').replaceAll('/', '\\/')}]\n`;
}

/** A number printed with six decimals, as keepalived prints instants. */
class Decimal {
  readonly text: string;

  constructor(value: number) {
    this.text = value.toFixed(6);
  }
}

type Field = readonly [name: string, value: unknown];

function dataFields(
  all: VrrpSettings,
  settings: InstanceSettings,
  now: InstanceSnapshot,
): readonly Field[] {
  return [
    ['iname', settings.name],
    ['dont_track_primary', settings.trackPrimary ? 0 : 1],
    ['skip_check_adv_addr', settings.skipCheckAdvertAddresses ? 1 : 0],
    ['strict_mode', settings.strict ? 1 : 0],
    ['vmac_ifname', ''],
    ['ifp_ifname', settings.interfaceName],
    ['master_priority', now.master?.priority ?? 0],
    ['last_transition', new Decimal(toSeconds(now.since))],
    ...garpFields(settings),
    ['lower_prio_no_advert', settings.lowerPrioNoAdvert ? 1 : 0],
    ['higher_prio_send_advert', settings.higherPrioSendAdvert ? 1 : 0],
    ['vrid', settings.virtualRouterId],
    ['base_priority', settings.priority],
    ['effective_priority', now.effectivePriority],
    ['vipset', now.vips.some((vip) => vip.state === 'set')],
    ['promote_secondaries', settings.promoteSecondaries],
    ['adver_int', toSeconds(settings.advertInterval)],
    ['master_adver_int', toSeconds(now.masterAdvertInterval)],
    ['accept', settings.accept ? 1 : 0],
    ['nopreempt', !settings.preempt],
    ['preempt_delay', Math.trunc(toSeconds(settings.preemptDelay))],
    ['state', stateNumbers[now.state]],
    ['wantstate', stateNumbers[now.state]],
    ['version', settings.version],
    ['smtp_alert', false],
    [
      'notify_deleted',
      settings.notify.deleted !== undefined || settings.notify.reportsDeleted === true,
    ],
    ...scriptFields(settings.notify),
    ...listField(
      'vips',
      texts(now.vips, (item) => !item.isExcluded),
    ),
    ...listField(
      'evips',
      texts(now.vips, (item) => item.isExcluded),
    ),
    ...listField(
      'vroutes',
      settings.virtualRoutes.map((route) => route.text),
    ),
    ...listField(
      'vrules',
      settings.virtualRules.map((rule) => rule.text),
    ),
    ...listField(
      'track_ifp',
      settings.tracking.interfaces.map((one) => one.name),
    ),
    ...listField('track_script', trackedCommands(all, settings)),
    ...listField(
      'track_process',
      settings.tracking.processes.map((one) => one.name),
    ),
    ['auth_type', settings.authentication.kind === 'pass' ? 1 : 0],
    ...(settings.authentication.kind === 'pass' ? [['auth_data', '********'] as const] : []),
  ];
}

function garpFields({ garp }: InstanceSettings): readonly Field[] {
  return [
    ['garp_delay', Math.trunc(toSeconds(garp.masterDelay))],
    ['garp_refresh', Math.trunc(toSeconds(garp.masterRefresh))],
    ['garp_rep', garp.masterRepeat],
    ['garp_refresh_rep', garp.masterRefreshRepeat],
    ['garp_lower_prio_delay', Math.trunc(toSeconds(garp.lowerPrioDelay))],
    ['garp_lower_prio_rep', garp.lowerPrioRepeat],
  ];
}

function scriptFields(notify: NotifySettings): readonly Field[] {
  const all: readonly (readonly [string, ScriptCommand | undefined])[] = [
    ['script_backup', notify.backup],
    ['script_master', notify.master],
    ['script_fault', notify.fault],
    ['script_stop', notify.stop],
    ['script_deleted', notify.deleted],
    ['script', notify.generic],
    ['script_master_rx_lower_pri', notify.masterReceivedLowerPriority],
  ];
  return all.flatMap(([name, command]): Field[] =>
    command === undefined ? [] : [[name, quoted(command)]],
  );
}

/** The commands, not the names (keepalived 2.2.7). */
function trackedCommands(all: VrrpSettings, settings: InstanceSettings): readonly string[] {
  return settings.tracking.scripts.flatMap(({ name }) => {
    const script = all.scripts.find((one) => one.name === name);
    return script === undefined ? [] : [quoted(script.command)];
  });
}

function quoted(command: ScriptCommand): string {
  return command.words.map((word) => `'${word}'`).join(' ');
}

function texts(
  items: readonly ItemSnapshot[],
  isWanted: (item: ItemSnapshot) => boolean,
): readonly string[] {
  return items.filter(isWanted).map(({ text, state }) => (state === 'set' ? `${text} set` : text));
}

function listField(name: string, values: readonly string[]): readonly Field[] {
  return values.length === 0 ? [] : [[name, values]];
}

function statsOf({ counters, hmac }: InstanceSnapshot): Readonly<Record<string, number>> {
  return {
    advert_rcvd: counters.advert_rcvd,
    advert_sent: counters.advert_sent,
    become_master: counters.become_master,
    release_master: counters.release_master,
    packet_len_err: counters.packet_len_err,
    advert_interval_err: counters.advert_interval_err,
    ip_ttl_err: counters.ip_ttl_err,
    invalid_type_rcvd: counters.invalid_type_rcvd,
    addr_list_err: counters.addr_list_err,
    invalid_authtype: counters.invalid_authtype,
    authtype_mismatch: counters.authtype_mismatch,
    auth_failure: counters.auth_failure,
    pri_zero_rcvd: counters.pri_zero_rcvd,
    pri_zero_sent: counters.pri_zero_sent,
    ...(hmac === undefined ? {} : extensionStats(counters)),
  };
}

function extensionStats(counters: InstanceCounters): Readonly<Record<string, number>> {
  const all = Object.entries(counters) as [string, number][];
  return Object.fromEntries(all.filter(([name]) => name.startsWith('auth_ext_')));
}

function objectText(fields: readonly Field[]): string {
  const parts = fields.map(([name, value]) => {
    const text = value instanceof Decimal ? value.text : JSON.stringify(value);
    return `${JSON.stringify(name)}:${text}`;
  });
  return `{${parts.join(',')}}`;
}
