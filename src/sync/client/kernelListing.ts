/**
 * DisableInternalCache: what a client gets in place of the internal cache, the kernel's flows that
 * pass the filter, as `conntrack -L` prints them (conntrackd 1.4.7 does the same). The dump waits
 * for the client.
 */
import { KernelDump } from '../../conntrack/kernel/kernelDump.js';
import { cacheViewText } from '../../conntrack/text/cacheLine.js';
import { expectationLine, expectationXml } from '../../conntrack/text/expectationText.js';
import { expectationFromMessage, flowFromMessage } from '../../conntrack/text/messageView.js';
import type { Engine } from '../engine/engine.js';
import type { ListingFormat } from './listing.js';

/** Characters that may wait for the client. */
const mostWaiting = 65_536;

/** Pieces of text. Rejects with KernelError. */
export async function* kernelListing(
  engine: Pick<Engine, 'feed' | 'filter' | 'names'>,
  what: 'flows' | 'expectations',
  format: ListingFormat,
): AsyncGenerator<string> {
  const state = { waiting: '', isPaused: false, isOver: false, wake: (): void => undefined };
  const add = (line: string): void => {
    state.waiting += `${line}\n`;
    state.wake();
  };
  let message: Uint8Array = new Uint8Array(0);
  const dump = new KernelDump({ kind: what }, engine.names, {
    batch: () => {
      if (state.waiting.length < mostWaiting) return;
      state.isPaused = true;
      dump.pause();
    },
    message: (view, at, length) => {
      message = new Uint8Array(view.buffer, view.byteOffset + at, length);
    },
    flow: (flow) => {
      if (!engine.filter.accepts(flow)) return;
      add(cacheViewText(flowFromMessage(message), { cache: 'internal', format }));
    },
    expectation: (expectation) => {
      if (!engine.feed.expectations.accepts(expectation)) return;
      const view = expectationFromMessage(message);
      add(format === 'xml' ? expectationXml(view) : expectationLine(view));
    },
  });
  const over = dump.done.finally(() => {
    state.isOver = true;
    state.wake();
  });
  // Awaited below, unless the client has gone.
  over.catch(() => undefined);
  try {
    while (!state.isOver || state.waiting !== '') {
      if (state.waiting === '') await new Promise<void>((resolve) => (state.wake = resolve));
      const piece = state.waiting;
      state.waiting = '';
      yield piece;
      if (state.isPaused) dump.resume();
      state.isPaused = false;
    }
    await over;
  } finally {
    dump.cancel();
  }
}
