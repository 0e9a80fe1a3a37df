/**
 * The worker of a node that has `Stats` and no `Sync`, as a program for namespace tests: its first
 * command as JSON in a file, further ones as JSON lines on stdin, reports as JSON lines on stdout.
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Logger } from '../../../src/base/logger.js';
import { systemClock, SystemTimers, systemTurns } from '../../../src/base/systemClock.js';
import { systemRandom } from '../../../src/base/systemRandom.js';
import { ClientServer } from '../../../src/sync/client/clientServer.js';
import type { SyncCommand } from '../../../src/sync/messages.js';
import type { StatisticsSettings } from '../../../src/sync/settings.js';
import { EndedFlowLog } from '../../../src/sync/statistics/endedFlowLog.js';
import { nodeLogFiles } from '../../../src/sync/statistics/logFiles.js';
import { StatisticsCommands } from '../../../src/sync/worker/statisticsCommands.js';
import { sendSyslog } from '../../../src/sync/worker/workerChannel.js';

const [file = ''] = process.argv.slice(2);
const print = (value: unknown): void => {
  process.stdout.write(`${JSON.stringify(value)}\n`);
};
const logger: Logger = {
  log: (level, message, fields = {}) => {
    print({ kind: 'log', level, message, fields });
  },
};
const ports = {
  clock: systemClock,
  timers: new SystemTimers(systemClock),
  turns: systemTurns,
  random: systemRandom,
  logger,
};
const start = JSON.parse(readFileSync(file, 'utf8')) as Extract<
  SyncCommand,
  { kind: 'startStatistics' }
>;
const commands = new StatisticsCommands(start, {
  ...ports,
  openServer: (options) => new ClientServer(options),
  report: print,
  openLog: (settings: StatisticsSettings) =>
    new EndedFlowLog(settings, { ...ports, files: nodeLogFiles, sendSyslog }),
});
void commands.begin();
createInterface({ input: process.stdin }).on('line', (line) => {
  void commands.handle(JSON.parse(line) as SyncCommand);
});
