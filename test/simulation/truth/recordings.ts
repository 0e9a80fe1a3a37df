/** Recordings in files: one line each, by subject. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Answer, Recording } from './script.js';
import { sameText } from './flowText.js';

const fileOf = (subject: string): string => join(__dirname, 'recordings', `${subject}.jsonl`);

export function readRecordings(subject: string): Map<string, Recording> {
  const lines = readFileSync(fileOf(subject), 'utf8').trim().split('\n');
  return new Map(
    lines.map((line) => {
      const recording = JSON.parse(line) as Recording;
      return [recording.name, recording];
    }),
  );
}

export function writeRecordings(subject: string, recordings: readonly Recording[]): void {
  const lines = recordings.map((recording) => `${JSON.stringify(recording)}\n`);
  writeFileSync(fileOf(subject), lines.join(''));
}

/** What `actual` says otherwise than `expected`, for a person; empty where both say the same. */
export function differences(expected: Recording, actual: Recording): string[] {
  const steps = expected.answers.flatMap((answer, i) => {
    const other = actual.answers[i] ?? null;
    if (sameAnswer(answer, other)) return [];
    return [`step ${i}: ${JSON.stringify(answer)}\n     not ${JSON.stringify(other)}`];
  });
  if (!sameAnswer(expected.table, actual.table)) {
    steps.push(`table: ${JSON.stringify(expected.table)}\n   not ${JSON.stringify(actual.table)}`);
  }
  return steps;
}

function sameAnswer(expected: Answer, actual: Answer): boolean {
  return sameText(JSON.stringify(expected), JSON.stringify(actual));
}
