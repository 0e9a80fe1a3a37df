/**
 * Listings and statistics for keepstate's own client, and for conntrackd's: one server for each of
 * the two sockets.
 */
import type { Answer, OpenServer, RunningServer } from './clientServer.js';
import type { EnginePorts } from '../engine/engine.js';
import type { SealStatus, SharedKey } from '../seal/sealStatus.js';
import type { SealSettings } from '../settings.js';

/** What an engine stands on, and the door of its clients. */
export interface ServingPorts extends EnginePorts {
  readonly openServer: OpenServer;
  /** Absent: nothing can be sealed. */
  readonly sealing?: SealingPort;
}

/** The keys of the worker. */
export interface SealingPort {
  give(keys: readonly SharedKey[], isPeerSealed: boolean): void;
  apply(settings: SealSettings | undefined): void;
  status(): SealStatus | undefined;
}

/** `conntrackd -k`. */
const stopRequest = 20;

export type ServerPorts = Pick<ServingPorts, 'timers' | 'logger' | 'openServer' | 'report'>;

/** Tells `listening` when all of them do. `answer`: each request but `-k`. */
export function openServers(
  { listingPath, clientPath }: { readonly listingPath?: string; readonly clientPath?: string },
  { timers, logger, report, openServer }: ServerPorts,
  answer: Answer,
): RunningServer[] {
  const paths = [listingPath, clientPath].filter((path) => path !== undefined);
  const servers = paths.map((path) =>
    openServer({
      path,
      timers,
      logger,
      answer: (request) => {
        if (request !== stopRequest) return answer(request);
        // The whole daemon is meant: the main thread stops VRRP first, and then this.
        report({ kind: 'stopRequested' });
        return undefined;
      },
    }),
  );
  void Promise.all(servers.map(({ opened }) => opened)).then(() => {
    report({ kind: 'listening' });
  });
  return servers;
}
