/**
 * One cached flow as `conntrackd -i` and `-e` print it: the flow's line without timeout, use and id, then how
 * long it is known. The external cache has no reply direction. `-x` prints the bare `<flow>`, id included.
 */
import type { FlowCursor } from '../flowRecord.js';
import { expectationLine, expectationXml } from './expectationText.js';
import { flowLine } from './flowLine.js';
import type { ExpectationView } from './flowView.js';
import { flowXml } from './flowXml.js';
import { flowFromRecord } from './recordView.js';

export interface CacheLineOptions {
  readonly cache: 'internal' | 'external';
  readonly format: 'text' | 'xml';
  /** Seconds since the object entered the cache. */
  readonly activeSeconds: number;
  /** ALARM mode, external cache: seconds until it is dropped. */
  readonly expiresSeconds?: number;
}

/** One line, newline included. */
export function cacheFlowLine(flow: FlowCursor, options: CacheLineOptions): string {
  const view = flowFromRecord(flow, { withReply: options.cache === 'internal' });
  const text =
    options.format === 'xml'
      ? flowXml(view, { withoutTimeout: true })
      : flowLine(view, { withoutTimeout: true }) + ages(options);
  return `${text}\n`;
}

/** One line, newline included. */
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

function ages(options: CacheLineOptions): string {
  const expires =
    options.expiresSeconds === undefined ? '' : ` [expires in ${options.expiresSeconds}s]`;
  return `${expires} [active since ${options.activeSeconds}s]`;
}
