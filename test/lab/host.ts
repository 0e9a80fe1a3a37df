/** One machine of the laboratory: a network namespace in which commands and programs run. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Capture, type CaptureOptions } from './capture.js';
import { run, runSync, tryRun, type CommandOptions, type CommandResult } from './command.js';
import { dropStatement } from './loss.js';
import { ManagedProcess, type ProcessOptions } from './managedProcess.js';
import { typescriptCommand } from './runTypescript.js';

export class Host {
  readonly name: string;
  /** Name under /run/netns. */
  readonly namespace: string;
  /** Scratch files of this host. */
  readonly directory: string;
  readonly #processes: ManagedProcess[] = [];

  constructor(name: string, namespace: string, directory: string) {
    this.name = name;
    this.namespace = namespace;
    this.directory = directory;
  }

  /** Put in front of a command to run it here. */
  get enter(): readonly string[] {
    return ['ip', 'netns', 'exec', this.namespace];
  }

  /** For setns: `withNetworkNamespace(host.namespacePath, …)`. */
  get namespacePath(): string {
    return `/run/netns/${this.namespace}`;
  }

  /** Runs here and gives stdout; rejects on a non-zero exit. */
  exec(command: readonly string[], options: CommandOptions = {}): Promise<string> {
    return run([...this.enter, ...command], options);
  }

  /** Runs here; a non-zero exit is part of the result. */
  tryExec(command: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return tryRun([...this.enter, ...command], options);
  }

  execSync(command: readonly string[], options: CommandOptions = {}): string {
    return runSync([...this.enter, ...command], options);
  }

  /**
   * One or more `ip` commands as one batch: `host.ip('link set eth0 up', 'route add default via
   * 10.0.0.1')`.
   */
  async ip(...commands: string[]): Promise<string> {
    return run(['ip', '-n', this.namespace, '-batch', '-'], { input: `${commands.join('\n')}\n` });
  }

  /** `ip -json …` parsed. */
  async ipJson(...args: string[]): Promise<unknown> {
    const text = await run(['ip', '-n', this.namespace, '-json', ...args]);
    return text.trim() === '' ? [] : (JSON.parse(text) as unknown);
  }

  /** Whether `address` (without prefix) is on any interface here. */
  async hasAddress(address: string): Promise<boolean> {
    const list = (await this.ipJson('address', 'show')) as {
      addr_info?: { local?: string }[];
    }[];
    return list.some((link) => (link.addr_info ?? []).some((info) => info.local === address));
  }

  async macOf(interfaceName: string): Promise<string> {
    const list = (await this.ipJson('link', 'show', 'dev', interfaceName)) as { address: string }[];
    return list[0]?.address ?? '';
  }

  /** Keys as sysctl(8) writes them. */
  async sysctl(values: Readonly<Record<string, string | number>>): Promise<void> {
    const settings = Object.entries(values).map(([key, value]) => `${key}=${value}`);
    if (settings.length > 0) await this.exec(['sysctl', '-q', '-w', ...settings]);
  }

  /** Loads ruleset text (`nft -f -`). */
  async nft(ruleset: string): Promise<void> {
    await this.exec(['nft', '-f', '-'], { input: ruleset });
  }

  /**
   * Loses `percent` of what matches `match` (an nft expression such as `udp dport 3780`; everything
   * when empty) on the way in. Each call replaces the loss set before; 0 ends it.
   */
  async loseInput(percent: number, match = ''): Promise<void> {
    const chain =
      percent <= 0
        ? ''
        : 'chain input { type filter hook prerouting priority -350; ' +
          `${match} ${dropStatement(percent)}; };`;
    await this.nft(
      `table inet lab_loss {}\ndelete table inet lab_loss\ntable inet lab_loss { ${chain} }\n`,
    );
  }

  /** Starts a program here; `stopAll`, and so the lab's end, ends it. */
  start(command: readonly string[], options: ProcessOptions = {}): ManagedProcess {
    const started = new ManagedProcess([...this.enter, ...command], options);
    this.#processes.push(started);
    return started;
  }

  /** Starts a TypeScript file of this repository in Node.js here, without a build. */
  startTypescript(
    file: string,
    args: readonly string[] = [],
    options: ProcessOptions = {},
  ): ManagedProcess {
    return this.start([...typescriptCommand(file), ...args], options);
  }

  /** Starts tcpdump on `interfaceName` and resolves when it listens. */
  async capture(interfaceName: string, options: CaptureOptions = {}): Promise<Capture> {
    return Capture.start(this, interfaceName, options);
  }

  /** The connection tracking table as `conntrack -L` prints it. */
  async conntrack(...args: string[]): Promise<string> {
    return (await this.tryExec(['conntrack', ...(args.length === 0 ? ['-L'] : args)])).stdout;
  }

  /** Writes a scratch file and gives its path. */
  file(name: string, content: string): string {
    const path = join(this.directory, name);
    writeFileSync(path, content);
    return path;
  }

  /** A path in the scratch directory that does not exist yet. */
  path(name: string): string {
    let path = join(this.directory, name);
    for (let n = 1; existsSync(path); n++) path = join(this.directory, `${name}.${n}`);
    return path;
  }

  /** SIGKILL for everything started here. */
  async stopAll(): Promise<void> {
    await Promise.all(this.#processes.splice(0).map((started) => started.kill()));
  }
}
