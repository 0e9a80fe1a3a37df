/** A real keepalived (2.2.7 on Debian 12) in a host, with its own pid and dump files. */
import { existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from './host.js';
import type { ManagedProcess } from './managedProcess.js';
import { waitFor } from './waitFor.js';

/** keepalived's numbers of a VRRP state in its JSON. */
export const keepalivedState = { INIT: 0, BACKUP: 1, MASTER: 2, FAULT: 3 } as const;

/** Asks keepalived for its JSON dump: SIGRTMIN+2. */
const jsonSignal = 36;

export interface KeepalivedJson {
  readonly data: { readonly iname: string; readonly state: number } & Readonly<
    Record<string, unknown>
  >;
  readonly stats: Readonly<Record<string, number>>;
}

export class Keepalived {
  readonly process: ManagedProcess;
  /** Holds the config, pid files and dumps. */
  readonly directory: string;

  private constructor(started: ManagedProcess, directory: string) {
    this.process = started;
    this.directory = directory;
  }

  /** Starts it with `config` as its file and waits until it has read it. */
  static async start(host: Host, config: string, name = 'keepalived'): Promise<Keepalived> {
    const directory = host.path(name);
    mkdirSync(directory);
    const file = host.file(`${directory.slice(host.directory.length + 1)}/keepalived.conf`, config);
    const started = host.start(
      [
        ...['keepalived', '-n', '-l', '-D', '-P', '-f', file],
        ...['-p', join(directory, 'parent.pid'), '-r', join(directory, 'vrrp.pid')],
      ],
      { env: { TMPDIR: directory } },
    );
    await started.waitForOutput(/Startup complete|entering (BACKUP|FAULT) STATE \(init\)/i);
    return new Keepalived(started, directory);
  }

  get log(): string {
    return this.process.output;
  }

  /** Pid of the VRRP child, which does the work (freeze this one, or the group). */
  get vrrpPid(): number {
    return Number(readFileSync(join(this.directory, 'vrrp.pid'), 'utf8'));
  }

  /** The text of `keepalived.stats` (SIGUSR2). */
  async stats(): Promise<string> {
    return this.#dump('SIGUSR2', 'keepalived.stats');
  }

  /** One element per instance. */
  async json(): Promise<KeepalivedJson[]> {
    return JSON.parse(await this.#dump(jsonSignal, 'keepalived.json')) as KeepalivedJson[];
  }

  /** MASTER, BACKUP, FAULT or INIT of the instance. */
  async state(instance: string): Promise<string> {
    const found = (await this.json()).find((element) => element.data.iname === instance);
    const name = Object.entries(keepalivedState).find(([, n]) => n === found?.data.state)?.[0];
    return name ?? `unknown instance ${instance}`;
  }

  reload(): void {
    this.process.signal('SIGHUP');
  }

  /** SIGTERM: it sends priority 0 and removes its addresses. */
  async stop(): Promise<void> {
    await this.process.stop();
  }

  async #dump(signal: NodeJS.Signals | number, fileName: string): Promise<string> {
    const file = join(this.directory, fileName);
    rmSync(file, { force: true });
    this.process.signal(signal);
    // The file is written in place; it is whole once its size rests and it ends with a newline.
    let size = -1;
    return waitFor(
      () => {
        if (!existsSync(file)) return undefined;
        const before = size;
        size = statSync(file).size;
        const text = readFileSync(file, 'utf8');
        return size > 0 && size === before && text.endsWith('\n') ? text : undefined;
      },
      { description: `${fileName} from keepalived`, interval: 20 },
    );
  }
}
