/**
 * `keepstate flows internal|external`: the caches of the running daemon, as `conntrackd -i` and
 * `-e`.
 */
import { seconds } from '../base/time.js';
import { DecodeError } from '../base/errors.js';
import { fetchListing, listingRequests, type ListingOutcome } from '../control/fetchListing.js';
import { cacheViewText } from '../conntrack/text/cacheLine.js';
import type { FlowPredicate } from '../conntrack/text/viewFilter.js';
import { flowFromJson } from '../conntrack/text/flowJson.js';
import { timers } from './talk.js';

const longestSilence = seconds(10);

export interface CacheListing {
  readonly shown: number;
  readonly unreadable: number;
  readonly problem?: string;
}

export interface CacheListingOptions {
  readonly cache: 'internal' | 'external';
  readonly format: 'text' | 'xml' | 'json' | 'count';
  readonly passes: FlowPredicate;
  readonly write: (text: string) => void;
}

/** `path`: the listing socket that `status` names. */
export async function printCache(
  path: string,
  options: CacheListingOptions,
): Promise<CacheListing> {
  const counts = { shown: 0, unreadable: 0 };
  const request =
    options.cache === 'internal' ? listingRequests.internalJson : listingRequests.externalJson;
  let partial = '';
  const decoder = new TextDecoder();
  const onText = (chunk: Buffer): void => {
    const lines = (partial + decoder.decode(chunk, { stream: true })).split('\n');
    partial = lines.pop() ?? '';
    for (const line of lines) printLine(line, options, counts);
  };
  const outcome = await fetchListing(path, request, onText, {
    timers,
    idleTimeout: longestSilence,
  });
  if (options.format === 'count') options.write(`${counts.shown}\n`);
  return withProblem(counts, outcome, partial);
}

/** A listing that ends inside a line was cut off: that is said, not hidden. */
function withProblem(
  counts: { readonly shown: number; readonly unreadable: number },
  outcome: ListingOutcome,
  partial: string,
): CacheListing {
  if (outcome.kind === 'failed') {
    return { ...counts, problem: `the sync engine does not answer: ${outcome.message}` };
  }
  return partial === '' ? counts : { ...counts, problem: 'the listing broke off' };
}

function printLine(
  line: string,
  { cache, format, passes, write }: CacheListingOptions,
  counts: { shown: number; unreadable: number },
): void {
  try {
    const value: unknown = JSON.parse(line);
    const flow = flowFromJson(value);
    if (!passes(flow)) return;
    counts.shown += 1;
    if (format === 'count') return;
    if (format === 'json') write(`${line}\n`);
    else write(`${cacheViewText(flow, { cache, format, ...ages(value) })}\n`);
  } catch (error) {
    if (!(error instanceof SyntaxError) && !(error instanceof DecodeError)) throw error;
    counts.unreadable += 1;
  }
}

function ages(value: unknown): {
  readonly activeSeconds?: number;
  readonly expiresSeconds?: number;
} {
  // flowFromJson has accepted it as an object; the two fields are numbers or absent.
  const fields = value as { readonly activeSeconds?: number; readonly expiresSeconds?: number };
  const { activeSeconds, expiresSeconds } = fields;
  return {
    ...(activeSeconds === undefined ? {} : { activeSeconds }),
    ...(expiresSeconds === undefined ? {} : { expiresSeconds }),
  };
}
