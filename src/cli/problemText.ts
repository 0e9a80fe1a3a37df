/** Problems in `status`: what, since when, until when, and what to do. Pure. */
import type { Problem, StatusAnswer } from '../control/statusAnswer.js';
import { age, duration, paint, utc, wrap, type Look, type Tone } from './terminal.js';

/** `now`: milliseconds since 1970. */
export function problemsText(
  { problems, endedProblems }: StatusAnswer,
  now: number,
  look: Look,
): string {
  const current =
    problems.length === 0
      ? paint('no problem is known', 'good', look)
      : problems.map((one) => problemText(one, now, look)).join('\n');
  if (endedProblems.length === 0) return current;
  const ended = endedProblems.map(
    (one) => `  ${wrap(`${one.code}: ${one.text} (${times(one, now)})`, look.columns - 2, 4)}`,
  );
  const label = 'ended within the last hour (keepstate acknowledge):';
  return [current, '', label, ...ended].join('\n');
}

function problemText(problem: Problem, now: number, look: Look): string {
  const { severity, code, text, remedy, ended } = problem;
  const label = severity === 'error' ? 'ERROR  ' : 'WARNING';
  const tone: Tone = severity === 'error' ? 'bad' : 'warning';
  const when = times(problem, now);
  const end = ended === undefined ? '' : `; "keepstate acknowledge ${code}" when you have seen it`;
  return [
    `${paint(label, tone, look)} ${wrap(text, look.columns - 8, 8)}`,
    `        ${wrap(`${code}${when === '' ? '' : `: ${when}`}${end}`, look.columns - 8, 10)}`,
    `        remedy: ${wrap(remedy, look.columns - 16, 16)}`,
  ].join('\n');
}

function times({ begun, ended, acknowledged, times: count = 1 }: Problem, now: number): string {
  if (begun === undefined) return '';
  const often = count > 1 ? `, ${count} times` : '';
  const seen = acknowledged === undefined ? '' : ', acknowledged';
  if (ended === undefined) return `since ${utc(begun)} (${age(begun, now)})${often}${seen}`;
  const lasted = duration(Math.max(0, Date.parse(ended) - Date.parse(begun)));
  return `began ${utc(begun)}, lasted ${lasted}, ended ${age(ended, now)} ago${often}${seen}`;
}
