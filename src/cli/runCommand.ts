/**
 * `keepstate run` and `keepstate release`: the daemon's room is loaded only here, and only when
 * asked for.
 */
import { Option, type Command } from 'commander';
import type { LogLevel } from '../base/logger.js';
import { printableLines } from '../base/printable.js';
import { teach } from './teach.js';
import { defaultConfig } from './defaultConfig.js';
import { controlOption } from './talk.js';

interface RunCommandOptions {
  readonly config: string;
  readonly control?: string;
  readonly logLevel: LogLevel;
  readonly configId?: string;
  readonly record?: string;
}

const levels: readonly LogLevel[] = ['error', 'warning', 'notice', 'info', 'debug'];

export function registerRun(program: Command): void {
  const run = program
    .command('run')
    .description('the daemon, in the foreground; logs go to stderr')
    .option('-f, --config <file>', 'configuration', defaultConfig)
    .addOption(controlOption('control socket, before control_socket'))
    .addOption(
      new Option('--log-level <level>', 'least level that is logged')
        .choices(levels)
        .default('info'),
    )
    .option('-i, --config-id <id>', 'for @ID conditions in the configuration')
    .option('--record <file>', 'append each VRRP event, for npm run replay; holds the password')
    .action(async (options: RunCommandOptions) => {
      const { runDaemon } = await import('../daemon/runDaemon.js');
      // A start that failed half way, or a stop, must not wait for what is still open: a service
      // manager waits with it.
      process.exit(await runDaemon(options));
    });
  teach(
    run,
    {
      'Check, then start in the foreground': 'check --strict && keepstate run',
      'A second node on one machine, for a trial':
        'run --config trial.conf --control /run/trial.sock',
    },
    '0 stopped as asked, 1 cannot start, 2 the file cannot be read',
    `The configuration is keepalived's and conntrackd's, one after the other; "keepstate migrate" makes it.
Signals: HUP reload; TERM, INT clean stop; USR1 writes keepalived.data and keepalived.json, USR2
keepalived.stats, SIGRTMIN+2 keepalived.json, beside the control socket and below $TMPDIR.`,
  );
  const release = program
    .command('release')
    .description(
      'remove the virtual addresses that a crash has left, without starting (keepstate-release.service)',
    )
    .option('-f, --config <file>', 'configuration', defaultConfig)
    .addOption(controlOption('control socket of the daemon, before control_socket'))
    .action(async (options: { readonly config: string; readonly control?: string }) => {
      const { releaseAddresses } = await import('../daemon/release.js');
      process.exitCode = await releaseAddresses(options, (text) =>
        process.stdout.write(`${printableLines(text)}\n`),
      );
    });
  teach(
    release,
    { 'As config/keepstate-release.service does': 'release' },
    '0 nothing is left, 1 a daemon runs, the kernel refused or the file has errors, 2 the file cannot be read',
    `Peers that may still wait for this node are told with priority 0. Where the file has errors, the
addresses that bear keepalived's mark in the kernel go. Does nothing while a keepstate with this
configuration runs.`,
  );
}
