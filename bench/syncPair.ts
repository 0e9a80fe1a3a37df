/**
 * Two nodes that replicate, both keepstate or both conntrackd 1.4.7, on two hosts with a cable
 * between them. keepstate is the whole daemon of this checkout's build, VRRP included; conntrackd
 * is conntrackd alone.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { systemClock, SystemTimers } from '../src/base/systemClock.js';
import { seconds } from '../src/base/time.js';
import { ask } from '../src/control/client.js';
import type { ControlRequest } from '../src/control/protocol.js';
import type { StatusAnswer } from '../src/control/statusAnswer.js';
import { Conntrackd } from '../test/lab/conntrackd.js';
import type { Host } from '../test/lab/host.js';
import type { Lab } from '../test/lab/lab.js';
import type { ManagedProcess } from '../test/lab/managedProcess.js';
import { repositoryRoot } from '../test/lab/runTypescript.js';
import { sleep, waitFor } from '../test/lab/waitFor.js';

export interface PairOptions {
  /** NetlinkBufferSize and NetlinkBufferSizeMaxGrowth in bytes. */
  readonly buffer: number;
  readonly maxGrowth: number;
  readonly hashLimit: number;
  /** What the peer sends goes straight into the kernel of the second node. */
  readonly disableExternalCache?: boolean;
  /**
   * Default: `Scheduler { Type RR; Priority 99 }`, as conntrackd does unasked; `absent` leaves the
   * block out.
   */
  readonly scheduler?: 'absent';
  readonly reliable?: boolean;
  /** Given: VRRPv3. */
  readonly advertSeconds?: number;
  /** `sync_key`: keepstate's channels are sealed. */
  readonly sealed?: boolean;
}

export interface SyncNode {
  readonly host: Host;
  readonly process: ManagedProcess;
  externalEntries(): Promise<number>;
  internalEntries(): Promise<number>;
  stop(): Promise<void>;
}

export type PairKind = 'keepstate' | 'conntrackd';
export interface Pair {
  readonly sender: SyncNode;
  readonly receiver: SyncNode;
  stop(): Promise<void>;
}

export const addresses = ['10.9.0.1', '10.9.0.2'] as const;

/** The hosts, with conntrack events on and the cable named `sync`. */
export async function syncHosts(lab: Lab): Promise<readonly [Host, Host]> {
  const [one, two] = (await lab.hosts('one', 'two')) as [Host, Host];
  await lab.link(
    { host: one, name: 'sync', addresses: [`${addresses[0]}/24`] },
    { host: two, name: 'sync', addresses: [`${addresses[1]}/24`] },
  );
  for (const host of [one, two]) await host.sysctl({ 'net.netfilter.nf_conntrack_events': 1 });
  return [one, two];
}

/** Both nodes, each with an empty kernel table. */
export async function startPair(
  kind: PairKind,
  hosts: readonly [Host, Host],
  options: PairOptions,
): Promise<Pair> {
  for (const host of hosts) await host.exec(['conntrack', '-F']);
  const [sender, receiver] = await Promise.all([
    startNode(kind, hosts, 0, options),
    startNode(kind, hosts, 1, options),
  ]);
  await steady(sender, receiver);
  return {
    sender,
    receiver,
    stop: async () => {
      await Promise.all([sender.stop(), receiver.stop()]);
      for (const host of hosts) await host.exec(['conntrack', '-F']);
    },
  };
}

/** The bulks of the start are over, and so are keepstate's elections. */
async function steady(...nodes: readonly SyncNode[]): Promise<void> {
  for (const [i, node] of nodes.entries()) {
    if (!(node instanceof Keepstate)) continue;
    await node.waitForRole(i === 0 ? 'MASTER' : 'BACKUP');
    await waitFor(async () => (await node.status()).sync?.state === 'synchronised', {
      description: `${node.host.name} to be synchronised`,
    });
  }
  await sleep(2_000);
}

