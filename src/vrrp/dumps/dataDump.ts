/**
 * Configuration and state for people, in the manner of keepalived.data (SIGUSR1): the sections and
 * the lines that scripts are known to read. Passwords are masked. Pure.
 */
import { formatIp } from '../../base/ipAddress.js';
import { toSeconds, type Microseconds } from '../../base/time.js';
import { masterDownTime } from '../machine/timing.js';
import type { InstanceSettings, VrrpSettings } from '../settings.js';
import type { StateName } from '../machine/actions.js';
import type {
  InstanceSnapshot,
  ItemSnapshot,
  RouterSnapshot,
  UnitSnapshot,
} from '../status/snapshot.js';

export function dataText(settings: VrrpSettings, snapshot: RouterSnapshot): string {
  const membersIn = (state: StateName, { members }: UnitSnapshot): number =>
    snapshot.instances.filter((one) => members.includes(one.name) && one.state === state).length;
  const lines = [
    '------< Global definitions >------',
    ` Router ID = ${settings.routerId}`,
    '------< VRRP Topology >------',
    ...snapshot.instances.flatMap((instance) => {
      const own = settings.instances.find((one) => one.name === instance.name);
      const group = settings.groups.find(({ members }) => members.includes(instance.name));
      return own === undefined ? [] : instanceLines(own, instance, group?.name);
    }),
    '------< VRRP Sync groups >------',
    ...snapshot.units
      .filter((unit) => unit.isGroup)
      .flatMap((unit) => [
        ` VRRP Sync Group = ${unit.name}, ${unit.state}`,
        `   Num member fault ${membersIn('FAULT', unit)}, num member init ${membersIn('INIT', unit)}`,
        '   VRRP member instances :',
        ...unit.members.map((member) => `     ${member}`),
      ]),
    '------< VRRP Scripts >------',
    ...settings.scripts.flatMap((script) => {
      const report = snapshot.scripts.find((one) => one.name === script.name);
      return [
        ` VRRP Script = ${script.name}`,
        `   Command = ${script.command.words.map((word) => `'${word}'`).join(' ')}`,
        `   Interval = ${toSeconds(script.interval)} sec`,
        `   Timeout = ${toSeconds(script.timeout)} sec`,
        `   Weight = ${script.weight}`,
        `   Rise = ${script.rise}`,
        `   Fall = ${script.fall}`,
        `   Status = ${report?.verdict.toUpperCase() ?? 'not used'}`,
        `   State = ${report?.isRunning === true ? 'running' : 'idle'}`,
      ];
    }),
  ];
  return `${lines.join('\n')}\n`;
}

function instanceLines(
  settings: InstanceSettings,
  now: InstanceSnapshot,
  group: string | undefined,
): readonly string[] {
  const excluded = now.vips.filter((vip) => vip.isExcluded);
  const advertised = now.vips.filter((vip) => !vip.isExcluded);
  return [
    ` VRRP Instance = ${settings.name}`,
    `   VRRP Version = ${settings.version}`,
    ...(group === undefined ? [] : [`   Sync group = ${group}`]),
    `   State = ${now.state}`,
    ...(settings.unicastPeers.length === 0
      ? ['   Flags: none']
      : ['   Flags:', '     Using unicast']),
    `   Wantstate = ${now.state}`,
    `   Number of interface and track script faults = ${now.faults.length}`,
    // Not keepalived's: its dump counts faults and does not name them.
    ...now.faults.map((fault) => `     ${fault}`),
    `   Last transition = ${toSeconds(now.since).toFixed(6)} (${localText(now.since)})`,
    `   Master down timer = ${masterDownTime(settings, now)} usecs`,
    `   Interface = ${settings.interfaceName}`,
    `   Using src_ip = ${sourceText(settings, now)}`,
    ...(settings.unicastPeers.length === 0
      ? [`   Multicast address ${formatIp(settings.multicastGroup)}`]
      : []),
    ...garpLines(settings),
    ...priorityLines(settings, now),
    ...(settings.authentication.kind === 'pass'
      ? ['   Authentication type = SIMPLE_PASSWORD', '   Password = ********']
      : ['   Authentication type = none']),
    ...hmacLines(settings),
    ...itemLines('Virtual IP', advertised),
    ...itemLines('Virtual IP Excluded', excluded),
    ...itemLines('Virtual Routes and Rules', now.routes),
    ...unicastLines(settings),
    ...scriptLines(settings),
  ];
}

