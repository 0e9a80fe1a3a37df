/**
 * conntrackd's client protocol, as served by the sync worker on its own sockets: the client sends
 * one 4-byte integer in host order, the request number, and reads text until the end of file. There
 * is no status in it (conntrackd 1.4.7).
 */
import { connect } from 'node:net';
import type { Microseconds, Timers } from '../base/time.js';

/** Request numbers of conntrackd 1.4.7 that only show something, and two of our own. */
export const listingRequests = {
  internal: 16,
  external: 17,
  expectInternal: 40,
  expectExternal: 41,
  internalXml: 24,
  externalXml: 25,
  stats: 21,
  network: 28,
  cache: 29,
  runtime: 30,
  link: 31,
  rsqueue: 32,
  process: 35,
  queue: 36,
  expect: 37,
  /** keepstate's own: one JSON object a line, which the client filters and prints in any form. */
  internalJson: 1016,
  externalJson: 1017,
} as const;

export type ListingOutcome =
  | { readonly kind: 'done' }
  /** `code`: of the system call that was refused. */
  | { readonly kind: 'failed'; readonly message: string; readonly code?: string };

/** Streams the answer into `onText`; `idleTimeout` is the longest silence. Resolves always. */
export function fetchListing(
  path: string,
  request: number,
  onText: (chunk: Buffer) => void,
  { timers, idleTimeout }: { readonly timers: Timers; readonly idleTimeout: Microseconds },
): Promise<ListingOutcome> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    const silence = (): void => settle({ kind: 'failed', message: `${path} fell silent` });
    let timer = timers.after(idleTimeout, silence);
    const settle = (outcome: ListingOutcome): void => {
      timer.cancel();
      socket.destroy();
      resolve(outcome);
    };
    socket.on('connect', () => {
      const number = Buffer.alloc(4);
      number.writeInt32LE(request);
      socket.write(number);
    });
    socket.on('data', (chunk) => {
      timer.cancel();
      timer = timers.after(idleTimeout, silence);
      onText(Buffer.from(chunk));
    });
    socket.on('end', () => settle({ kind: 'done' }));
    socket.on('error', ({ message, code }: NodeJS.ErrnoException) => {
      settle({ kind: 'failed', message, ...(code === undefined ? {} : { code }) });
    });
  });
}
