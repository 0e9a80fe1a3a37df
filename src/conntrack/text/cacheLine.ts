/**
 * One cached flow as `conntrackd -i` and `-e` print it: the flow's line without timeout, use and
 * id, then how long it is known. The external cache has no reply direction. `-x` prints the bare
 * `<flow>`, id included.
 */
import type { FlowCursor } from '../record/flowRecord.js';
import { expectationLine, expectationXml } from './expectationText.js';
import { flowLine } from './flowLine.js';
import { flowJson } from './flowJson.js';
import type { ExpectationView, FlowView } from './flowView.js';
import { flowXml } from './flowXml.js';
import { flowFromRecord } from './recordView.js';

export interface CacheLineOptions {
  readonly cache: 'internal' | 'external';
  /** `json`: one object of flowJson.ts a line, with `activeSeconds` and `expiresSeconds`. */
  readonly format: 'text' | 'xml' | 'json';
  /**
   * Seconds since the object entered the cache; undefined where it comes from the kernel, which
   * says its own times.
   */
  readonly activeSeconds?: number;
  /** ALARM mode, external cache: seconds until it is dropped. */
  readonly expiresSeconds?: number;
}

/** One line, newline included. */
export function cacheFlowLine(flow: FlowCursor, options: CacheLineOptions): string {
  const view = flowFromRecord(flow, { withReply: options.cache === 'internal' });
  return `${cacheViewText(view, options)}\n`;
}

/** The same from a view, without the newline: what a client does with the JSON form. */
export function cacheViewText(view: FlowView, options: CacheLineOptions): string {
  switch (options.format) {
    case 'xml':
      return flowXml(view, { withoutTimeout: isCached(options) });
    case 'json': {
      const { activeSeconds, expiresSeconds } = options;
      return JSON.stringify({ ...flowJson(view), activeSeconds, expiresSeconds });
    }
    case 'text':
      return flowLine(view, { withoutTimeout: isCached(options) }) + ages(options);
  }
}

/** One line, newline included. Expectations have no JSON form: `json` gives the text. */
export function cacheExpectationLine(
  expectation: ExpectationView,
  options: CacheLineOptions,
): string {
  const text =
    options.format === 'xml'
      ? expectationXml(expectation, true)
      : expectationLine(expectation, { withoutTimeout: true }) + ages(options);
  return `${text}\n`;
}

function isCached({ activeSeconds }: CacheLineOptions): boolean {
  return activeSeconds !== undefined;
}

function ages(options: CacheLineOptions): string {
  if (!isCached(options)) return '';
  const expires =
    options.expiresSeconds === undefined ? '' : ` [expires in ${options.expiresSeconds}s]`;
  return `${expires} [active since ${options.activeSeconds}s]`;
}
