/**
 * keepstate's program with two additions for tests: SIGURG stalls the main thread for ever,
 * SIGWINCH the sync worker.
 */
import { join } from 'node:path';
import workerThreads, { BroadcastChannel, Worker, isMainThread } from 'node:worker_threads';

const channel = new BroadcastChannel('stall');

function stall(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

/** This file again, which is the real worker there. */
class StallableWorker extends Worker {
  constructor(_file: string, options: workerThreads.WorkerOptions) {
    super(__filename, options);
  }
}

if (isMainThread) {
  workerThreads.Worker = StallableWorker;
  process.on('SIGURG', stall);
  process.on('SIGWINCH', () => channel.postMessage('stall'));
  void import('../../../src/cli/main.js');
} else {
  channel.onmessage = stall;
  void import(join(__dirname, '../../../src/sync/worker/worker.ts'));
}
channel.unref();
