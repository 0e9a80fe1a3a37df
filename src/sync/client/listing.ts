/**
 * Text of the caches for a client, a piece at a time, so that a million flows neither fill memory
 * nor hold up replication.
 */
import { subtractSeconds, wholeSeconds, type Clock } from '../../base/time.js';
import { lifecycle, recordWord } from '../../conntrack/record/flowRecord.js';
import type { FlowTable } from '../../conntrack/record/flowTable.js';
import { cacheExpectationLine, cacheFlowLine } from '../../conntrack/text/cacheLine.js';
import type { Engine } from '../engine/engine.js';
import { expectationView } from './expectationView.js';
import type { CacheName } from '../messages.js';

export type ListingFormat = 'text' | 'xml' | 'json';

const slotsPerPiece = 256;

/** Pieces of text; stops early where the reader stops. */
export function flowListing(
  engine: Pick<Engine, 'external' | 'internal' | 'ports' | 'settings'>,
  cache: CacheName,
  format: ListingFormat,
): Generator<string> {
  const { external, settings, ports } = engine;
  return tableListing(engine[cache].table, cache, format, ports.clock, (slot, nowSeconds) =>
    cache === 'external'
      ? external.expiresIn(slot, nowSeconds, settings.cacheTimeoutSeconds)
      : undefined,
  );
}

/** The same of any table. */
export function* tableListing(
  table: FlowTable,
  cache: CacheName,
  format: ListingFormat,
  clock: Clock,
  expiresIn: (slot: number, nowSeconds: number) => number | undefined = () => undefined,
): Generator<string> {
  const cursor = table.newCursor();
  let piece = '';
  let slots = 0;
  for (let slot = table.next(0); slot !== 0; slot = table.next(slot)) {
    if (table.lifecycle(slot) !== lifecycle.dead) {
      const nowSeconds = wholeSeconds(clock.now());
      const expiresSeconds = expiresIn(slot, nowSeconds);
      piece += cacheFlowLine(table.seek(slot, cursor), {
        cache,
        format,
        activeSeconds: subtractSeconds(nowSeconds, table.read(slot, recordWord.created)),
        ...(expiresSeconds === undefined ? {} : { expiresSeconds }),
      });
    }
    if (++slots % slotsPerPiece === 0) {
      yield piece;
      piece = '';
    }
  }
  yield piece;
}

/** Expectations are few: one piece. */
export function expectationListing(
  engine: Pick<Engine, 'external' | 'internal' | 'ports' | 'settings'>,
  cache: CacheName,
  format: ListingFormat,
): string {
  const nowSeconds = wholeSeconds(engine.ports.clock.now());
  let text = '';
  for (const { content, createdSeconds, lifecycle: life } of engine[cache].expectations) {
    if (life === lifecycle.dead) continue;
    const activeSeconds = subtractSeconds(nowSeconds, createdSeconds);
    text += cacheExpectationLine(expectationView(content), { cache, format, activeSeconds });
  }
  return text;
}
