/** Runs the command line in this process against a control server of the test's own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { silentLogger } from '../../src/base/logger.js';
import { systemClock, SystemTimers } from '../../src/base/systemClock.js';
import { buildProgram } from '../../src/cli/program.js';
import type { ControlRequest, ControlResult } from '../../src/control/protocol.js';
import { ControlServer, type EventSink } from '../../src/control/server.js';

export interface CliRun {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

/** What commander or the command did with these words. */
export async function runCli(...words: string[]): Promise<CliRun> {
  const out: string[] = [];
  const err: string[] = [];
  const capture =
    (into: string[]) =>
    (text: string | Uint8Array, encoding?: unknown, written?: () => void): boolean => {
      into.push(typeof text === 'string' ? text : Buffer.from(text).toString());
      const callback = typeof encoding === 'function' ? (encoding as () => void) : written;
      callback?.();
      return true;
    };
  const stdout = jest.spyOn(process.stdout, 'write').mockImplementation(capture(out));
  const stderr = jest.spyOn(process.stderr, 'write').mockImplementation(capture(err));
  // A command has its process to itself, and does not take its listeners away.
  const listenersBefore = process.stdout.listeners('error');
  process.exitCode = undefined;
  let exitCode: number;
  try {
    await quiet(buildProgram()).parseAsync(['node', 'keepstate', ...words]);
    exitCode = exitCodeNow();
  } catch (error) {
    // commander's way of ending with a usage error, or after --help.
    if (!(error instanceof Error && 'exitCode' in error)) throw error;
    exitCode = Number(error.exitCode);
  } finally {
    process.exitCode = undefined;
    for (const listener of process.stdout.listeners('error')) {
      if (listenersBefore.includes(listener)) continue;
      process.stdout.off('error', listener as (error: Error) => void);
    }
    stdout.mockRestore();
    stderr.mockRestore();
  }
  return { stdout: out.join(''), stderr: err.join(''), exitCode };
}

/**
 * Read through a function: TypeScript believes that it is still what was assigned before the run.
 */
function exitCodeNow(): number {
  return Number(process.exitCode ?? 0);
}

/** Throws in place of ending the process. */
export function quiet(command: Command): Command {
  command.exitOverride();
  for (const one of command.commands) quiet(one);
  return command;
}

/** A daemon that answers as it is told, and remembers what it was asked. */
export class FakeDaemon {
  readonly directory = mkdtempSync(join(tmpdir(), 'keepstate-cli-'));
  readonly path = join(this.directory, 'control.sock');
  readonly asked: ControlRequest[] = [];
  readonly sinks: EventSink[] = [];
  #server: ControlServer | undefined;

  async listen(
    answer: (request: ControlRequest) => ControlResult | Promise<ControlResult>,
  ): Promise<void> {
    this.#server = await ControlServer.listen({
      path: this.path,
      handler: {
        answer: (request) => {
          this.asked.push(request);
          return Promise.resolve(answer(request));
        },
        subscribe: (sink) => {
          this.sinks.push(sink);
          return () => undefined;
        },
      },
      timers: new SystemTimers(systemClock),
      logger: silentLogger,
    });
  }

  async close(): Promise<void> {
    await this.#server?.close();
    this.#server = undefined;
    rmSync(this.directory, { recursive: true, force: true });
  }
}
