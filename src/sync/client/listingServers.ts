/**
 * Listings and statistics for keepstate's own client, and for conntrackd's: one server for each of
 * the two sockets.
 */
import { answerClient, type Clients } from './clientRequests.js';
import { ClientServer } from './clientServer.js';
import type { EnginePorts } from '../engine/engine.js';
import type { SyncCommand, SyncStatus } from '../messages.js';

/** `conntrackd -k`. */
const stopRequest = 20;

export function openServers(
  clients: Clients,
  { listingPath, clientPath }: Extract<SyncCommand, { kind: 'start' }>,
  { clock, timers, logger, report }: EnginePorts,
  status: () => SyncStatus,
): ClientServer[] {
  const startedAt = clock.now() / 1_000_000;
  const paths = [listingPath, clientPath].filter((path) => path !== undefined);
  return paths.map(
    (path) =>
      new ClientServer({
        path,
        timers,
        logger,
        answer: (request) => {
          if (request !== stopRequest) return answerClient(clients, request, status, startedAt);
          // The whole daemon is meant: the main thread stops VRRP first, and then this.
          report({ kind: 'stopRequested' });
          return undefined;
        },
      }),
  );
}
