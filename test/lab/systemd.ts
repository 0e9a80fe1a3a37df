/**
 * systemd as process 1 of a laboratory host, so that units are tested by the manager that runs
 * them.
 */
import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { run, tryRun, type CommandResult } from './command.js';
import type { Host } from './host.js';
import type { ManagedProcess } from './managedProcess.js';
import { repositoryRoot } from './runTypescript.js';
import { waitFor } from './waitFor.js';

const manager = '/lib/systemd/systemd';

export class SystemdMachine {
  readonly #host: Host;
  readonly #directory: string;
  readonly #cgroup: string;
  readonly #boot: ManagedProcess;
  #enter: readonly string[] = [];

  private constructor(host: Host, directory: string, base: string | undefined) {
    this.#host = host;
    this.#directory = directory;
    this.#cgroup = basename(host.namespace);
    this.#boot = host.start([
      'bash',
      join(repositoryRoot, 'test/lab/systemdBoot.sh'),
      ...[directory, this.#cgroup, repositoryRoot, process.execPath],
      ...(base === undefined ? [] : [base]),
    ]);
  }

  /**
   * `files` are laid over the root before the boot: path to content, or to a `source` to copy.
   * `base`: the root of another system than this one.
   */
  static async boot(
    host: Host,
    files: Readonly<Record<string, string | { readonly source: string }>>,
    base?: string,
  ): Promise<SystemdMachine> {
    const directory = host.path('systemd');
    for (const [path, content] of Object.entries(files)) {
      const target = join(directory, 'files', path);
      mkdirSync(dirname(target), { recursive: true });
      if (typeof content === 'string') writeFileSync(target, content);
      else cpSync(content.source, target);
    }
    mkdirSync(directory, { recursive: true });
    const machine = new SystemdMachine(host, directory, base);
    try {
      await machine.#booted();
      return machine;
    } catch (error) {
      await machine.powerOff();
      throw error;
    }
  }

  async #booted(): Promise<void> {
    const init = await waitFor(
      async () => {
        const children = (await tryRun(['pgrep', '-P', String(this.#boot.pid)])).stdout.trim();
        const command = (await tryRun(['ps', '-o', 'args=', '-p', children])).stdout;
        return command.startsWith(manager) ? children : undefined;
      },
      { description: 'systemd to be process 1' },
    ).catch((error: unknown) => {
      throw new Error(this.#boot.output, { cause: error });
    });
    this.#enter = ['nsenter', '-t', init, '-a'];
    await waitFor(
      async () => (await this.tryExec(['systemctl', 'is-system-running'])).stdout === 'running\n',
      { description: 'systemd to have booted' },
    );
  }

  /** Runs a command inside; rejects on a non-zero exit. */
  exec(command: readonly string[]): Promise<string> {
    return run([...this.#enter, ...command]);
  }

  tryExec(command: readonly string[]): Promise<CommandResult> {
    return tryRun([...this.#enter, ...command]);
  }

  systemctl(...args: string[]): Promise<string> {
    return this.exec(['systemctl', ...args]);
  }

  /** Properties as `systemctl show` names them. */
  async show(unit: string, ...names: string[]): Promise<Readonly<Record<string, string>>> {
    const text = await this.systemctl('show', unit, `--property=${names.join(',')}`);
    const pairs = text
      .split('\n')
      .filter((line) => line.includes('='))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]);
    return Object.fromEntries(pairs) as Readonly<Record<string, string>>;
  }

  /** Everything that `unit` has logged. */
  journal(unit: string): Promise<string> {
    return this.exec(['journalctl', '--no-pager', '--output=cat', `--unit=${unit}`]);
  }

  /** What `unit` has logged itself, line by line with its priority (3 is error, 6 is info). */
  async journalLines(unit: string): Promise<readonly { priority: number; message: string }[]> {
    const words = ['journalctl', '--no-pager', '--output=json', `--unit=${unit}`];
    const text = await this.exec([...words, `_SYSTEMD_UNIT=${unit}.service`]);
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as { PRIORITY: string; MESSAGE: string })
      .map(({ PRIORITY, MESSAGE }) => ({ priority: Number(PRIORITY), message: MESSAGE }));
  }

  /** Writes a file inside. */
  async write(path: string, content: string): Promise<void> {
    await run([...this.#enter, 'tee', path], { input: content });
  }

  /** All processes inside end at once. */
  async powerOff(): Promise<void> {
    await this.#boot.kill();
    const sweep =
      'mount --make-rprivate / && mount -t cgroup2 none "$1" && ' +
      '[ ! -d "$1/$2" ] || find "$1/$2" -depth -type d -exec rmdir {} +';
    const mountPoint = join(this.#directory, 'cgroup');
    if (!existsSync(mountPoint)) return;
    await waitFor(
      async () =>
        (await tryRun(['unshare', '-m', 'sh', '-c', sweep, 'sh', mountPoint, this.#cgroup]))
          .exitCode === 0,
      { description: `the control group of ${this.#host.name} to be removed` },
    );
  }
}
