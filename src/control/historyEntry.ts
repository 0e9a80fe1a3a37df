/**
 * Reads a transition that was written to a file or a socket earlier, perhaps by another version or
 * by somebody else.
 */
import type { HistoryEntry, HistoryEvent } from './statusAnswer.js';

const texts = ['name', 'kind', 'from', 'to', 'because'] as const;
const numbers = [
  'flowsCommitted',
  'flowsFailed',
  'silenceMs',
  'takeoverMs',
  'commitMs',
  'flowsMerged',
  'mergeMs',
] as const;

/** undefined where it is no transition. Fields that this version does not know are kept. */
export function readHistoryEntry(value: unknown): HistoryEntry | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  // Checked boundary: each field is looked at before the type is believed.
  const fields = value as Readonly<Record<string, unknown>>;
  const { at, tableFull } = fields;
  const isEntry =
    typeof at === 'string' &&
    !Number.isNaN(Date.parse(at)) &&
    texts.every((name) => typeof fields[name] === 'string') &&
    numbers.every((name) => fields[name] === undefined || typeof fields[name] === 'number') &&
    (tableFull === undefined || typeof tableFull === 'boolean');
  return isEntry ? (value as HistoryEntry) : undefined;
}

/**
 * undefined where it is no transition. A daemon that tells no phase tells each time what has
 * changed.
 */
export function readHistoryEvent(value: unknown): HistoryEvent | undefined {
  const entry: Partial<HistoryEvent> | undefined = readHistoryEntry(value);
  if (entry === undefined) return undefined;
  // The fields of an entry were looked at; any other phase than this one is that of something new.
  return { ...entry, phase: entry.phase === 'completed' ? 'completed' : 'changed' } as HistoryEvent;
}
