/** The log of connections that ended, as a part of `keepstate status`. Pure. */
import type { StatisticsAnswer, StatisticsOutputStatus } from '../control/statusAnswer.js';
import { duration, paint, wrap, type Look, type Tone } from './terminal.js';

const tones: Readonly<Record<StatisticsAnswer['state'], Tone>> = {
  starting: 'warning',
  logging: 'good',
  standby: 'good',
  down: 'bad',
};

export function statisticsText(statistics: StatisticsAnswer, look: Look): string {
  const { state, format, logged, outputs, entries, limit = 0 } = statistics;
  const rows: (readonly [string, string])[] = [
    ['logged', `${logged} ended connections, format ${format}`],
    ...outputs.map((output): readonly [string, string] => [output.kind, outputText(output)]),
  ];
  if (outputs.length === 0 && state !== 'starting' && state !== 'down') {
    rows.push(['nowhere', 'neither LogFile nor Syslog is on']);
  }
  if (entries !== undefined) rows.push(['known', `${entries} flows of ${limit}`]);
  const lines = rows.map(
    ([label, text]) => `  ${label.padEnd(11)}  ${wrap(text, look.columns - 15, 15)}`,
  );
  const heading = state === 'standby' ? 'standby: the MASTER logs them' : state;
  return [`STATISTICS ${paint(heading, tones[state], look)}`, ...lines].join('\n');
}

function outputText(output: StatisticsOutputStatus): string {
  const { target, written, lost, waiting, failingForMs, because } = output;
  return [
    `${target}, ${written} lines written`,
    ...(waiting > 0 ? [`${waiting} waiting`] : []),
    ...(lost > 0 ? [`${lost} LOST`] : []),
    ...(failingForMs === undefined
      ? []
      : [`CANNOT BE WRITTEN for ${duration(failingForMs)}: ${because ?? 'unknown'}`]),
  ].join(', ');
}
