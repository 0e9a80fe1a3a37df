/** The program `keepstate` with all its commands. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { registerAcknowledge } from './acknowledge.js';
import { registerCheck } from './check.js';
import { registerConntrack } from './conntrack/register.js';
import { registerDoctor } from './doctor.js';
import { registerFlows } from './flows.js';
import { registerHistory } from './history.js';
import { registerMigrate } from './migrate.js';
import { registerOperations } from './operations.js';
import { registerRun } from './run.js';
import { registerStats } from './stats.js';
import { registerStatus } from './status.js';

/** Ready for `parseAsync`. */
export function buildProgram(): Command {
  const program = new Command('keepstate')
    .description('VRRP and connection-tracking synchronisation in one daemon')
    .version(version())
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

function version(): string {
  // dist/cli and src/cli stand two folders below package.json.
  const path = join(__dirname, '../../package.json');
  const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
  const hasVersion = typeof value === 'object' && value !== null && 'version' in value;
  return hasVersion ? String(value.version) : 'unknown';
}
