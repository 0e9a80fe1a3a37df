/**
 * A program that runs beside the test: captured output, signals to it alone or to its whole process
 * group, freeze and thaw, and an end that always comes.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { waitFor, type WaitOptions } from './waitFor.js';

export interface ProcessOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class ManagedProcess {
  readonly command: readonly string[];
  readonly #child: ChildProcess;
  readonly #exited: Promise<ProcessExit>;
  #exit: ProcessExit | undefined;
  #stdout = '';
  #stderr = '';

  constructor(command: readonly string[], options: ProcessOptions = {}) {
    this.command = command;
    const [program = '', ...args] = command;
    this.#child = spawn(program, args, {
      env: { ...process.env, ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      stdio: ['pipe', 'pipe', 'pipe'],
      // A process group of its own: children of the program can be reached, and Ctrl-C is ours.
      detached: true,
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.#stdout += text));
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text));
    this.#child.stdin?.on('error', () => undefined);
    this.#exited = new Promise((resolve) => {
      const finish = (exit: ProcessExit): void => {
        this.#exit ??= exit;
        resolve(this.#exit);
      };
      this.#child.on('error', (error) => {
        this.#stderr += `${error.message}\n`;
        finish({ code: null, signal: null });
      });
      this.#child.on('close', (code, signal) => finish({ code, signal }));
    });
  }

  /** The program's own pid (`ip netns exec` replaces itself by the program). */
  get pid(): number {
    if (this.#child.pid === undefined) throw new Error(`${this.command.join(' ')} did not start`);
    return this.#child.pid;
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** Standard output, then standard error. */
  get output(): string {
    return this.#stdout + this.#stderr;
  }

  get isRunning(): boolean {
    return (
      this.#exit === undefined && this.#child.exitCode === null && this.#child.signalCode === null
    );
  }

  /** Resolves when the program has ended and its output is complete. */
  exited(): Promise<ProcessExit> {
    return this.#exited;
  }

  /** Lines of standard output so far that are JSON. */
  jsonLines(): unknown[] {
    return this.#stdout
      .split('\n')
      .filter((line) => line.startsWith('{') || line.startsWith('['))
      .map((line): unknown => JSON.parse(line));
  }

  write(text: string): void {
    this.#child.stdin?.write(text);
  }

  /**
   * Waits until stdout or stderr contains `pattern`; fails at once when the program ends before.
   */
  async waitForOutput(pattern: RegExp | string, options: WaitOptions = {}): Promise<string> {
    const found = (): boolean =>
      typeof pattern === 'string' ? this.output.includes(pattern) : pattern.test(this.output);
    const outcome = await waitFor(
      () => (found() ? 'found' : this.#exit === undefined ? undefined : ('ended' as const)),
      { description: `${String(pattern)} in the output of ${this.command.join(' ')}`, ...options },
    ).catch((error: unknown) => {
      throw new Error(`${error instanceof Error ? error.message : ''}\n${this.output}`);
    });
    if (outcome === 'ended' && !found()) {
      throw new Error(`${this.command.join(' ')} ended before ${String(pattern)}:\n${this.output}`);
    }
    return this.output;
  }

  /**
   * By name or number (keepalived's JSON dump is signal 36). Does nothing once the program has
   * ended.
   */
  signal(signal: NodeJS.Signals | number): void {
    if (this.isRunning) kill(this.pid, signal);
  }

  /** To the program and everything it started, as long as that stayed in its process group. */
  signalGroup(signal: NodeJS.Signals | number): void {
    if (this.#child.pid !== undefined) kill(-this.#child.pid, signal);
  }

  /** SIGSTOP to the whole group: a machine that hangs but keeps its kernel. */
  freeze(): void {
    this.signalGroup('SIGSTOP');
  }

  thaw(): void {
    this.signalGroup('SIGCONT');
  }

  /** Whether the whole program has stopped (SIGSTOP), as the kernel tells. */
  get isFrozen(): boolean {
    const stat = readFileSync(`/proc/${this.pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).startsWith('T');
  }

  /** SIGKILL to the whole group: power-off as far as the programs go. */
  async kill(): Promise<ProcessExit> {
    this.signalGroup('SIGKILL');
    return this.#exited;
  }

  /** SIGTERM, and SIGKILL for what is left after `grace` milliseconds. */
  async stop(grace = 10_000): Promise<ProcessExit> {
    this.signal('SIGTERM');
    this.thaw();
    await waitFor(() => !this.isRunning, { timeout: grace }).catch(() => undefined);
    return this.kill();
  }
}

function kill(pid: number, signal: NodeJS.Signals | number): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
