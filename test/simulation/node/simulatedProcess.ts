/**
 * One life of the keepstate process on a simulated machine: the real node, composed as
 * src/daemon/compose.ts and runDaemon.ts do, on ports of the simulated world.
 */
import { formatIp, type IpAddress } from '../../../src/base/ipAddress.js';
import type { Logger, LogFields } from '../../../src/base/logger.js';
import type { LoadResult } from '../../../src/config/loadNode.js';
import type { NodeSettings } from '../../../src/config/nodeSettings.js';
import type { ControlRequest, ControlResult } from '../../../src/control/protocol.js';
import { controlHandler } from '../../../src/daemon/controlHandler.js';
import { MachineWatch } from '../../../src/daemon/host/machineWatch.js';
import { ServiceManager } from '../../../src/daemon/host/serviceManager.js';
import { KeepstateNode } from '../../../src/daemon/node.js';
import type { NodePorts } from '../../../src/daemon/nodePorts.js';
import { Reloader } from '../../../src/daemon/reload.js';
import type { Disk } from '../../../src/daemon/disk/disk.js';
import type { KernelOutcome, ProberFactory } from '../../../src/net/ports.js';
import { VrrpRouter } from '../../../src/vrrp/router.js';
import type { RouterPorts } from '../../../src/vrrp/routerPorts.js';
import type { Network } from '../network/network.js';
import { isSegment } from './interfaces.js';
import { SimulatedThread, type ThreadHost } from '../world/thread.js';
import type { World } from '../world/world.js';
import { SimulatedWorker } from './simulatedWorker.js';
import { SimulatedVrrpSockets } from './vrrpSockets.js';

export interface ProcessParts {
  readonly world: World;
  readonly network: Network;
  readonly host: ThreadHost;
  readonly load: () => LoadResult;
  readonly diskOf: (thread: SimulatedThread) => Disk;
  readonly nextPort: () => number;
  readonly controlPath: string;
  /** What tracked targets are asked by. */
  readonly probersOf: (thread: SimulatedThread) => ProberFactory;
  /** It ended: by itself after a stop, or of an error. */
  readonly ended: (because: string) => void;
  /** A thread ended by an error that nobody caught. */
  readonly died: (thread: string, because: string) => void;
}

/** As takeover samples want them. */
const sysctls: Readonly<Record<string, number>> = {
  'net/ipv4/ip_forward': 1,
  'net/netfilter/nf_conntrack_tcp_loose': 0,
  'net/netfilter/nf_conntrack_events': 1,
  'net/netfilter/nf_conntrack_max': 262_144,
  'net/netfilter/nf_conntrack_count': 0,
};

export class SimulatedProcess {
  readonly main: SimulatedThread;
  readonly sockets: SimulatedVrrpSockets;
  readonly #parts: ProcessParts;
  #node: KeepstateNode | undefined;
  #answer: ((request: ControlRequest) => Promise<ControlResult>) | undefined;
  #worker: SimulatedWorker | undefined;
  #isStopping = false;

  constructor(parts: ProcessParts) {
    const { world, network, host } = parts;
    this.#parts = parts;
    this.main = new SimulatedThread(world, host, `${host.name} main`, (because) => {
      parts.died('main', because);
      this.#end(because);
    });
    this.sockets = new SimulatedVrrpSockets(network, this.main);
    this.main.now(() => this.#start());
  }

  /** undefined once it has ended. */
  get node(): KeepstateNode | undefined {
    return this.main.isAlive ? this.#node : undefined;
  }

  get worker(): SimulatedWorker | undefined {
    return this.#worker;
  }

  get isStopping(): boolean {
    return this.#isStopping;
  }

  /** A request of the control socket; the answer is told in this process. */
  ask(request: ControlRequest, answered: (result: ControlResult) => void): void {
    this.main.later(0, () => {
      void this.#answer?.(request).then(answered);
    });
  }

  /** SIGTERM. */
  stop(): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.main.later(0, () => {
      void this.#node?.stop().then(() => this.#end('stopped'));
    });
  }

  /** SIGKILL, or the end of the machine. */
  kill(): void {
    this.#worker?.thread.end();
    this.main.end();
  }