async function startNode(
  kind: PairKind,
  hosts: readonly [Host, Host],
  index: 0 | 1,
  options: PairOptions,
): Promise<SyncNode> {
  if (kind === 'keepstate') return startKeepstate(hosts, index, options);
  const host = hosts[index];
  const directory = newDirectory(host, kind);
  return ConntrackdNode.start(host, syncConfig(index, directory, options), directory);
}

/** One keepstate of a pair; resolves when it answers. */
export async function startKeepstate(
  hosts: readonly [Host, Host],
  index: 0 | 1,
  options: PairOptions,
): Promise<Keepstate> {
  const host = hosts[index];
  const directory = newDirectory(host, 'keepstate');
  if (options.sealed === true) {
    writeFileSync(`${directory}/sync.key`, `hex:${'0123456789abcdef'.repeat(4)}\n`, {
      mode: 0o600,
    });
  }
  return Keepstate.start(host, nodeConfig(index, directory, options), directory);
}

/** A fresh scratch directory of the host. */
export function newDirectory(host: Host, name: string): string {
  const directory = host.path(name);
  mkdirSync(directory);
  return directory;
}

class ConntrackdNode implements SyncNode {
  readonly host: Host;
  readonly #daemon: Conntrackd;

  static async start(host: Host, config: string, directory: string): Promise<ConntrackdNode> {
    return new ConntrackdNode(host, await Conntrackd.startWithConfig(host, config, directory));
  }

  private constructor(host: Host, daemon: Conntrackd) {
    this.host = host;
    this.#daemon = daemon;
  }

  get process(): ManagedProcess {
    return this.#daemon.process;
  }

  externalEntries(): Promise<number> {
    return this.#entries('external');
  }

  internalEntries(): Promise<number> {
    return this.#entries('internal');
  }

  stop(): Promise<void> {
    return this.#daemon.stop();
  }

  async #entries(cache: string): Promise<number> {
    const text = await this.#daemon.client('-s');
    const pattern = new RegExp(`cache ${cache}:\\s+current active connections:\\s+(\\d+)`);
    return Number(pattern.exec(text)?.[1] ?? 0);
  }
}

const timers = new SystemTimers(systemClock);

export class Keepstate implements SyncNode {
  readonly host: Host;
  readonly process: ManagedProcess;
  readonly #control: string;
  readonly #directory: string;

  /**
   * The daemon as it is installed: bin/keepstate and the compiled files. Resolves when it answers.
   * `preloads` are files that are loaded before it.
   */
  static async start(
    host: Host,
    config: string,
    directory: string,
    preloads: readonly string[] = [],
  ): Promise<Keepstate> {
    const node = Keepstate.spawn(host, config, directory, preloads);
    await node.process.waitForOutput('keepstate runs', { timeout: 60_000 });
    return node;
  }

  /** As `start`, without waiting. */
  static spawn(
    host: Host,
    config: string,
    directory: string,
    preloads: readonly string[] = [],
  ): Keepstate {
    const file = writeConfig(host, directory, config);
    const control = `${directory}/control.sock`;
    const profile = process.env['KEEPSTATE_BENCH_NODE_OPTIONS']?.split(' ') ?? [];
    const requires = preloads.flatMap((path) => ['--require', path]);
    const program = [...profile, ...requires, `${repositoryRoot}/bin/keepstate`];
    const command = [process.execPath, ...program, 'run'];
    const args = ['--config', file, '--control', control, '--log-level', 'info'];
    return new Keepstate(host, host.start([...command, ...args]), control, directory);
  }

  private constructor(host: Host, started: ManagedProcess, control: string, directory: string) {
    this.host = host;
    this.process = started;
    this.#control = control;
    this.#directory = directory;
  }

