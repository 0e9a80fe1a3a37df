/** The program `keepstate` with all its commands. */
import type { Command } from 'commander';
import { registerAcknowledge } from './acknowledgeCommand.js';
import { registerCheck } from './checkCommand.js';
import { registerConntrack } from './conntrack/register.js';
import { registerDoctor } from './doctorCommand.js';
import { registerFlows } from './flowsCommand.js';
import { registerHistory } from './historyCommand.js';
import { registerKeepalivedName } from './keepalivedName.js';
import { registerKey } from './keyCommand.js';
import { registerMigrate } from './migrateCommand.js';
import { registerOperations } from './operationCommands.js';
import { programBase } from './programBase.js';
import { registerRun } from './runCommand.js';
import { registerStats } from './statsCommand.js';
import { registerStatus } from './statusCommand.js';
import { registerTop } from './topCommand.js';

/** Ready for `parseAsync`. */
export function buildProgram(): Command {
  const program = programBase();
  registerRun(program);
  registerCheck(program);
  registerMigrate(program);
  registerKey(program);
  registerStatus(program);
  registerTop(program);
  registerAcknowledge(program);
  registerHistory(program);
  registerFlows(program);
  registerConntrack(program);
  registerKeepalivedName(program);
  registerStats(program);
  registerOperations(program);
  registerDoctor(program);
  return program;
}
