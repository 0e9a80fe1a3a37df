/** `alert` blocks, and keepalived's mails, become sinks of alarms. */
import {
  sinkKey,
  sinkName,
  type MailSettings,
  type SinkSettings,
} from '../../alert/alertSettings.js';
import { seconds } from '../../base/time.js';
import type { RootValues } from '../keywords/rootRows.js';
import { last, type Located } from '../table/row.js';
import { allItems, optional, valueOf, type BuildContext } from './context.js';
import type { GlobalValues } from './globals.js';
import { buildScript } from './notify.js';
import { nameOf } from './trackers.js';

/** More would be a mistake: each keeps a place in the queue. */
const mostSinks = 16;

/** undefined: nobody is told. */
export function buildAlerts(
  root: RootValues,
  globals: GlobalValues,
  context: BuildContext,
): readonly SinkSettings[] | undefined {
  const located = root.alert.flatMap((block) => sinksOf(block, context));
  const sinks: SinkSettings[] = [];
  for (const { value, at } of located) {
    if (sinks.some((one) => sinkKey(one) === sinkKey(value))) {
      const message = `${sinkName(value)} stands twice in the alert blocks`;
      context.problems.error(at, 'duplicate-name', message, { expected: 'one line for each' });
    }
    sinks.push(value);
  }
  const beyond = located[mostSinks];
  if (beyond !== undefined) {
    const message = `more than ${mostSinks} lines say where alarms go`;
    context.problems.error(beyond.at, 'out-of-range', message, {
      expected: 'one that passes them on',
    });
  }
  const mail = buildMail(root, globals, context);
  const all = mail === undefined ? sinks : [...sinks, mail];
  return all.length === 0 ? undefined : all;
}

function sinksOf(
  { value, at }: RootValues['alert'][number],
  context: BuildContext,
): readonly Located<SinkSettings>[] {
  const { exec, webhook, on, repeat } = value.values;
  if (exec.length + webhook.length === 0 && !isAnyMentioned(value.mentioned)) {
    context.problems.error(at, 'missing-keyword', "'alert' tells nobody", {
      expected: 'exec COMMAND, or webhook URL',
    });
  }
  const period = valueOf(repeat);
  const taken = {
    on: valueOf(on) ?? (['role', 'problem'] as const),
    ...optional('repeat', period === undefined ? undefined : seconds(period)),
  };
  return [
    ...exec.map((line) => ({
      ...line,
      value: { kind: 'exec' as const, command: buildScript(line, context), ...taken },
    })),
    ...webhook.map((line) => ({
      ...line,
      value: { kind: 'webhook' as const, url: line.value, ...taken },
    })),
  ];
}

function isAnyMentioned(mentioned: ReadonlySet<string>): boolean {
  return mentioned.has('exec') || mentioned.has('webhook');
}

/** undefined: nobody is mailed. */
function buildMail(
  root: RootValues,
  globals: GlobalValues,
  context: BuildContext,
): MailSettings | undefined {
  const byDefault = valueOf(globals.smtp_alert_vrrp) ?? valueOf(globals.smtp_alert) ?? false;
  const namesOf = (blocks: RootValues['vrrp_instance' | 'vrrp_sync_group']): readonly string[] =>
    blocks
      .filter(({ value }) => valueOf(value.values.smtp_alert) ?? byDefault)
      .map(({ value }) => nameOf(value));
  const instances = namesOf(root.vrrp_instance);
  const groups = namesOf(root.vrrp_sync_group);
  if (instances.length + groups.length === 0) return undefined;
  const to = allItems(globals.notification_email).flatMap(({ value }) => value);
  const server = valueOf(globals.smtp_server);
  if (server === undefined || to.length === 0) {
    warnIncomplete(root, globals, server === undefined, context);
    return undefined;
  }
  const { host, port } = server;
  return {
    kind: 'mail',
    ...{ host, port, to, instances, groups },
    helo: valueOf(globals.smtp_helo_name) ?? context.hostName,
    from: valueOf(globals.notification_email_from) ?? `keepalived@${context.hostName}`,
    connectTimeout: seconds(valueOf(globals.smtp_connect_timeout) ?? 30),
    routerId: valueOf(globals.router_id) ?? context.hostName,
    tellsFaults: !(valueOf(globals.no_email_faults) ?? false),
  };
}

/** keepalived says nothing, and sends nothing. */
function warnIncomplete(
  root: RootValues,
  globals: GlobalValues,
  lacksServer: boolean,
  { problems }: BuildContext,
): void {
  const asked =
    last(globals.smtp_alert_vrrp) ??
    last(globals.smtp_alert) ??
    [...root.vrrp_sync_group, ...root.vrrp_instance].flatMap(({ value }) => [
      ...value.values.smtp_alert,
    ])[0];
  if (asked === undefined) return;
  const missing = lacksServer ? 'smtp_server' : 'notification_email';
  const message = `'${asked.keyword}' sends no mail: global_defs lacks ${missing}, as in keepalived`;
  problems.warning(asked.at, 'mail-incomplete', message, {
    expected: 'smtp_server and notification_email in global_defs, or no smtp_alert',
  });
}
