/** Where alarms go, and which of them. Plain data: it crosses a thread. */
import type { Microseconds } from '../base/time.js';
import type { ScriptCommand } from '../vrrp/settings.js';

/**
 * `on`: which alarms a sink takes. `role`: transitions. `takeover`: their completion. `problem`:
 * beginnings and ends of problems. `error`: of those whose severity is error.
 */
export const alarmWords = ['role', 'takeover', 'problem', 'error'] as const;
export type AlarmWord = (typeof alarmWords)[number];

interface AlertBlock {
  readonly on: readonly AlarmWord[];
  /** A problem that goes on is told again after that long; absent: once. */
  readonly repeat?: Microseconds;
}

export interface ExecSettings extends AlertBlock {
  readonly kind: 'exec';
  readonly command: ScriptCommand;
}

export interface WebhookSettings extends AlertBlock {
  readonly kind: 'webhook';
  /** http or https; may hold a secret, so that only its host is shown. */
  readonly url: string;
}

/** keepalived's mails. */
export interface MailSettings {
  readonly kind: 'mail';
  /** Address or name. */
  readonly host: string;
  readonly port: number;
  readonly helo: string;
  readonly from: string;
  readonly to: readonly string[];
  readonly connectTimeout: Microseconds;
  /** Stands in the subject. */
  readonly routerId: string;
  /** Those with smtp_alert. */
  readonly instances: readonly string[];
  readonly groups: readonly string[];
  /** no_email_faults is absent. */
  readonly tellsFaults: boolean;
}

export type SinkSettings = ExecSettings | WebhookSettings | MailSettings;

/** Whom commands run as, and whether they are looked at before. */
export interface CommandPolicy {
  readonly scriptUser?: { readonly user: string; readonly group?: string };
  readonly enableScriptSecurity: boolean;
}

/**
 * What tells one sink from another over restarts and reloads: its place in the queue belongs to
 * it. One that changes what it takes keeps its place; mail has one place.
 */
export function sinkKey(sink: SinkSettings): string {
  switch (sink.kind) {
    case 'exec': {
      const { words, user = '', group = '' } = sink.command;
      return JSON.stringify(['exec', ...words, user, group]);
    }
    case 'webhook':
      return JSON.stringify(['webhook', sink.url]);
    case 'mail':
      return 'mail';
  }
}

/** As `sinkName`, the second of one name with (2) behind it. */
export function sinkNames(sinks: readonly SinkSettings[]): readonly string[] {
  const names = sinks.map(sinkName);
  return names.map((name, i) => {
    const before = names.slice(0, i).filter((one) => one === name).length;
    return before === 0 ? name : `${name} (${before + 1})`;
  });
}

/** For status and log: without what a URL holds besides its host, and without arguments. */
export function sinkName(sink: SinkSettings): string {
  switch (sink.kind) {
    case 'exec':
      return `exec ${sink.command.words[0] ?? ''}`;
    case 'webhook': {
      const { protocol, host } = new URL(sink.url);
      return `webhook ${protocol}//${host}`;
    }
    case 'mail':
      return `mail ${sink.host}`;
  }
}
