/**
 * An alarm as it is told and kept: docs/alarms.md describes each field. One alarm has one `id`,
 * however often it is told.
 */

/** What all alarms have. */
interface AlarmHead {
  /** Of this form. */
  readonly version: 1;
  /** The same on each repetition; never given twice. */
  readonly id: string;
  /** Grows by one from alarm to alarm of a node, over restarts. */
  readonly sequence: number;
  readonly node: string;
  /** ISO 8601, UTC. */
  readonly at: string;
  /** One sentence for a person. */
  readonly text: string;
}

export interface RoleAlarm extends AlarmHead {
  readonly kind: 'role' | 'takeover';
  readonly role: {
    readonly name: string;
    /** `instance`, `group`, `sync` (two masters), `daemon`. */
    readonly kind: string;
    readonly from: string;
    readonly to: string;
    readonly because: string;
    /** Figures of a takeover or a merge, as in `history --json`. */
    readonly figures?: Readonly<Record<string, number | boolean>>;
  };
}

export interface ProblemAlarm extends AlarmHead {
  readonly kind: 'problem';
  readonly problem: {
    /** `goesOn`: a reminder (`repeat`), under the id of the beginning. */
    readonly state: 'begun' | 'ended' | 'goesOn';
    readonly code: string;
    readonly subject?: string;
    readonly severity: 'error' | 'warning';
    readonly text: string;
    readonly remedy: string;
    readonly begun: string;
    readonly ended?: string;
    /** The id of the alarm that told its beginning. */
    readonly beginning: string;
    /** Of reminders: 1, 2, ... */
    readonly reminder?: number;
  };
}

export type Alarm = RoleAlarm | ProblemAlarm;

/** A JSON value of a file as an alarm; undefined where it is none. Unknown fields are kept. */
export function readAlarm(value: unknown): Alarm | undefined {
  // Checked boundary: the fields that are read here were looked at.
  return hasAlarmFields(value) ? (value as Alarm) : undefined;
}

function hasAlarmFields(value: unknown): boolean {
  if (!isObject(value) || value['version'] !== 1 || !isSequence(value['sequence'])) return false;
  if (!hasTexts(value, ['id', 'node', 'at', 'text'])) return false;
  const { kind, role, problem } = value;
  if (kind === 'problem') return isObject(problem) && hasTexts(problem, problemTexts);
  const isRole = kind === 'role' || kind === 'takeover';
  return isRole && isObject(role) && hasTexts(role, ['name', 'kind', 'from', 'to', 'because']);
}

const problemTexts = ['state', 'code', 'severity', 'text', 'remedy', 'begun', 'beginning'];

/** Far more than a node can tell in its life, and far from what a number can hold. */
const mostAlarms = 2 ** 50;

function isSequence(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) > 0 && Number(value) < mostAlarms;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function hasTexts(value: Readonly<Record<string, unknown>>, names: readonly string[]): boolean {
  return names.every((name) => isText(value[name]));
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
