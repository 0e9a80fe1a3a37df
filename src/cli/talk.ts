/** How a command talks to the daemon and to the person: control path, time-outs, exit codes, and words for each failure. */
import { resolve } from 'node:path';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { printableLines } from '../base/printable.js';
import { systemClock, SystemTimers } from '../base/systemClock.js';
import { isSocketPathTooLong, longestSocketPath } from '../base/socketPath.js';
import { seconds, toSeconds, type Microseconds } from '../base/time.js';
import { defaultControlPath } from '../config/nodeSettings.js';
import { ask, type ClientOptions, type ClientOutcome } from '../control/client.js';
import type { ControlRequest } from '../control/protocol.js';

/** Exit codes of all commands that ask the daemon. */
export const exitCode = { fine: 0, problem: 1, noDaemon: 2 } as const;

export interface ControlOption {
  readonly control: string;
}

export const timers = new SystemTimers(systemClock);

/** Adds `--control`, with KEEPSTATE_CONTROL as its default. */
export function withControl(command: Command): Command {
  return command.addOption(
    controlOption('control socket of the daemon').default(defaultControlPath),
  );
}

/** `--control` or KEEPSTATE_CONTROL; its value is an absolute path that fits into a socket's address. */
export function controlOption(description: string): Option {
  return new Option('--control <path>', description)
    .env('KEEPSTATE_CONTROL')
    .argParser(toSocketPath);
}

function toSocketPath(value: string): string {
  if (value === '') throw new InvalidArgumentError('It is empty: give a path, or leave it out.');
  const path = resolve(value);
  if (isSocketPathTooLong(path)) {
    throw new InvalidArgumentError(`The path of a socket has at most ${longestSocketPath} bytes.`);
  }
  return path;
}

export function clientOptions({ control }: ControlOption, timeout?: Microseconds): ClientOptions {
  return { path: control, timers, ...(timeout === undefined ? {} : { timeout }) };
}

export function print(text: string): void {
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}

export function complain(text: string): void {
  process.stderr.write(text.endsWith('\n') ? text : `${text}\n`);
}

/**
 * Asks, and gives the result on. What went wrong is printed, with its remedy, and sets the exit code; then the
 * answer is undefined.
 */
export async function askDaemon(
  options: ControlOption,
  request: ControlRequest,
  timeout?: Microseconds,
): Promise<{ readonly result: unknown } | undefined> {
  // Long work is waited for in sight: a person must not wonder whether anything happens.
  const notice =
    timeout === undefined
      ? undefined
      : timers.after(seconds(5), () => {
          complain(`keepstate: still waiting, for ${toSeconds(timeout)} s at most`);
        });
  const outcome = await ask(clientOptions(options, timeout), request);
  notice?.cancel();
  if (outcome.kind === 'answer') return outcome;
  explain(outcome);
  return undefined;
}

export function explain(outcome: Exclude<ClientOutcome, { kind: 'answer' }>): void {
  complain(printableLines(`keepstate: ${wordsFor(outcome)}`));
  process.exitCode = outcome.kind === 'refused' ? exitCode.problem : exitCode.noDaemon;
}

/** One or two lines: what is wrong, and what to do about it. */
export function wordsFor(outcome: Exclude<ClientOutcome, { kind: 'answer' }>): string {
  switch (outcome.kind) {
    case 'refused': {
      const { message, remedy } = outcome.refusal;
      return remedy === undefined ? message : `${message}\n  remedy: ${remedy}`;
    }
    case 'noDaemon':
      return `no daemon answers at ${outcome.path}\n  remedy: systemctl start keepstate, or name its socket with --control or KEEPSTATE_CONTROL`;
    case 'notAllowed':
      return `no permission to use ${outcome.path}\n  remedy: run this as root`;
    case 'hangs':
      return `the daemon at ${outcome.path} did not answer within ${toSeconds(outcome.after)} s\n  remedy: see its log; "kill -USR1" its process shows whether it still works`;
    case 'broken':
      return `the conversation with ${outcome.path} broke off: ${outcome.message}`;
  }
}

/** Longer than any commit of a full table. */
export const longTimeout = seconds(70);
