/**
 * Which role changes are mailed, and in which words: those of keepalived 2.2.7, whose mails a
 * server was given (sync group, cable pulled, reload, stop). A stop is not mailed, and INIT never.
 * Pure.
 */
import type { Alarm, RoleAlarm } from './alarm.js';
import type { MailSettings } from './alertSettings.js';

const mailedStates: readonly string[] = ['MASTER', 'BACKUP', 'FAULT'];

export function isMailed(alarm: Alarm, settings: MailSettings): alarm is RoleAlarm {
  if (alarm.kind !== 'role') return false;
  const { name, kind, to } = alarm.role;
  if (!mailedStates.includes(to) || (to === 'FAULT' && !settings.tellsFaults)) return false;
  if (kind === 'instance') return settings.instances.includes(name);
  return kind === 'group' && settings.groups.includes(name);
}

export interface MailText {
  readonly subject: string;
  readonly text: string;
}

/** keepalived's subject and sentence; behind them why it is so, which keepalived does not say. */
export function mailText({ role, text }: RoleAlarm, { routerId }: MailSettings): MailText {
  const { name, kind, to } = role;
  const isGroup = kind === 'group';
  const sentence = isGroup
    ? `All VRRP group instances are now in ${to} state`
    : `VRRP Instance is ${to === 'MASTER' ? 'now' : 'no longer'} owning VRRP VIPs`;
  return {
    subject: `[${routerId}] VRRP ${isGroup ? 'Group' : 'Instance'} ${name} - Entering ${to} state`,
    text: `=> ${sentence} <=\n\n${text}\n`,
  };
}
