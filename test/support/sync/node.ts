/**
 * A keepstate replication engine in a host of the laboratory, driven through
 * test/support/sync/harness.ts.
 */
import { parseIp } from '../../../src/base/ipAddress.js';
import { seconds } from '../../../src/base/time.js';
import type { CacheName, SyncCommand, SyncReport, SyncStatus } from '../../../src/sync/messages.js';
import type { SyncLink, SyncSettings } from '../../../src/sync/settings.js';
import type { Host } from '../../lab/host.js';
import type { ManagedProcess } from '../../lab/managedProcess.js';
import { waitFor } from '../../lab/waitFor.js';

export interface LinkOptions {
  readonly kind: 'udp' | 'multicast' | 'tcp';
  readonly local: string;
  readonly destination: string;
  readonly interfaceName: string;
  /** 3780 where absent. */
  readonly port?: number;
  readonly isDefault?: boolean;
}

export function linkOf(options: LinkOptions): SyncLink {
  const destination = parseIp(options.destination);
  const localAddress = parseIp(options.local);
  if (destination === undefined || localAddress === undefined) throw new Error('no address');
  return {
    kind: options.kind,
    family: destination.family,
    interfaceName: options.interfaceName,
    localAddress,
    destination,
    port: options.port ?? 3780,
    isDefault: options.isDefault ?? false,
    sendBufferBytes: 1_249_280,
    receiveBufferBytes: 1_249_280,
    checksum: true,
    errorQueueLength: 128,
  };
}

export function settingsOf(
  links: readonly LinkOptions[],
  changes: Partial<SyncSettings> = {},
): SyncSettings {
  return {
    mode: 'FTFW',
    links: links.map(linkOf),
    resendQueueSize: 131_072,
    ackWindowSize: 300,
    purgeTimeout: seconds(60),
    disableExternalCache: false,
    disableInternalCache: false,
    startupResync: false,
    refreshTimeSeconds: 60,
    cacheTimeoutSeconds: 180,
    tcpWindowTracking: false,
    expectationSync: 'off',
    hashLimit: 1_048_576,
    netlinkBufferBytes: 8_388_608,
    netlinkBufferMaxGrowthBytes: 33_554_432,
    netlinkEventsReliable: false,
    filter: { from: 'userspace' },
    ownAddresses: [],
    peerPort: 3781,
    nodeName: 'node',
    acceptAnySource: false,
    ...changes,
  };
}

export interface Digest {
  readonly internal: readonly number[];
  readonly external: readonly number[];
  /** Of the internal table. */
  readonly internalBytes: number;
  readonly rss: number;
  /** Comparisons with the kernel since the start. */
  readonly passes: number;
}

type Answer =
  | SyncReport
  | { readonly kind: 'list'; readonly lines: string[] }
  | { readonly kind: 'client'; readonly text: string }
  | { readonly kind: 'frozen' }
  | ({ readonly kind: 'digest' } & Digest);

export class SyncNode {
  readonly process: ManagedProcess;
  #nextId = 1;

  private constructor(started: ManagedProcess) {
    this.process = started;
  }

  /**
   * Starts and waits until the cache is filled. `watch`: the interfaces, as the daemon's main
   * thread does.
   */
  static async start(host: Host, settings: SyncSettings, watch = false): Promise<SyncNode> {
    const text = textOf(settings);
    const path = host.path('sync.json');
    const file = host.file(path.slice(host.directory.length), text);
    const node = new SyncNode(
      host.startTypescript('test/support/sync/harness.ts', [file, ...(watch ? ['watch'] : [])]),
    );
    await node.waitForReport('ready');
    return node;
  }

  command(command: SyncCommand | { readonly kind: string }): void {
    this.process.write(`${textOf(command)}\n`);
  }

  /** In one piece: nothing of the first has happened when the next is read. */
  commandsAtOnce(...commands: readonly SyncCommand[]): void {
    this.process.write(commands.map((command) => `${textOf(command)}\n`).join(''));
  }

  reports<K extends Answer['kind']>(kind: K): Extract<Answer, { kind: K }>[] {
    return (this.process.jsonLines() as Answer[]).filter(
      (line): line is Extract<Answer, { kind: K }> => line.kind === kind,
    );
  }

  async waitForReport<K extends Answer['kind']>(
    kind: K,
    after = 0,
  ): Promise<Extract<Answer, { kind: K }>> {
    return waitFor(
      () => {
        if (!this.process.isRunning) throw new Error(`ended: ${this.process.output.slice(-2_000)}`);
        return this.reports(kind)[after];
      },
      { description: `a report «${kind}»` },
    );
  }

  /** Sends one of conntrackd's verbs and waits for its result. */
  async request(
    request: Extract<SyncCommand, { kind: 'request' }>['request'],
  ): Promise<Extract<SyncReport, { kind: 'result' }>> {
    const id = this.#nextId++;
    this.command({ kind: 'request', id, request });
    return waitFor(() => this.reports('result').find((result) => result.id === id), {
      description: `the result of ${request.verb}`,
    });
  }

  /** Entries as conntrackd prints them, sorted, ages left out. */
  async list(cache: CacheName, withReply: boolean): Promise<string[]> {
    const before = this.reports('list').length;
    this.command({ kind: 'list', cache, withReply } as { kind: string });
    return (await this.waitForReport('list', before)).lines;
  }

  /** What conntrackd's client gets for a request number; statistics excepted. */
  async client(request: number): Promise<string> {
    const before = this.reports('client').length;
    this.command({ kind: 'client', request } as { kind: string });
    return (await this.waitForReport('client', before)).text;
  }

  async digest(): Promise<Digest> {
    const before = this.reports('digest').length;
    this.command({ kind: 'digest' });
    return this.waitForReport('digest', before);
  }

  get status(): SyncStatus | undefined {
    return this.reports('status').at(-1)?.status;
  }

  async stop(): Promise<void> {
    await this.process.kill();
  }
}

function textOf(value: object): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    part instanceof Uint8Array ? [...part] : part,
  );
}

/** A line of `conntrackd -i` or `-e` without the ages. */
export function withoutAges(line: string): string {
  return line.replace(/ \[(active since|expires in) \d+s\]/g, '').trim();
}
