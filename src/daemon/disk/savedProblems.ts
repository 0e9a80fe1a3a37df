/** Problem records in the state file: what is no record there is left out. Pure. */
import { microseconds, type Microseconds } from '../../base/time.js';
import type { Problem } from '../../control/statusAnswer.js';
import type { ProblemRecord } from '../problemTable/record.js';
import { isProblemCode } from '../problemTable/table.js';

const mostRecords = 256;
const longestText = 1_000;

/** Codes of another version are left out: nobody would end them. */
export function parseProblems(value: unknown): readonly ProblemRecord[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, mostRecords).flatMap((one: unknown) => parseRecord(one) ?? []);
}

function parseRecord(value: unknown): ProblemRecord | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (!('problem' in value && 'begun' in value && 'times' in value)) return undefined;
  const problem = parseProblem(value.problem);
  const begun = parseTime(value.begun);
  const { times } = value;
  if (problem === undefined || begun === undefined || !Number.isSafeInteger(times))
    return undefined;
  const ended = 'ended' in value ? parseTime(value.ended) : undefined;
  const acknowledged = 'acknowledged' in value ? parseTime(value.acknowledged) : undefined;
  return {
    problem,
    begun,
    ...(ended === undefined ? {} : { ended }),
    ...(acknowledged === undefined ? {} : { acknowledged }),
    times: Math.max(1, Number(times)),
  };
}

function parseProblem(value: unknown): Problem | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (!('severity' in value && 'code' in value && 'text' in value && 'remedy' in value)) {
    return undefined;
  }
  const { severity, code, text, remedy } = value;
  if (severity !== 'error' && severity !== 'warning') return undefined;
  if (!isText(code) || !isProblemCode(code) || !isText(text) || !isText(remedy)) return undefined;
  const found: Problem = { severity, code, text, remedy };
  return 'subject' in value && isText(value.subject) ? { ...found, subject: value.subject } : found;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= longestText;
}

function parseTime(value: unknown): Microseconds | undefined {
  const isTime = Number.isSafeInteger(value) && Number(value) >= 0;
  return isTime ? microseconds(Number(value)) : undefined;
}
