/**
 * A life of alarms: role changes while the daemon is killed and the receiver is away; afterwards
 * each alarm was told at least once, in order, under one id.
 */
import { chmodSync } from 'node:fs';
import type { Alarm } from '../../../src/alert/alarm.js';
import type { HistoryEntry } from '../../../src/control/statusAnswer.js';
import type { Host } from '../../lab/host.js';
import { waitFor } from '../../lab/waitFor.js';
import { KeepstateNode } from '../daemon/keepstateNode.js';
import { AlarmReceiver, linesOf } from './alarmReceiver.js';

export interface AlarmLife {
  readonly roleChanges: number;
  /** Before which changes the process is killed. */
  readonly kills: readonly number[];
  /** Before which change the receiver goes away, and for how long. */
  readonly away: { readonly before: number; readonly milliseconds: number };
}

export interface LivedAlarms {
  readonly webhook: readonly Alarm[];
  readonly exec: readonly Alarm[];
  readonly mails: readonly string[];
  readonly history: readonly HistoryEntry[];
}

export function alarmConfig(receiver: AlarmReceiver, alert: readonly string[]): string {
  return `global_defs {
  router_id fw1
  smtp_server 127.0.0.1 ${receiver.smtpPort}
  notification_email {
    admin@example.com
  }
  smtp_alert
  script_user root
  history_size 1000
}
alert {
  ${alert.join('\n  ')}
}
vrrp_instance A {
  interface wan
  virtual_router_id 77
  version 3
  advert_int 0.1
  virtual_ipaddress {
    10.4.0.9/24
  }
}
`;
}

/** A command that writes down what it is given. */
function writingCommand(host: Host): string {
  const path = host.file('alarm.sh', `#!/bin/sh\ncat >> ${host.directory}/exec.taken\n`);
  chmodSync(path, 0o755);
  return path;
}

export async function liveAlarms(host: Host, life: AlarmLife): Promise<LivedAlarms> {
  const receiver = new AlarmReceiver(host);
  await receiver.start();
  const command = writingCommand(host);
  const lines = [`webhook ${receiver.url}`, `exec ${command}`, 'on role takeover problem'];
  const node = new KeepstateNode(host, alarmConfig(receiver, lines));
  await node.start();
  await node.waitForRole('MASTER');
  let isBack = Promise.resolve();
  for (let change = 0; change < life.roleChanges; change++) {
    if (life.kills.includes(change)) {
      await node.process.kill();
      await node.start();
      await node.waitForRole(change % 2 === 0 ? 'MASTER' : 'BACKUP');
    }
    if (change === life.away.before) {
      await receiver.stop();
      const until = performance.now() + life.away.milliseconds;
      isBack = waitFor(() => performance.now() > until, {
        timeout: life.away.milliseconds + 60_000,
      }).then(() => receiver.start());
    }
    const on = change % 2 === 0;
    await node.ask({ verb: 'maintenance', on, force: true });
    await node.waitForRole(on ? 'BACKUP' : 'MASTER');
  }
  await isBack;
  const status = await node.waitForStatus(
    ({ alerts }) => alerts?.sinks.length === 3 && alerts.sinks.every(isIdle),
    'everything to be told',
    { timeout: 180_000 },
  );
  if (status.alerts?.sinks.some(({ lost }) => lost > 0) === true) throw new Error('alarms lost');
  const history = await node.history();
  await node.stop();
  await receiver.stop();
  const exec = linesOf(`${host.directory}/exec.taken`).map((line) => JSON.parse(line) as Alarm);
  return { webhook: receiver.alarms, exec, mails: receiver.mails, history };
}

function isIdle({ waiting, failures }: { waiting: number; failures: number }): boolean {
  return waiting === 0 && failures === 0;
}

/** What is wrong with what one sink was told; empty: nothing. `repetitions`: as many may be. */
export function faultsOf(told: readonly Alarm[], repetitions: number): readonly string[] {
  const faults: string[] = [];
  const byId = new Map<string, Alarm>();
  let last = 0;
  let repeated = 0;
  for (const alarm of told) {
    const before = byId.get(alarm.id);
    if (before === undefined) {
      if (alarm.sequence !== last + 1) faults.push(`${alarm.sequence} came behind ${last}`);
      last = alarm.sequence;
      byId.set(alarm.id, alarm);
    } else {
      repeated++;
      if (JSON.stringify(before) !== JSON.stringify(alarm)) faults.push(`${alarm.id} is another`);
      if (alarm.sequence !== last) faults.push(`${alarm.sequence} again behind ${last}`);
    }
  }
  if (repeated > repetitions) faults.push(`${repeated} repetitions`);
  return faults;
}

/** Transitions of the history that nobody was told of. */
export function untold(history: readonly HistoryEntry[], told: readonly Alarm[]): string[] {
  const known = new Set(
    told.flatMap((alarm) => (alarm.kind === 'role' ? [`${alarm.at} ${alarm.role.to}`] : [])),
  );
  return history.map(({ at, to }) => `${at} ${to}`).filter((one) => !known.has(one));
}
