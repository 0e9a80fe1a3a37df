/** Notify lines become script commands; lines that the sync engine does itself are recognised. */
import type { NotifySettings, ScriptCommand } from '../../vrrp/settings.js';
import type { Position } from '../problem.js';
import { last, type Located } from '../table/row.js';
import type { ScriptLine } from '../table/wordTypes.js';
import { optional, valueOf, type BuildContext } from './context.js';

/** The notify keywords of a group or instance. */
export interface NotifyValues {
  readonly notify_master: readonly Located<ScriptLine>[];
  readonly notify_backup: readonly Located<ScriptLine>[];
  readonly notify_fault: readonly Located<ScriptLine>[];
  readonly notify_stop: readonly Located<ScriptLine>[];
  readonly notify: readonly Located<ScriptLine>[];
  readonly notify_deleted?: readonly Located<ScriptLine>[];
  readonly notify_master_rx_lower_pri?: readonly Located<ScriptLine>[];
  readonly notify_priority_changes: readonly Located<boolean>[];
}

/**
 * The script that a line calls, where it is conntrackd's primary-backup.sh or one that
 * `conntrack_sync_script` names: keepstate does in-process what it would do.
 */
export function syncScriptOf(line: ScriptLine, names: readonly string[]): string | undefined {
  return names.find((name) =>
    line.words.some((word) => word === name || word.endsWith(`/${name}`)),
  );
}

/** Where the first such line stands, and what it calls. */
export function syncLineOf(
  values: NotifyValues,
  names: readonly string[],
): { readonly at: Position; readonly script: string } | undefined {
  const lines = [
    ...values.notify_master,
    ...values.notify_backup,
    ...values.notify_fault,
    ...values.notify_stop,
    ...values.notify,
  ];
  for (const { value, at } of lines) {
    const script = syncScriptOf(value, names);
    if (script !== undefined) return { at, script };
  }
  return undefined;
}

/** `withoutSyncLines`: those are done by the sync engine and not executed. */
export function buildNotify(
  values: NotifyValues,
  withoutSyncLines: boolean,
  prioritiesByDefault: boolean,
  context: BuildContext,
): NotifySettings {
  const script = (
    located: readonly Located<ScriptLine>[] | undefined,
  ): ScriptCommand | undefined => {
    const counted = last(located ?? []);
    if (counted === undefined || counted.value.words.length === 0) return undefined;
    const isSync = syncScriptOf(counted.value, context.syncScripts) !== undefined;
    if (withoutSyncLines && isSync) return undefined;
    return buildScript(counted, context, true);
  };
  return {
    ...optional('master', script(values.notify_master)),
    ...optional('backup', script(values.notify_backup)),
    ...optional('fault', script(values.notify_fault)),
    ...optional('stop', script(values.notify_stop)),
    ...optional('deleted', script(values.notify_deleted)),
    ...(isBare(values.notify_deleted) ? { reportsDeleted: true } : {}),
    ...optional('masterReceivedLowerPriority', script(values.notify_master_rx_lower_pri)),
    ...optional('generic', script(values.notify)),
    priorityChanges: valueOf(values.notify_priority_changes) ?? prioritiesByDefault,
  };
}

/** `notify_deleted` alone names no script. */
function isBare(located: readonly Located<ScriptLine>[] | undefined): boolean {
  return last(located ?? [])?.value.words.length === 0;
}

/** Notes the program and the user for the check of the machine. */
export function buildScript(
  { value, at }: Located<ScriptLine>,
  context: BuildContext,
  isNotify = false,
): ScriptCommand {
  const [program] = value.words;
  if (program !== undefined) context.uses.push({ kind: 'script', name: program, at, isNotify });
  if (value.user !== undefined) context.uses.push({ kind: 'user', name: value.user, at });
  return { words: value.words, ...optional('user', value.user), ...optional('group', value.group) };
}
