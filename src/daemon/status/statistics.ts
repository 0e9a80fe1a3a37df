/**
 * The log of connections that ended, in the answer to `status`, and what is wrong with it. Pure.
 */
import { seconds, subtractTime, toMilliseconds, type Microseconds } from '../../base/time.js';
import type { StatisticsAnswer, StatisticsOutputStatus } from '../../control/statusAnswer.js';
import type { StatisticsOutput, StatisticsStatus } from '../../sync/messages.js';
import { problem, type Finding } from '../problemTable/table.js';

export interface StatisticsView {
  /** undefined: the worker has not reported yet, or is down. */
  readonly statistics?: StatisticsStatus;
  readonly downBecause: string | undefined;
  readonly listingPath: string;
  readonly json: boolean;
}

/** A disk that is busy for a moment is no problem. */
const failureGrace = seconds(5);
/** Lines that were lost are news for that long. */
const lossMemory = seconds(60);
/** Beyond this share of HashLimit the table is nearly full. */
const nearlyFull = 0.9;

export function statisticsStatus(view: StatisticsView, now: Microseconds): StatisticsAnswer {
  const { statistics, downBecause, listingPath, json } = view;
  const format = json ? 'json' : 'conntrackd';
  if (statistics === undefined) {
    const state = downBecause === undefined ? 'starting' : 'down';
    return { state, format, logged: 0, outputs: [], listingPath };
  }
  const { isLogging, logged, outputs, capture } = statistics;
  return {
    state: isLogging ? 'logging' : 'standby',
    format,
    logged,
    outputs: outputs.map((output) => outputStatus(output, now)),
    ...capture,
    listingPath,
  };
}

function outputStatus(output: StatisticsOutput, now: Microseconds): StatisticsOutputStatus {
  const { kind, target, written, lost, waiting, failingSince, reason } = output;
  return {
    ...{ kind, target, written, lost, waiting },
    ...(failingSince === undefined
      ? {}
      : { failingForMs: Math.round(toMilliseconds(subtractTime(now, failingSince))) }),
    ...(reason === undefined ? {} : { because: reason }),
  };
}

export function statisticsProblems(view: StatisticsView, now: Microseconds): readonly Finding[] {
  const { statistics, downBecause } = view;
  if (downBecause !== undefined) {
    return [problem('statistics-down', `ended connections are not logged: ${downBecause}`)];
  }
  if (statistics === undefined) return [];
  const { outputs, capture } = statistics;
  return [...outputs.flatMap((output) => outputProblems(output, now)), ...tableProblems(capture)];
}

function outputProblems(output: StatisticsOutput, now: Microseconds): readonly Finding[] {
  const { kind, target, lost, lostAt, failingSince, reason = 'unknown' } = output;
  const subject = `${kind} ${target}`;
  const isFailing = failingSince !== undefined && subtractTime(now, failingSince) > failureGrace;
  const hasLost = lostAt !== undefined && subtractTime(now, lostAt) < lossMemory;
  if (!isFailing && !hasLost) return [];
  const texts = [
    ...(isFailing ? [`cannot be written: ${reason}`] : []),
    ...(lost > 0 ? [`${lost} lines were lost`] : []),
  ];
  const text = `the log of ended connections (${subject}): ${texts.join('; ')}`;
  return [problem('statistics-not-written', text, { subject })];
}

function tableProblems(capture: StatisticsStatus['capture']): readonly Finding[] {
  if (capture === undefined || capture.limit <= 0) return [];
  const { entries, limit } = capture;
  if (entries < limit * nearlyFull) return [];
  const text = `the table of the log of ended connections is ${Math.floor((100 * entries) / limit)} % full`;
  const severity = entries >= limit ? 'error' : 'warning';
  return [problem('table-full', text, { subject: 'statistics', severity })];
}