  freeze(duration: number): void {
    this.main.freeze(duration);
    this.#worker?.thread.freeze(duration);
  }

  #end(because: string): void {
    this.kill();
    this.#parts.ended(because);
  }

  #start(): void {
    const { load, controlPath } = this.#parts;
    const { settings } = load();
    if (settings === undefined) throw new Error('the configuration of the simulation has errors');
    const node = new KeepstateNode(settings, this.#nodePorts(), {
      ...{ configFile: '/etc/keepstate/keepstate.conf', controlPath, version: '0', pid: 1 },
    });
    this.#node = node;
    const reloader = new Reloader({
      load,
      logger: this.#logger,
      current: () => node.settings,
      apply: (next) => node.reload(next),
    });
    const { timers } = this.main;
    const handler = controlHandler(node, { timers, reload: () => reloader.reload() });
    this.#answer = (request) => handler.answer(request);
    void node.start();
  }

  readonly #logger: Logger = {
    log: (level, message, fields = {}) => {
      if (level === 'debug') return;
      const { world, host } = this.#parts;
      world.tell(host.name, () => `${level}: ${message} ${fieldsText(fields)}`.trimEnd());
    },
  };

  #nodePorts(): NodePorts {
    const { network, diskOf, world, host, probersOf } = this.#parts;
    const { record } = world;
    const random = world.random(`targets ${host.name} ${host.clockOffset}`);
    const { clock, timers, network: ofKernel } = this.main;
    const logger = this.#logger;
    const routerPorts: RouterPorts = {
      ...{ clock, timers, logger, sockets: this.sockets },
      network: ofKernel.watch,
      control: ofKernel.control,
      openRoutingWatch: () => ofKernel.routing,
      announcer: { announce: (name, address) => announce(network, this.main, name, address) },
      spawner: { start: () => ({ signalGroup: () => undefined }) },
      files: {
        read: () => undefined,
        write: () => undefined,
        watchDirectory: () => () => undefined,
      },
      processTable: { list: () => [] },
      sysctls: { read: () => undefined, write: () => undefined },
      firewall: { apply: () => Promise.resolve(undefined) },
    };
    return {
      ...{ clock, timers, logger },
      network: ofKernel.watch,
      service: new ServiceManager(() => undefined, timers, { watchdog: undefined }),
      disk: diskOf(this.main),
      watchMachine: (settings) => this.#machineWatch(settings),
      reach: { probers: probersOf(this.main), random },
      startWorker: (listener) => {
        const { host, nextPort, died } = this.#parts;
        const worker = new SimulatedWorker(
          {
            ...{ world, network, host, main: this.main, nextPort },
            died: (because) => died('worker', because),
          },
          listener,
        );
        this.#worker = worker;
        return worker;
      },
      makeRouter: (vrrp, options) =>
        new VrrpRouter(routerPorts, vrrp, {
          ...options,
          ...(record === undefined ? {} : { record }),
        }),
      ...(record === undefined ? {} : { record }),
      onStopRequested: () => this.stop(),
    };
  }

  #machineWatch(settings: () => NodeSettings): MachineWatch {
    return new MachineWatch({
      timers: this.main.timers,
      logger: this.#logger,
      settings,
      rules: {
        problems: [],
        isRouter: true,
        isTranslated: (address) => address.startsWith('203.0.113.'),
        start: () => undefined,
        close: () => undefined,
      },
      look: {
        sysctl: (name) => sysctls[name],
        enabled: () => [],
        running: () => Promise.resolve([]),
      },
    });
  }
}

/** Gratuitous ARP by the interface, which the neighbours hear. */
function announce(
  network: Network,
  thread: SimulatedThread,
  name: string,
  address: IpAddress,
): KernelOutcome {
  const from = thread.host.name;
  const isSent = isSegment(name) && network.announce(name, from, formatIp(address));
  return isSent ? { kind: 'done' } : { kind: 'refused', errno: 100, message: 'Network is down' };
}

function fieldsText(fields: LogFields): string {
  return Object.entries(fields)
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${String(value)}`]))
    .join(' ');
}
