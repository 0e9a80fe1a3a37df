/**
 * One firewall of a cluster under test, whatever runs on it: keepstate, or keepalived and
 * conntrackd joined by a notify script. Faults and waits have the same words for both, so that one
 * scenario serves for both.
 */
import { KeepstateNode } from './keepstateNode.js';
import { Conntrackd } from '../../lab/conntrackd.js';
import type { Host } from '../../lab/host.js';
import { Keepalived } from '../../lab/keepalived.js';
import { waitFor } from '../../lab/waitFor.js';

export type ClusterRole = 'MASTER' | 'BACKUP' | 'FAULT';

export interface ClusterNode {
  readonly kind: 'keepstate' | 'incumbent';
  readonly host: Host;
  /** What the daemons said since the last start. */
  readonly log: string;
  start(): Promise<void>;
  /** Ends it as `systemctl stop` would. */
  stop(): Promise<void>;
  /** SIGKILL to every process. */
  kill(): Promise<void>;
  freeze(): void;
  thaw(): void;
  /**
   * Resolves when the role is complete: with its addresses and flows, as far as the daemon tells.
   */
  waitForRole(role: ClusterRole): Promise<void>;
  /** Resolves when at least `flows` flows of the other are known here. */
  waitForReplica(flows: number): Promise<void>;
}

export class KeepstateClusterNode implements ClusterNode {
  readonly kind = 'keepstate';
  readonly host: Host;
  readonly daemon: KeepstateNode;

  constructor(host: Host, config: string) {
    this.host = host;
    this.daemon = new KeepstateNode(host, config);
  }

  get log(): string {
    return this.daemon.process.output;
  }

  start(): Promise<void> {
    return this.daemon.start();
  }

  stop(): Promise<void> {
    return this.daemon.stop();
  }

  async kill(): Promise<void> {
    await this.daemon.process.kill();
  }

  freeze(): void {
    this.daemon.process.freeze();
  }

  thaw(): void {
    this.daemon.process.thaw();
  }

  async waitForRole(role: ClusterRole): Promise<void> {
    await this.daemon.waitForRole(role, { timeout: 60_000 });
  }

  async waitForReplica(flows: number): Promise<void> {
    await this.daemon.waitForStatus(
      ({ sync }) => (sync?.external.entries ?? 0) >= flows,
      `${flows} replicated flows at ${this.host.name}`,
    );
  }
}

export interface IncumbentConfig {
  /** `@SCRIPT@` stands for the notify script, which takes primary, backup or fault. */
  readonly keepalived: string;
  /** `@DIRECTORY@` stands for the host's scratch directory. */
  readonly conntrackd: string;
  /** The instance that is asked for its state. */
  readonly instance: string;
}

export class IncumbentNode implements ClusterNode {
  readonly kind = 'incumbent';
  readonly host: Host;
  readonly #config: IncumbentConfig;
  readonly #script: string;
  #keepalived: Keepalived | undefined;
  #conntrackd: Conntrackd | undefined;

  constructor(host: Host, config: IncumbentConfig) {
    this.host = host;
    this.#config = config;
    this.#script = host.file('notify.sh', notifyScript(`${host.directory}/conntrackd.conf`));
  }

  get keepalived(): Keepalived {
    if (this.#keepalived === undefined) throw new Error('keepalived was not started');
    return this.#keepalived;
  }

  get conntrackd(): Conntrackd {
    if (this.#conntrackd === undefined) throw new Error('conntrackd was not started');
    return this.#conntrackd;
  }

  get log(): string {
    return this.keepalived.log + this.conntrackd.process.output;
  }

  async start(): Promise<void> {
    const { conntrackd, keepalived } = this.#config;
    await this.host.exec(['chmod', '0755', this.#script]);
    // conntrackd leaves its lock file behind when it is killed, and then refuses to start.
    await this.host.tryExec(['rm', '-f', `${this.host.directory}/lock`]);
    this.#conntrackd = await Conntrackd.startWithConfig(
      this.host,
      conntrackd.replaceAll('@DIRECTORY@', this.host.directory),
    );
    this.#keepalived = await Keepalived.start(
      this.host,
      keepalived
        .replaceAll('@SCRIPT@', this.#script)
        .replaceAll('@DIRECTORY@', this.host.directory),
    );
  }

  /** keepalived first: its notify script still finds conntrackd. */
  async stop(): Promise<void> {
    await this.keepalived.stop();
    await this.conntrackd.stop();
  }

  async kill(): Promise<void> {
    await Promise.all([this.keepalived.process.kill(), this.conntrackd.process.kill()]);
  }

  freeze(): void {
    this.keepalived.process.freeze();
    this.conntrackd.process.freeze();
  }

  thaw(): void {
    this.conntrackd.process.thaw();
    this.keepalived.process.thaw();
  }

  async waitForRole(role: ClusterRole): Promise<void> {
    await waitFor(async () => (await this.keepalived.state(this.#config.instance)) === role, {
      description: `keepalived on ${this.host.name} to be ${role}`,
      timeout: 60_000,
    });
  }

  async waitForReplica(flows: number): Promise<void> {
    await waitFor(async () => (await this.conntrackd.entries('external')).length >= flows, {
      description: `${flows} entries in conntrackd's external cache at ${this.host.name}`,
    });
  }
}

/** What the documentation of conntrackd 1.4 tells operators to run at each role change. */
function notifyScript(configFile: string): string {
  const client = `conntrackd -C ${configFile}`;
  return `#!/bin/sh
case "$1" in
  primary) ${['-c', '-f', '-R', '-B'].map((verb) => `${client} ${verb}`).join('; ')} ;;
  backup) ${client} -t; ${client} -n ;;
  fault) ${client} -t ;;
esac
`;
}