function hmacLines({ hmac }: InstanceSettings): readonly string[] {
  if (hmac === undefined) return [];
  return [
    `   HMAC authentication = ${hmac.mode}, ${hmac.antiReplay}`,
    ...(hmac.antiReplay === 'time' ? [`   Time window = ${toSeconds(hmac.timeWindow)} sec`] : []),
    ...hmac.keys.map(
      ({ id, secret }) =>
        `   HMAC key ${id} fingerprint ${secret.fingerprint}${id === hmac.activeKeyId ? ' active' : ''}`,
    ),
  ];
}

function sourceText({ sourceAddress }: InstanceSettings, now: InstanceSnapshot): string {
  if (sourceAddress === undefined) return now.sourceAddress ?? '(none)';
  return `${formatIp(sourceAddress)} (from configuration)`;
}

function priorityLines(settings: InstanceSettings, now: InstanceSnapshot): readonly string[] {
  return [
    `   Down timer adverts = ${settings.downTimerAdverts}`,
    `   Send advert after receive lower priority advert = ${!settings.lowerPrioNoAdvert}`,
    `   Send advert after receive higher priority advert = ${settings.higherPrioSendAdvert}`,
    `   Virtual Router ID = ${settings.virtualRouterId}`,
    `   Priority = ${settings.priority}`,
    `   Effective priority = ${now.effectivePriority}`,
    `   Advert interval = ${toSeconds(settings.advertInterval)} sec`,
    `   Accept = ${enabled(settings.accept)}`,
    `   Preempt = ${enabled(settings.preempt)}`,
    ...(settings.preemptDelay === 0
      ? []
      : [`   Preempt delay = ${toSeconds(settings.preemptDelay)} secs`]),
    `   Promote_secondaries = ${enabled(settings.promoteSecondaries)}`,
  ];
}

function unicastLines(settings: InstanceSettings): readonly string[] {
  if (settings.unicastPeers.length === 0) return [];
  return [
    `   Unicast TTL = ${settings.unicastTtl}`,
    `   Check unicast src : ${settings.checkUnicastSource ? 'yes' : 'no'}`,
    '   Unicast Peer :',
    ...settings.unicastPeers.map((peer) => `     ${formatIp(peer.address)}`),
  ];
}

function scriptLines({ tracking }: InstanceSettings): readonly string[] {
  if (tracking.scripts.length === 0) return [];
  const lines = tracking.scripts.map(({ name, weight }) => `     ${name} weight ${weight}`);
  return ['   Tracked scripts :', ...lines];
}

function enabled(is: boolean): string {
  return is ? 'enabled' : 'disabled';
}

function garpLines({ garp }: InstanceSettings): readonly string[] {
  return [
    // Whole seconds, as in keepalived: an exporter gives up at anything else.
    `   Gratuitous ARP delay = ${Math.trunc(toSeconds(garp.masterDelay))}`,
    `   Gratuitous ARP repeat = ${garp.masterRepeat}`,
    `   Gratuitous ARP refresh = ${toSeconds(garp.masterRefresh)}`,
    `   Gratuitous ARP refresh repeat = ${garp.masterRefreshRepeat}`,
    `   Gratuitous ARP lower priority delay = ${toSeconds(garp.lowerPrioDelay)}`,
    `   Gratuitous ARP lower priority repeat = ${garp.lowerPrioRepeat}`,
  ];
}

function itemLines(title: string, items: readonly ItemSnapshot[]): readonly string[] {
  if (items.length === 0) return [];
  const lines = items.map(
    ({ text, state }) => `     ${text}${state === 'absent' ? '' : ` ${state}`}`,
  );
  return [`   ${title} (${items.length}):`, ...lines];
}

/** keepalived's ctime(3) with microseconds, in local time: `Wed Nov 25 13:28:22.378429 2026`. */
function localText(at: Microseconds): string {
  const date = new Date(at / 1_000);
  const [day, month, monthDay, year] = date.toDateString().split(' ');
  const time = date.toTimeString().slice(0, 8);
  const fraction = String(Math.floor(at % 1_000_000)).padStart(6, '0');
  return `${day ?? ''} ${month ?? ''} ${String(Number(monthDay)).padStart(2)} ${time}.${fraction} ${year ?? ''}`;
}
