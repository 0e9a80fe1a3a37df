/**
 * keepstate's program with one addition for tests: SIGWINCH ends the sync worker thread, as a crash in it would.
 */
import workerThreads, { Worker } from 'node:worker_threads';

const alive = new Set<Worker>();

class TrackedWorker extends Worker {
  constructor(...args: ConstructorParameters<typeof Worker>) {
    super(...args);
    alive.add(this);
    this.on('exit', () => alive.delete(this));
  }
}

workerThreads.Worker = TrackedWorker;
process.on('SIGWINCH', () => {
  for (const worker of alive) void worker.terminate();
});

void import('../../src/cli/main.js');
