/** The text form of metrics, read by a parser of somebody else's. */
import parsePrometheusTextFormat from 'parse-prometheus-text-format';
import { seriesName } from './metricsOfStatus.js';

interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly metrics: readonly {
    readonly value?: string;
    readonly labels?: Readonly<Record<string, string>>;
  }[];
}

export function parseExposition(text: string): readonly Family[] {
  return parsePrometheusTextFormat(text) as readonly Family[];
}

/** Value of each series, histograms left out. */
export function seriesOf(text: string): ReadonlyMap<string, number> {
  return new Map(
    parseExposition(text).flatMap(({ name, metrics }) =>
      metrics.flatMap(({ value, labels = {} }) =>
        value === undefined ? [] : [[seriesName(name, labels), Number(value)] as const],
      ),
    ),
  );
}
