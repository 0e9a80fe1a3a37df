/**
 * The entry of the sync worker thread: hands the real clock, chance, sockets and message port to
 * Commands. An error that nobody expected ends the thread; the supervisor in the main thread starts
 * another.
 */
import { parentPort } from 'node:worker_threads';
import { BugError } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import { systemClock, SystemTimers, systemTurns } from '../../base/systemClock.js';
import { systemRandom } from '../../base/systemRandom.js';
import { Commands } from './commands.js';
import type { SyncCommand, SyncReport } from '../messages.js';
import { syncChannels } from './workerChannel.js';

const port = parentPort;
if (port === null) throw new BugError('the sync worker runs in a worker thread only');

const report = (message: SyncReport): void => {
  port.postMessage(message);
};

const logger: Logger = {
  log: (level, message, fields = {}) => {
    report({ kind: 'log', level, message, fields });
  },
};

const timers = new SystemTimers(systemClock);
const commands = new Commands({
  clock: systemClock,
  timers,
  turns: systemTurns,
  random: systemRandom,
  logger,
  openChannel: syncChannels(timers, systemTurns),
  report,
});

port.on('message', (command: SyncCommand) => {
  commands.handle(command).then(
    () => {
      // Nothing can wake the thread any more: it may end.
      if (command.kind === 'stop') port.close();
    },
    (error: unknown) => {
      // Reaches the supervisor as the thread's error.
      queueMicrotask(() => {
        throw error;
      });
    },
  );
});
