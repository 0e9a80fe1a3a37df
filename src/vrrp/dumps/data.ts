/**
 * Configuration and state for people, in the manner of keepalived.data (SIGUSR1): the sections and the lines
 * that scripts are known to read. Passwords are masked. Pure.
 */
import { formatIp } from '../../base/ipAddress.js';
import { toSeconds, type Microseconds } from '../../base/time.js';
import { masterDownTime } from '../timing.js';
import type { InstanceSettings, VrrpSettings } from '../settings.js';
import type { InstanceSnapshot, ItemSnapshot, RouterSnapshot } from '../snapshot.js';

export function dataText(settings: VrrpSettings, snapshot: RouterSnapshot): string {
  const lines = [
    '------< Global definitions >------',
    ` Router ID = ${settings.routerId}`,
    '------< VRRP Topology >------',
    ...snapshot.instances.flatMap((instance) => {
      const own = settings.instances.find((one) => one.name === instance.name);
      return own === undefined ? [] : instanceLines(own, instance);
    }),
    '------< VRRP Sync groups >------',
    ...snapshot.units
      .filter((unit) => unit.isGroup)
      .flatMap((unit) => [
        ` VRRP Sync Group = ${unit.name}, ${unit.state}`,
        `   Num member = ${unit.members.length}`,
        ...unit.members.map((member) => `   monitor = ${member}`),
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
        `   Status = ${report?.verdict ?? 'not used'}`,
      ];
    }),
  ];
  return `${lines.join('\n')}\n`;
}

function instanceLines(settings: InstanceSettings, now: InstanceSnapshot): readonly string[] {
  const origin = settings.sourceAddress === undefined ? '' : ' (from configuration)';
  const excluded = now.vips.filter((vip) => vip.isExcluded);
  const advertised = now.vips.filter((vip) => !vip.isExcluded);
  return [
    ` VRRP Instance = ${settings.name}`,
    `   VRRP Version = ${settings.version}`,
    `   State = ${now.state}`,
    `   Wantstate = ${now.state}`,
    `   Last transition = ${toSeconds(now.since).toFixed(6)} (${wallText(now.since)})`,
    `   Master down timer = ${masterDownTime(settings, now)} usecs`,
    `   Interface = ${settings.interfaceName}`,
    `   Using src_ip = ${now.sourceAddress ?? '(none)'}${origin}`,
    ...(settings.unicastPeers.length === 0
      ? [`   Multicast address ${formatIp(settings.multicastGroup)}`]
      : [
          `   Unicast peers: ${settings.unicastPeers.map((peer) => formatIp(peer.address)).join(' ')}`,
        ]),
    ...garpLines(settings),
    `   Virtual Router ID = ${settings.virtualRouterId}`,
    `   Priority = ${settings.priority}`,
    `   Effective priority = ${now.effectivePriority}`,
    `   Advert interval = ${toSeconds(settings.advertInterval)} sec`,
    `   Preempt = ${settings.preempt ? 'enabled' : 'disabled'}`,
    ...(settings.preemptDelay === 0
      ? []
      : [`   Preempt delay = ${toSeconds(settings.preemptDelay)} secs`]),
    ...(settings.authentication.kind === 'pass'
      ? ['   Authentication type = SIMPLE_PASSWORD', '   Password = ********']
      : []),
    ...itemLines('Virtual IP', advertised),
    ...itemLines('Virtual IP Excluded', excluded),
    ...itemLines('Virtual Routes and Rules', now.routes),
  ];
}

function garpLines({ garp }: InstanceSettings): readonly string[] {
  return [
    `   Gratuitous ARP delay = ${toSeconds(garp.masterDelay)}`,
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

/** UTC; the clock's time in seconds stands beside it. */
function wallText(at: Microseconds): string {
  return new Date(at / 1_000).toUTCString();
}
