/** The process half of `General`, `Stats`, and keepstate's own keywords. */
import { isSocketPathTooLong, longestSocketPath } from '../../base/socketPath.js';
import { milliseconds, seconds } from '../../base/time.js';
import {
  defaultControlPath,
  type GeneralSettings,
  type KeepstateSettings,
} from '../nodeSettings.js';
import type { RootValues } from '../keywords/rootRows.js';
import { last, type Located } from '../table/row.js';
import { optional, valueOf, type BuildContext } from './context.js';
import type { GlobalValues } from './globals.js';
import { one, type GeneralValues } from './sync.js';

export function buildGeneral(
  general: GeneralValues | undefined,
  context: BuildContext,
): GeneralSettings {
  const unix = general === undefined ? undefined : last(general.UNIX);
  const path = unix === undefined ? undefined : last(unix.value.values.Path);
  refuseLongSocketPath(path, context);
  return {
    ...optional('logFile', logPath(one(general, 'LogFile'), '/var/log/conntrackd.log')),
    ...optional('syslogFacility', facility(one(general, 'Syslog'))),
    lockFile: one(general, 'LockFile') ?? '/var/lock/conntrackd.lock',
    ...optional('unixPath', path?.value),
  };
}

/** conntrackd has either mode; its log of connections is not kept here, which the table says. */
export function refuseStatsBesideSync(root: RootValues, { problems }: BuildContext): void {
  const stats = last(root.Stats);
  if (stats === undefined || root.Sync.length === 0) return;
  problems.error(stats.at, 'mixed-modes', "'Stats' stands beside 'Sync'", {
    expected: 'one of them: conntrackd has either mode',
  });
}

function refuseLongSocketPath(path: Located<string> | undefined, { problems }: BuildContext): void {
  if (path === undefined || !isSocketPathTooLong(path.value)) return;
  problems.error(path.at, 'out-of-range', 'the path of a socket is too long', {
    expected: `at most ${longestSocketPath} bytes`,
  });
}

/** The table gives '' for off. */
function facility(name: string | undefined): string | undefined {
  return name === '' ? undefined : name;
}

function logPath(
  target: { readonly path: string | undefined; readonly isOn: boolean } | undefined,
  whenOn: string,
): string | undefined {
  return target?.isOn === true ? (target.path ?? whenOn) : undefined;
}

export function buildKeepstate(globals: GlobalValues, context: BuildContext): KeepstateSettings {
  const deadline = valueOf(globals.commit_deadline) ?? 1_000;
  const limit = last(globals.commit_limit);
  if (limit !== undefined && limit.value < deadline) {
    const message = `commit_limit ${limit.value} is below commit_deadline ${deadline}`;
    context.problems.error(limit.at, 'out-of-range', message, { expected: `${deadline} or more` });
  }
  const control = last(globals.control_socket);
  refuseLongSocketPath(control, context);
  return {
    controlPath: control?.value ?? defaultControlPath,
    stateDirectory: valueOf(globals.state_directory) ?? '/var/lib/keepstate',
    nodeName: valueOf(globals.node_name) ?? valueOf(globals.router_id) ?? context.hostName,
    commitBeforeVip: valueOf(globals.commit_before_vip) ?? true,
    commitDeadline: milliseconds(deadline),
    commitLimit: milliseconds(limit?.value ?? Math.max(10_000, deadline)),
    preemptSyncTimeout: seconds(valueOf(globals.preempt_sync_timeout) ?? 60),
    historySize: valueOf(globals.history_size) ?? 1_000,
  };
}
