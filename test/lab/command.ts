/**
 * Runs programs to their end, with captured output. Every failure names the command and its stderr.
 */
import { execFile, execFileSync } from 'node:child_process';

export interface CommandOptions {
  /** Text for standard input. */
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMilliseconds?: number;
}

export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

const defaultTimeout = 180_000;
const outputLimit = 256 * 1024 * 1024;

/**
 * Runs to the end; a non-zero exit is part of the result. Rejects only when it cannot run or times
 * out.
 */
export function tryRun(
  command: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const [program = '', ...args] = command;
  return new Promise((resolve, reject) => {
    const child = execFile(
      program,
      args,
      {
        env: { ...process.env, ...options.env },
        timeout: options.timeoutMilliseconds ?? defaultTimeout,
        killSignal: 'SIGKILL',
        maxBuffer: outputLimit,
      },
      (error, stdout, stderr) => {
        if (error === null) {
          resolve({ exitCode: 0, stdout, stderr });
        } else if (typeof error.code === 'number') {
          resolve({ exitCode: error.code, stdout, stderr });
        } else {
          reject(new Error(`${command.join(' ')}: ${error.message}\n${stderr}`));
        }
      },
    );
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(options.input ?? '');
  });
}

/** Runs to the end and gives stdout; rejects on a non-zero exit. */
export async function run(
  command: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const result = await tryRun(command, options);
  if (result.exitCode !== 0) {
    throw new Error(
      `${command.join(' ')}: exit ${result.exitCode}\n${result.stderr}${result.stdout}` +
        (options.input === undefined ? '' : `\ninput:\n${options.input.slice(0, 2_000)}`),
    );
  }
  return result.stdout;
}

/** Blocking form of `run`, for set-up code. */
export function runSync(command: readonly string[], options: CommandOptions = {}): string {
  const [program = '', ...args] = command;
  return execFileSync(program, args, {
    input: options.input ?? '',
    env: { ...process.env, ...options.env },
    timeout: options.timeoutMilliseconds ?? defaultTimeout,
    maxBuffer: outputLimit,
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}
