/** One step of a stop: whatever becomes of it, the next ones follow. */
import type { Logger } from '../base/logger.js';

export async function stopStep(
  what: string,
  logger: Logger,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    const because = error instanceof Error ? (error.stack ?? error.message) : String(error);
    logger.log('error', 'not stopped cleanly', { what, because });
  }
}
