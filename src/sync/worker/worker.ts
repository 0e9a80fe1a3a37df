/**
 * The entry of the sync worker thread: hands the real clock, chance, sockets and message port to
 * Commands, or to StatisticsCommands where nothing is replicated. An error that nobody expected
 * ends the thread; the supervisor in the main thread starts another.
 */
import { parentPort } from 'node:worker_threads';
import { BugError } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import { systemClock, SystemTimers, systemTurns } from '../../base/systemClock.js';
import { systemRandom } from '../../base/systemRandom.js';
import { ClientServer, type ClientServerOptions } from '../client/clientServer.js';
import { Sealing } from '../seal/sealing.js';
import type { SyncCommand, SyncReport } from '../messages.js';
import type { StatisticsSettings } from '../settings.js';
import { EndedFlowLog } from '../statistics/endedFlowLog.js';
import { nodeLogFiles } from '../statistics/logFiles.js';
import { Commands } from './commands.js';
import { StatisticsCommands } from './statisticsCommands.js';
import { sendSyslog, syncChannels } from './workerChannel.js';

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
const sealing = new Sealing({
  clock: systemClock,
  timers,
  peerSealed: () => {
    report({ kind: 'peerSealed' });
  },
});
const common = {
  clock: systemClock,
  timers,
  turns: systemTurns,
  random: systemRandom,
  logger,
  openServer: (options: ClientServerOptions) => new ClientServer(options),
  report,
};
const ports = {
  ...common,
  openChannel: syncChannels(timers, systemTurns, sealing),
  sealing,
  isPeerSealed: () => sealing.isPeerSealed,
  openLog: (settings: StatisticsSettings) =>
    new EndedFlowLog(settings, { ...common, files: nodeLogFiles, sendSyslog }),
};
let commands: Commands | StatisticsCommands | undefined;

/** The first command says what this worker does. */
async function handle(command: SyncCommand): Promise<void> {
  if (command.kind === 'startStatistics') {
    const statistics = new StatisticsCommands(command, ports);
    commands = statistics;
    await statistics.begin();
    return;
  }
  commands ??= new Commands(ports);
  await commands.handle(command);
}

port.on('message', (command: SyncCommand) => {
  handle(command).then(
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
