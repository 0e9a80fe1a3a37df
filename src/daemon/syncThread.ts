/** The sync worker as a thread: the compiled entry of src/sync in a node:worker_threads Worker. */
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { SyncReport } from '../sync/messages.js';
import type { StartWorker } from './workerSupervisor.js';

/** `execArgv` lets tests run the entry from its source. */
export function threadStarter(execArgv: readonly string[] = process.execArgv): StartWorker {
  return (listener) => {
    const worker = new Worker(join(__dirname, `../sync/worker${extension()}`), {
      name: 'sync',
      execArgv: [...execArgv],
    });
    let because = 'it ended by itself';
    // Only our own worker posts here, and its messages have this one type.
    worker.on('message', (report: SyncReport) => listener.report(report));
    worker.on('error', (error) => {
      because = error instanceof Error ? (error.stack ?? error.message) : String(error);
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

/** `.js` after the build, `.ts` where this file itself runs from source. */
function extension(): string {
  return __filename.endsWith('.ts') ? '.ts' : '.js';
}
