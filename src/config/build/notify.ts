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

const syncScript = 'primary-backup.sh';

/** A line that calls conntrackd's primary-backup.sh: keepstate does in-process what it would do. */
export function isSyncLine(line: ScriptLine): boolean {
  return line.words.some((word) => word === syncScript || word.endsWith(`/${syncScript}`));
}

/** Where the first such line stands. */
export function syncLineOf(values: NotifyValues): Position | undefined {
  const lines = [
    ...values.notify_master,
    ...values.notify_backup,
    ...values.notify_fault,
    ...values.notify_stop,
    ...values.notify,
  ];
  return lines.find(({ value }) => isSyncLine(value))?.at;
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
    if (withoutSyncLines && isSyncLine(counted.value)) return undefined;
    return buildScript(counted, context);
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
): ScriptCommand {
  const [program] = value.words;
  if (program !== undefined) context.uses.push({ kind: 'script', name: program, at });
  if (value.user !== undefined) context.uses.push({ kind: 'user', name: value.user, at });
  return { words: value.words, ...optional('user', value.user), ...optional('group', value.group) };
}
