/** The sync worker as a thread: the entry of src/sync in a node:worker_threads Worker. */
import { Worker } from 'node:worker_threads';
import { errorStack } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import { threadFile } from '../../base/threadFile.js';
import type { ThreadScheduling } from '../../config/nodeSettings.js';
import type { SyncReport } from '../../sync/messages.js';
import { schedule, threadIds } from '../host/scheduling.js';
import type { StartWorker } from './workerSupervisor.js';

/** Each worker's thread gets `scheduling`: it is the thread that appeared with it. */
export function threadStarter(
  scheduling: ThreadScheduling | undefined,
  logger: Logger,
): StartWorker {
  return (listener) => {
    const before = threadIds();
    const worker = new Worker(threadFile('sync/worker/worker'), {
      name: 'sync',
      // V8's default, whatever the program was started with: events of flows are short-lived.
      resourceLimits: { maxYoungGenerationSizeMb: 48 },
    });
    let because = 'it ended by itself';
    worker.on('online', () => {
      if (scheduling === undefined) return;
      for (const id of threadIds()) if (!before.has(id)) schedule(id, scheduling, logger);
    });
    // Only our own worker posts here, and its messages have this one type.
    worker.on('message', (report: SyncReport) => listener.report(report));
    worker.on('error', (error) => {
      because = errorStack(error);
    });
    worker.on('exit', (code) => listener.ended(code === 0 ? because : `${because} (exit ${code})`));
    return {
      post: (command) => worker.postMessage(command),
      terminate: async () => {
        await worker.terminate();
      },
    };
  };
}
