/** A node that logs the connections that end in a host of the laboratory, without the daemon. */
import { existsSync, readFileSync } from 'node:fs';
import type { StatisticsStatus, SyncCommand, SyncReport } from '../../../src/sync/messages.js';
import type { KernelSettings, StatisticsSettings } from '../../../src/sync/settings.js';
import type { Host } from '../../lab/host.js';
import type { ManagedProcess } from '../../lab/managedProcess.js';
import { waitFor } from '../../lab/waitFor.js';

const kernel: KernelSettings = {
  hashLimit: 1_048_576,
  netlinkBufferBytes: 8_388_608,
  netlinkBufferMaxGrowthBytes: 33_554_432,
  netlinkEventsReliable: false,
  filter: { from: 'userspace' },
};

export class StatisticsNode {
  readonly process: ManagedProcess;
  /** For conntrackd's client. */
  readonly clientPath: string;

  private constructor(started: ManagedProcess, clientPath: string) {
    this.process = started;
    this.clientPath = clientPath;
  }

  /** Starts and waits until the kernel's table was read. */
  static async start(
    host: Host,
    settings: Partial<StatisticsSettings>,
    changes: Partial<KernelSettings> = {},
  ): Promise<StatisticsNode> {
    const clientPath = host.path('statistics.sock');
    const command: SyncCommand = {
      kind: 'startStatistics',
      clientPath,
      statistics: {
        json: false,
        sinceTakeover: false,
        kernel: { ...kernel, ...changes },
        ...settings,
      },
    };
    const path = host.path('statistics.json');
    const file = host.file(path.slice(host.directory.length), JSON.stringify(command));
    const program = 'test/support/sync/statisticsProgram.ts';
    const node = new StatisticsNode(host.startTypescript(program, [file]), clientPath);
    await waitFor(() => node.#reports('ready').length > 0, { description: 'the table' });
    return node;
  }

  command(command: SyncCommand): void {
    this.process.write(`${JSON.stringify(command)}\n`);
  }

  /** What was reported last, once a second. */
  get status(): StatisticsStatus | undefined {
    return this.#reports('statistics').at(-1)?.status;
  }

  /** Its log as text. */
  logged(message: string): number {
    return this.#reports('log').filter((line) => line.message === message).length;
  }

  async stop(): Promise<void> {
    this.command({ kind: 'stop', id: 1 });
    await waitFor(() => this.#reports('result').some(({ id }) => id === 1), {
      description: 'the end',
    });
    await this.process.kill();
  }

  #reports<K extends SyncReport['kind']>(kind: K): Extract<SyncReport, { kind: K }>[] {
    return (this.process.jsonLines() as SyncReport[]).filter(
      (line): line is Extract<SyncReport, { kind: K }> => line.kind === kind,
    );
  }
}

/** Lines of a log, none where there is no file. */
export function linesOf(path: string): string[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8').split('\n').slice(0, -1);
}

/** `Fri Nov 20 15:51:58 2026` and a tab. */
export const dateAndTab = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}\t/;

/** What a line says of its connection, without when it was written. */
export function withoutDate(line: string): string {
  if (!dateAndTab.test(line)) throw new Error(`no date: ${line}`);
  return line.replace(dateAndTab, '');
}
