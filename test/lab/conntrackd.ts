/** A real conntrackd (1.4.7 on Debian 12) in a host, with its own lock file and control socket. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { CommandResult } from './command.js';
import type { Host } from './host.js';
import type { ManagedProcess } from './managedProcess.js';
import { waitFor } from './waitFor.js';

export interface ConntrackdLink {
  readonly kind: 'udp' | 'multicast' | 'tcp';
  /** Local address on the sync link. */
  readonly local: string;
  /** The peer, or the group. */
  readonly destination: string;
  readonly interfaceName: string;
  readonly port?: number;
}

export interface ConntrackdOptions {
  readonly mode: 'FTFW' | 'NOTRACK' | 'ALARM';
  readonly link: ConntrackdLink;
  /** Lines inside the Mode block. */
  readonly modeLines?: readonly string[];
  /** Lines inside the Sync block, beside Mode and the link. */
  readonly syncLines?: readonly string[];
  /** Lines inside the General block. */
  readonly generalLines?: readonly string[];
  /** Addresses whose flows are not replicated; the link's own are always left out. */
  readonly ignoredAddresses?: readonly string[];
}

export class Conntrackd {
  readonly process: ManagedProcess;
  readonly configFile: string;
  readonly #host: Host;

  private constructor(host: Host, started: ManagedProcess, configFile: string) {
    this.#host = host;
    this.process = started;
    this.configFile = configFile;
  }

  /** Starts it and waits until its control socket answers. */
  static async start(
    host: Host,
    options: ConntrackdOptions,
    name = 'conntrackd',
  ): Promise<Conntrackd> {
    const directory = host.path(name);
    mkdirSync(directory);
    return Conntrackd.startWithConfig(host, conntrackdConfig(options, directory), directory);
  }

  /** Starts it with config text of the caller's own, which names its socket and lock file. */
  static async startWithConfig(
    host: Host,
    config: string,
    directory = host.directory,
  ): Promise<Conntrackd> {
    const file = host.file(join(directory.slice(host.directory.length), 'conntrackd.conf'), config);
    const daemon = new Conntrackd(host, host.start(['conntrackd', '-C', file]), file);
    await waitFor(
      async () => {
        if (!daemon.process.isRunning) return 'ended';
        return (await daemon.tryClient('-s')).exitCode === 0 ? 'ready' : undefined;
      },
      { description: 'conntrackd to answer' },
    );
    if (!daemon.process.isRunning) throw new Error(`conntrackd ended:\n${daemon.process.output}`);
    return daemon;
  }

  /** `conntrackd -C FILE …`: `-i`, `-e`, `-c`, `-s network`, … */
  async client(...args: string[]): Promise<string> {
    return this.#host.exec(['conntrackd', '-C', this.configFile, ...args]);
  }

  async tryClient(...args: string[]): Promise<CommandResult> {
    return this.#host.tryExec(['conntrackd', '-C', this.configFile, ...args]);
  }

  /** Entries of the cache, one line each. */
  async entries(cache: 'internal' | 'external'): Promise<string[]> {
    const text = await this.client(cache === 'internal' ? '-i' : '-e');
    return text.split('\n').filter((line) => line.trim() !== '');
  }

  async stop(): Promise<void> {
    await this.process.stop();
  }
}

const blockNames = { udp: 'UDP', multicast: 'Multicast', tcp: 'TCP' } as const;

/** conntrackd.conf with its files in `directory`. */
export function conntrackdConfig(options: ConntrackdOptions, directory: string): string {
  const { link } = options;
  const ignored = ['127.0.0.1', link.local, ...(options.ignoredAddresses ?? [])];
  const isUnicast = link.kind !== 'multicast';
  const linkLines = isUnicast
    ? [`IPv4_address ${link.local}`, `IPv4_Destination_Address ${link.destination}`]
    : [`IPv4_address ${link.destination}`, `IPv4_interface ${link.local}`];
  return `Sync {
  Mode ${options.mode} {
    ${(options.modeLines ?? []).join('\n    ')}
  }
  ${blockNames[link.kind]} {
    ${linkLines.join('\n    ')}
    ${isUnicast ? 'Port' : 'Group'} ${link.port ?? 3780}
    Interface ${link.interfaceName}
    SndSocketBuffer 1249280
    RcvSocketBuffer 1249280
    Checksum on
  }
  ${(options.syncLines ?? []).join('\n  ')}
}
General {
  HashSize 32768
  HashLimit 262144
  LockFile ${directory}/lock
  UNIX { Path ${directory}/control }
  NetlinkBufferSize 2097152
  NetlinkBufferSizeMaxGrowth 8388608
  ${(options.generalLines ?? []).join('\n  ')}
  Filter From Userspace {
    Protocol Accept { TCP UDP ICMP }
    Address Ignore {
      ${ignored.map((address) => `IPv4_address ${address}`).join('\n      ')}
    }
  }
}
`;
}