  /** Writes its file anew; `reload` reads it. */
  configure(config: (directory: string) => string): void {
    writeConfig(this.host, this.#directory, config(this.#directory));
  }

  async ask(request: ControlRequest): Promise<unknown> {
    const outcome = await ask({ path: this.#control, timers, timeout: seconds(60) }, request);
    if (outcome.kind !== 'answer') {
      throw new Error(`${JSON.stringify(outcome)}\n${this.process.output.slice(-4_000)}`);
    }
    return outcome.result;
  }

  async status(): Promise<StatusAnswer> {
    return (await this.ask({ verb: 'status' })) as StatusAnswer;
  }

  async externalEntries(): Promise<number> {
    return (await this.status()).sync?.external.entries ?? 0;
  }

  async internalEntries(): Promise<number> {
    return (await this.status()).sync?.internal.entries ?? 0;
  }

  async waitForRole(role: StatusAnswer['role']): Promise<void> {
    await waitFor(async () => (await this.status()).role === role, {
      description: `${this.host.name} to be ${role}`,
      timeout: 60_000,
    });
  }

  async stop(): Promise<void> {
    await this.process.stop();
  }
}

function writeConfig(host: Host, directory: string, config: string): string {
  return host.file(`${directory.slice(host.directory.length + 1)}/keepstate.conf`, config);
}

/**
 * What conntrackd 1.4.7 does without being asked, and asks for in its sample: its thread runs
 * before ordinary ones.
 */
const scheduler = `Scheduler {
    Type RR
    Priority 99
  }`;

/** VRRP over the cable, so that the daemon pays for its adverts; the first host is MASTER. */
export function nodeConfig(index: 0 | 1, directory: string, options: PairOptions): string {
  return `global_defs {
  router_id node${index + 1}
  node_name node${index + 1}
  state_directory ${directory}/state
  vrrp_priority -20
  ${options.sealed === true ? `sync_key 1 file:${directory}/sync.key\n  sync_active_key 1` : ''}
}
vrrp_instance V {
  interface sync
  virtual_router_id 51
  state BACKUP
  priority ${index === 0 ? 150 : 100}
  version ${options.advertSeconds === undefined ? 2 : 3}
  advert_int ${options.advertSeconds ?? 1}
  unicast_src_ip ${addresses[index]}
  unicast_peer {
    ${addresses[index === 0 ? 1 : 0]}
  }
  virtual_ipaddress {
    10.9.0.100/24 dev sync
  }
}
${syncConfig(index, directory, options)}`;
}

export function syncConfig(index: 0 | 1, directory: string, options: PairOptions): string {
  return `Sync {
  Mode FTFW {
    ${options.disableExternalCache === true && index === 1 ? 'DisableExternalCache On' : ''}
  }
  UDP {
    IPv4_address ${addresses[index]}
    IPv4_Destination_Address ${addresses[index === 0 ? 1 : 0]}
    Port 3780
    Interface sync
    SndSocketBuffer 4194304
    RcvSocketBuffer 4194304
    Checksum on
  }
}
General {
  HashSize ${Math.ceil(options.hashLimit / 2)}
  HashLimit ${options.hashLimit}
  LogFile off
  LockFile ${directory}/lock
  UNIX {
    Path ${directory}/conntrackd.ctl
  }
  ${options.scheduler === 'absent' ? '' : scheduler}
  ${options.reliable === true ? 'NetlinkEventsReliable on' : ''}
  NetlinkBufferSize ${options.buffer}
  NetlinkBufferSizeMaxGrowth ${options.maxGrowth}
  Filter From Userspace {
    Protocol Accept {
      TCP
      UDP
      ICMP
    }
    Address Ignore {
      IPv4_address 127.0.0.1
      IPv4_address ${addresses[0]}
      IPv4_address ${addresses[1]}
    }
  }
}
`;
}

/** Fails early where the checkout was not built. */
export function requireBuild(): void {
  for (const file of ['dist/cli/main.js', 'build/Release/keepstate_native.node']) {
    if (!existsSync(`${repositoryRoot}/${file}`))
      throw new Error(`${file} is missing: npm run build`);
  }
}
