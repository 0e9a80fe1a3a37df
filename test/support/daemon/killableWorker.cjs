'use strict';
/** Loaded before keepstate by a test: SIGWINCH ends the sync worker thread, as a crash in it would. */
const workerThreads = require('node:worker_threads');

const alive = new Set();

workerThreads.Worker = class extends workerThreads.Worker {
  constructor(...args) {
    super(...args);
    alive.add(this);
    this.on('exit', () => alive.delete(this));
  }
};
process.on('SIGWINCH', () => {
  for (const worker of alive) void worker.terminate();
});
