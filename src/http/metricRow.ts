/** What a metric is, and the small readers that its rows are made of. */
import type { StatusAnswer, SyncStatusAnswer } from '../control/statusAnswer.js';

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface MetricRow {
  readonly name: string;
  readonly help: string;
  readonly type: 'gauge' | 'counter';
  readonly labels: readonly string[];
  /** What there is to say; nothing where the node does not know it. */
  readonly read: (status: StatusAnswer) => readonly Sample[];
}

export const states = ['MASTER', 'BACKUP', 'FAULT', 'INIT'] as const;

/** A metric without labels. */
export const one = (value: number): readonly Sample[] => [{ labels: {}, value }];

/** One with a label, or nothing where the value is not known. */
export function labelled(
  label: string,
  text: string,
  value: number | undefined,
): readonly Sample[] {
  return value === undefined ? [] : [{ labels: { [label]: text }, value }];
}

/** ISO 8601 as seconds since 1970. */
export const epochSeconds = (iso: string): number => Date.parse(iso) / 1000;

/** 1 at what holds, 0 at all else that could. */
export function oneOf(
  label: string,
  words: readonly string[],
  current: string,
  labels: Sample['labels'] = {},
): readonly Sample[] {
  return words.map((word) => ({
    labels: { ...labels, [label]: word },
    value: flag(word === current),
  }));
}

/** Of a node that replicates. */
export function ofSync(read: (sync: SyncStatusAnswer) => readonly Sample[]): MetricRow['read'] {
  return ({ sync }) => (sync === undefined ? [] : read(sync));
}

export const flag = (value: boolean): number => (value ? 1 : 0);
