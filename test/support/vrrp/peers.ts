/** The two kinds of VRRP daemon behind one face, so that each scenario runs both ways round. */
import { Keepalived } from '../../lab/keepalived.js';
import type { Host } from '../../lab/host.js';
import type { ManagedProcess } from '../../lab/managedProcess.js';
import { waitFor } from '../../lab/waitFor.js';
import type { RouterSnapshot } from '../../../src/vrrp/status/snapshot.js';
import { keepalivedConf, type NodeSpec } from './nodeSpec.js';

export type DaemonKind = 'keepalived' | 'keepstate';

/** What `report` prints. `rss` in bytes, `cpu` in microseconds since the start. */
export interface NodeReport {
  readonly snapshot: RouterSnapshot;
  readonly stats: string;
  readonly rss: number;
  readonly cpu: { readonly user: number; readonly system: number };
}

export interface VrrpPeer {
  readonly kind: DaemonKind;
  readonly process: ManagedProcess;
  state(instance: string): Promise<string>;
  /** States entered by `instance` since the start, in order. */
  history(instance: string): readonly string[];
  /** The text of keepalived.stats. */
  stats(): Promise<string>;
  /** Clean stop: priority 0. */
  stop(): Promise<void>;
  /** kill -9 of all its processes. */
  kill(): Promise<void>;
}

export async function startPeer(kind: DaemonKind, host: Host, spec: NodeSpec): Promise<VrrpPeer> {
  if (kind === 'keepstate') return KeepstateNode.start(host, spec);
  const daemon = await Keepalived.start(host, keepalivedConf(spec));
  return {
    kind,
    process: daemon.process,
    state: (instance) => daemon.state(instance),
    history: (instance) => keepalivedHistory(daemon.log, instance),
    stats: () => daemon.stats(),
    stop: () => daemon.stop(),
    kill: async () => {
      // Parent and child in one blow: alone, the parent's death would make the child stop cleanly.
      await daemon.process.kill();
    },
  };
}

export function keepalivedHistory(log: string, instance: string): readonly string[] {
  const pattern = new RegExp(`\\(${instance}\\) [Ee]ntering (\\w+) STATE`, 'g');
  return [...log.matchAll(pattern)].map((match) => match[1] ?? '');
}

export class KeepstateNode implements VrrpPeer {
  readonly kind = 'keepstate';
  readonly process: ManagedProcess;

  private constructor(started: ManagedProcess) {
    this.process = started;
  }

  static async start(host: Host, spec: NodeSpec): Promise<KeepstateNode> {
    const path = host.path('node.conf');
    const name = path.slice(host.directory.length + 1);
    host.file(name, keepalivedConf(spec));
    const started = host.startTypescript('test/support/vrrp/node.ts', [path]);
    await started.waitForOutput('"ready":true');
    return new KeepstateNode(started);
  }

  async state(instance: string): Promise<string> {
    const { snapshot } = await this.report();
    return snapshot.instances.find((one) => one.name === instance)?.state ?? 'unknown';
  }

  history(instance: string): readonly string[] {
    return this.process.jsonLines().flatMap((line) => {
      const { transition } = line as { transition?: { instance: string; to: string } };
      return transition?.instance === instance ? [transition.to] : [];
    });
  }

  async stats(): Promise<string> {
    return (await this.report()).stats;
  }

  async report(): Promise<NodeReport> {
    const reports = (): NodeReport[] =>
      this.process.jsonLines().filter((line) => 'snapshot' in (line as object)) as NodeReport[];
    const before = reports().length;
    this.process.signal('SIGUSR2');
    return waitFor(() => reports()[before], { description: 'a report', interval: 10 });
  }

  async stop(): Promise<void> {
    await this.process.stop();
  }

  async kill(): Promise<void> {
    await this.process.kill();
  }
}
