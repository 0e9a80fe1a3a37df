/** Steps of a stop: whatever becomes of one, the next ones follow. */
import { errorStack } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import { milliseconds, type Timers } from '../base/time.js';
import type { CoordinatorRunner } from '../coordinator/runner.js';
import type { WorkerSupervisor } from './worker/workerSupervisor.js';

/** How long a stop waits for a table that is on its way, and then for the peer to take the role. */
const handOverTimeout = milliseconds(3_000);

/**
 * A synchronised keepstate peer takes the role at once; any other waits for its skew time after
 * priority 0.
 */
export async function handOverBeforeStop(
  timers: Timers,
  supervisor: Pick<WorkerSupervisor, 'settled'> | undefined,
  coordinator: Pick<CoordinatorRunner, 'state' | 'ask'> | undefined,
  /** Roles, and what follows from them, are as of now. */
  look: () => void,
): Promise<void> {
  await supervisor?.settled(handOverTimeout);
  if (coordinator === undefined) return;
  const { role, peer } = coordinator.state;
  if (role !== 'MASTER' || peer.kind !== 'keepstate' || !peer.isSynchronised) return;
  look();
  await Promise.race([
    coordinator.ask({ kind: 'failover', force: false }),
    new Promise<void>((resolve) => timers.after(handOverTimeout, () => resolve())),
  ]);
}

export async function stopStep(
  what: string,
  logger: Logger,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    const reason = errorStack(error);
    logger.log('error', 'not stopped cleanly', { what, reason });
  }
}
