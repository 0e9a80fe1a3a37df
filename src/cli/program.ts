/** The program `keepstate` with all its commands. */
import { Command } from 'commander';
import { packageVersion } from '../base/packageVersion.js';
import { registerAcknowledge } from './acknowledgeCommand.js';
import { registerCheck } from './checkCommand.js';
import { registerConntrack } from './conntrack/register.js';
import { registerDoctor } from './doctorCommand.js';
import { registerFlows } from './flowsCommand.js';
import { registerHistory } from './historyCommand.js';
import { registerMigrate } from './migrateCommand.js';
import { registerOperations } from './operationCommands.js';
import { registerRun } from './runCommand.js';
import { registerStats } from './statsCommand.js';
import { registerStatus } from './statusCommand.js';

/** Ready for `parseAsync`. */
export function buildProgram(): Command {
  const program = new Command('keepstate')
    .description('VRRP and connection-tracking synchronisation in one daemon')
    .version(packageVersion())
    .showHelpAfterError(
      '(keepstate --help lists the commands; keepstate COMMAND --help teaches one)',
    )
    .addHelpText(
      'after',
      `
First steps:
  keepstate check --config FILE     what is wrong with a configuration, all at once
  keepstate run --config FILE       the daemon
  keepstate status                  who is master, since when, and why
  keepstate doctor                  what would break a takeover on this machine`,
    );

  registerRun(program);
  registerCheck(program);
  registerMigrate(program);
  registerStatus(program);
  registerAcknowledge(program);
  registerHistory(program);
  registerFlows(program);
  registerConntrack(program);
  registerStats(program);
  registerOperations(program);
  registerDoctor(program);
  return program;
}
