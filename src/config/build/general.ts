/** The process half of `General`, and keepstate's own keywords. */
import { isSocketPathTooLong, longestSocketPath } from '../../base/socketPath.js';
import { milliseconds, seconds } from '../../base/time.js';
import {
  defaultControlPath,
  type GeneralSettings,
  type KeepstateSettings,
} from '../nodeSettings.js';
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
    ...optional('syslogFacility', syslogFacility(one(general, 'Syslog'))),
    lockFile: one(general, 'LockFile') ?? '/var/lock/conntrackd.lock',
    ...optional('unixPath', path?.value),
  };
}

export function refuseLongSocketPath(
  path: Located<string> | undefined,
  { problems }: BuildContext,
): void {
  if (path === undefined || !isSocketPathTooLong(path.value)) return;
  problems.error(path.at, 'out-of-range', 'the path of a socket is too long', {
    expected: `at most ${longestSocketPath} bytes`,
  });
}

/** The table gives '' for off. */
export function syslogFacility(name: string | undefined): string | undefined {
  return name === '' ? undefined : name;
}

/** `whenOn`: the path of `on`. */
export function logPath(
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
    ...optional('readGroup', valueOf(globals.control_read_group)),
    stateDirectory: valueOf(globals.state_directory) ?? '/var/lib/keepstate',
    ...optional('pidFile', valueOf(globals.pid_file)),
    nodeName: valueOf(globals.node_name) ?? valueOf(globals.router_id) ?? context.hostName,
    commitBeforeVip: valueOf(globals.commit_before_vip) ?? true,
    commitDeadline: milliseconds(deadline),
    commitLimit: milliseconds(limit?.value ?? Math.max(10_000, deadline)),
    preemptSyncTimeout: seconds(valueOf(globals.preempt_sync_timeout) ?? 60),
    ...buildProcess(globals),
    historySize: valueOf(globals.history_size) ?? 1_000,
  };
}

function buildProcess(
  globals: GlobalValues,
): Pick<KeepstateSettings, 'returnRole' | 'logFormat' | 'processName'> {
  return {
    returnRole: valueOf(globals.return_role) ?? false,
    logFormat: valueOf(globals.log_format) ?? 'text',
    ...optional('processName', valueOf(globals.process_name)),
  };
}
