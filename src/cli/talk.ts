/**
 * How a command talks to the daemon and to the person: control path, time-outs, exit codes, and
 * words for each failure.
 */
import { resolve } from 'node:path';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { printableJson, printableLines } from '../base/printable.js';
import { systemClock, SystemTimers } from '../base/systemClock.js';
import { isSocketPathTooLong, longestSocketPath } from '../base/socketPath.js';
import { seconds, toSeconds, type Microseconds } from '../base/time.js';
import { ask, type ClientOptions, type ClientOutcome } from '../control/client.js';
import { refusal, type ControlRequest, type Refusal } from '../control/protocol.js';
import { isReading, readersPath } from '../control/readOnly.js';
import { configuredControlPath } from './controlPath.js';
import { defaultConfig } from './defaultConfig.js';

/** Exit codes of all commands that ask the daemon. */
export const exitCode = { fine: 0, problem: 1, noDaemon: 2 } as const;

export interface ControlOption {
  readonly control?: string;
  /** Whose `control_socket` is asked where `control` is absent. */
  readonly config: string;
}

/** What decides how a failure is told. */
export interface AskOptions extends ControlOption {
  /** For a program: a failure is one JSON object on standard output too. */
  readonly json?: true;
}

export const timers = new SystemTimers(systemClock);

/** Adds `--control`, with KEEPSTATE_CONTROL as its default, and `--config`. */
export function withControl(command: Command): Command {
  return command
    .addOption(controlOption('control socket of the daemon, before control_socket'))
    .option('--config <file>', 'configuration whose control_socket is asked', defaultConfig);
}

/**
 * `--control` or KEEPSTATE_CONTROL; its value is an absolute path that fits into a socket's
 * address.
 */
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

export function clientOptions(options: ControlOption, timeout?: Microseconds): ClientOptions {
  const path = options.control ?? configuredControlPath(options.config);
  return { path, timers, ...(timeout === undefined ? {} : { timeout }) };
}

export function print(text: string): void {
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}

export function complain(text: string): void {
  process.stderr.write(text.endsWith('\n') ? text : `${text}\n`);
}

/**
 * Asks. Who may not use the control socket, and only wants to know something, is answered at the
 * socket of `control_read_group`.
 */
export async function askToRead(
  options: ControlOption,
  request: ControlRequest,
  timeout?: Microseconds,
): Promise<ClientOutcome> {
  const given = clientOptions(options, timeout);
  const outcome = await ask(given, request);
  if (outcome.kind !== 'notAllowed' || !isReading(request)) return outcome;
  const asReader = await ask({ ...given, path: readersPath(given.path) }, request);
  return asReader.kind === 'noDaemon' || asReader.kind === 'notAllowed' ? outcome : asReader;
}

/**
 * Asks, and gives the result on. What went wrong is printed, with its remedy, and sets the exit
 * code; then the answer is undefined.
 */
export async function askDaemon(
  options: AskOptions,
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
  const outcome = await askToRead(options, request, timeout);
  notice?.cancel();
  if (outcome.kind === 'answer') return outcome;
  explain(outcome, options);
  return undefined;
}

export function explain(
  outcome: Exclude<ClientOutcome, { kind: 'answer' }>,
  options: AskOptions,
): void {
  const code = outcome.kind === 'refused' ? exitCode.problem : exitCode.noDaemon;
  refuse(refusalOf(outcome), options, code);
}

/**
 * Says why nothing comes, and what to do about it: to the person, and to the program that asked for
 * JSON.
 */
export function refuse(
  refused: Refusal,
  { json }: AskOptions,
  code: number = exitCode.problem,
): void {
  const { message, remedy } = refused;
  if (json === true) print(printableJson(refused));
  const words = remedy === undefined ? message : `${message}\n  remedy: ${remedy}`;
  complain(printableLines(`keepstate: ${words}`));
  process.exitCode = code;
}

export const nothingReplicated = refusal(
  'no-sync',
  'this node replicates nothing: its configuration has no Sync block',
);

/** What the daemon itself says, or what kept it from saying anything. */
export function refusalOf(outcome: Exclude<ClientOutcome, { kind: 'answer' }>): Refusal {
  switch (outcome.kind) {
    case 'refused': {
      const { code, message, remedy } = outcome.refusal;
      return refusal(code, message, remedy);
    }
    case 'noDaemon':
      return refusal(
        'no-daemon',
        `no daemon answers at ${outcome.path}`,
        'systemctl start keepstate, or name its socket with --control or KEEPSTATE_CONTROL',
      );
    case 'notAllowed':
      return refusal('not-allowed', `no permission to use ${outcome.path}`, 'run this as root');
    case 'hangs':
      return refusal(
        'no-answer',
        `the daemon at ${outcome.path} did not answer within ${toSeconds(outcome.after)} s`,
        'see its log; "kill -USR1" its process shows whether it still works',
      );
    case 'broken':
      return refusal(
        'broken-off',
        `the conversation with ${outcome.path} broke off: ${outcome.message}`,
      );
  }
}

/** Longer than any commit of a full table. */
export const longTimeout = seconds(70);
