/** A keepstate daemon in a laboratory host, asked over its control socket. */
import { systemClock, SystemTimers } from '../../../src/base/systemClock.js';
import { seconds } from '../../../src/base/time.js';
import { ask, type ClientOutcome } from '../../../src/control/client.js';
import type { ControlRequest } from '../../../src/control/protocol.js';
import type { HistoryEntry, StatusAnswer } from '../../../src/control/statusAnswer.js';
import type { CommandResult } from '../../lab/command.js';
import type { Host } from '../../lab/host.js';
import type { ManagedProcess } from '../../lab/managedProcess.js';
import { keepstateCommand, keepstateCommandOf } from '../../lab/keepstateProgram.js';
import { waitFor, type WaitOptions } from '../../lab/waitFor.js';

const timers = new SystemTimers(systemClock);

const ownStateDirectory = '\nglobal_defs {\n  state_directory @DIRECTORY@/state\n}\n';

export class KeepstateNode {
  readonly host: Host;
  readonly configFile: string;
  readonly controlPath: string;
  /** Where the program was built. */
  readonly #root: string | undefined;
  #process: ManagedProcess | undefined;

  /**
   * `config` may use @DIRECTORY@ for the host's scratch directory. `root`: another build than this
   * one.
   */
  constructor(host: Host, config: string, root?: string) {
    this.host = host;
    this.#root = root;
    this.controlPath = `${host.directory}/run/control.sock`;
    this.configFile = host.file('keepstate.conf', '');
    this.writeConfig(config);
  }

  get process(): ManagedProcess {
    if (this.#process === undefined) throw new Error('the daemon was not started');
    return this.#process;
  }

  writeConfig(config: string): void {
    // The default is the machine's, where tests that run side by side would meet.
    const own = config.includes('state_directory') ? '' : ownStateDirectory;
    const text = `${config}${own}`.replaceAll('@DIRECTORY@', this.host.directory);
    this.host.file('keepstate.conf', text);
  }

  /** Resolves when it answers; fails with its output when it ends before. */
  async start(...preloads: readonly string[]): Promise<void> {
    this.#process = this.host.start([
      ...this.#command(...preloads),
      'run',
      ...['--config', this.configFile, '--control', this.controlPath, '--log-level', 'debug'],
    ]);
    await this.process.waitForOutput('keepstate runs', { timeout: 60_000 });
  }

  ask(request: ControlRequest, timeoutSeconds = 30): Promise<ClientOutcome> {
    return ask({ path: this.controlPath, timers, timeout: seconds(timeoutSeconds) }, request);
  }

  async status(): Promise<StatusAnswer> {
    const outcome = await this.ask({ verb: 'status' });
    if (outcome.kind !== 'answer') {
      throw new Error(`no status: ${JSON.stringify(outcome)}\n${this.process.output}`);
    }
    return outcome.result as StatusAnswer;
  }

  /** Until its role is that old, by its own account. */
  waitForAge(milliseconds: number): Promise<StatusAnswer> {
    return this.waitForStatus(
      ({ since }) => Date.now() - Date.parse(since) > milliseconds,
      `a role that is ${milliseconds} ms old`,
    );
  }

  /** Until each of the instances has heard so many advertisements more. */
  async waitForAdverts(count: number, names: readonly string[]): Promise<void> {
    const before = await this.status();
    const heard = ({ instances }: StatusAnswer, name: string): number =>
      instances.find((one) => one.name === name)?.counters['advert_rcvd'] ?? 0;
    await this.waitForStatus(
      (now) => names.every((name) => heard(now, name) >= heard(before, name) + count),
      `${count} advertisements more`,
    );
  }

  async history(): Promise<readonly HistoryEntry[]> {
    const outcome = await this.ask({ verb: 'history' });
    if (outcome.kind !== 'answer') throw new Error(JSON.stringify(outcome));
    return outcome.result as readonly HistoryEntry[];
  }

  /** Polls `status` until it suits; a failure shows the last status and the log. */
  async waitForStatus(
    suits: (status: StatusAnswer) => boolean,
    description: string,
    options: WaitOptions = {},
  ): Promise<StatusAnswer> {
    let last: StatusAnswer | undefined;
    try {
      return await waitFor(
        async () => {
          last = await this.status();
          return suits(last) ? last : undefined;
        },
        { description, ...options },
      );
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      throw new Error(`${text}\n${JSON.stringify(last, undefined, 1)}\n${this.process.output}`, {
        cause: error,
      });
    }
  }

  waitForRole(role: StatusAnswer['role'], options: WaitOptions = {}): Promise<StatusAnswer> {
    return this.waitForStatus(
      (status) => status.role === role && status.phase === 'steady',
      `${this.host.name} to be ${role}`,
      options,
    );
  }

  /** The command line program, in the host. */
  cli(...args: string[]): Promise<CommandResult> {
    const [command = '', ...rest] = args;
    return this.host.tryExec([
      ...this.#command(),
      command,
      ...rest,
      ...['--control', this.controlPath],
    ]);
  }

  #command(...preloads: readonly string[]): string[] {
    return this.#root === undefined
      ? keepstateCommand(...preloads)
      : keepstateCommandOf(this.#root, ...preloads);
  }

  async stop(): Promise<void> {
    await this.process.stop();
  }
}
