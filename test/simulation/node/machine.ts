/**
 * A simulated machine: its kernel for one boot at a time, its disk, its interfaces, and the
 * keepstate process that a service manager keeps running on it.
 */
import type { LoadResult } from '../../../src/config/loadNode.js';
import { Kernel } from '../kernel/kernel.js';
import type { KernelModel, Ruleset } from '../kernel/kernelPorts.js';
import {
  segmentNames,
  type Advert,
  type LinkDatagram,
  type Network,
  type SegmentName,
  type Station,
} from '../network/network.js';
import type { Target } from '../network/target.js';
import type { ThreadHost } from '../world/thread.js';
import type { World } from '../world/world.js';
import { MemoryDisk } from './memoryDisk.js';
import { SimulatedProbers } from './simulatedProbers.js';
import { SimulatedProcess } from './simulatedProcess.js';

export interface MachineSpec {
  readonly name: string;
  /** Own address with its prefix length on each segment that the machine is plugged into. */
  readonly addresses: Partial<Readonly<Record<SegmentName, string>>>;
  readonly load: () => LoadResult;
  readonly ruleset: Ruleset;
  readonly conntrackMax: number;
}

export interface MachineEvents {
  /** A thread of the process ended by an error of its own. */
  readonly died: (machine: Machine, thread: string, because: string) => void;
  /** It has power again: another kernel, without flows. */
  readonly booted: (machine: Machine) => void;
}

const controlPath = '/run/keepstate/control.sock';
const prefixLength = 24;
const longestUptime = 10_000_000_000;

export class Machine implements Station {
  readonly name: string;
  readonly spec: MachineSpec;
  readonly #world: World;
  readonly #network: Network;
  readonly #target: Target;
  readonly #events: MachineEvents;
  readonly #disk = new MemoryDisk();
  /** Cables that are pulled. */
  readonly #pulled = new Set<SegmentName>();
  #host: (ThreadHost & { readonly bootId: string }) | undefined;
  #process: SimulatedProcess | undefined;
  #boots = 0;
  #ports = 0;
  #load: () => LoadResult;

  constructor(
    world: World,
    { network, target }: { readonly network: Network; readonly target: Target },
    spec: MachineSpec,
    events: MachineEvents,
  ) {
    this.name = spec.name;
    this.spec = spec;
    this.#load = spec.load;
    this.#world = world;
    this.#network = network;
    this.#target = target;
    this.#events = events;
    network.plug(this);
  }

  /** undefined while it has no power. */
  get kernel(): KernelModel | undefined {
    return this.#host?.kernel;
  }

  get bootNumber(): number {
    return this.#boots;
  }

  /** undefined while none runs. */
  get process(): SimulatedProcess | undefined {
    return this.#process?.main.isAlive === true ? this.#process : undefined;
  }

  /** What is ahead of the world's clock in this boot, in microseconds. */
  get clockOffset(): number {
    return this.#host?.clockOffset ?? 0;
  }

  powerOn(): void {
    if (this.#host !== undefined) return;
    const { clock, timers } = this.#world;
    this.#boots++;
    const random = this.#world.random(`boot ${this.name} ${this.#boots}`);
    const { ruleset, conntrackMax } = this.spec;
    // As doctor advises: a flow in its midst is not picked up.
    const sysctls = { max: conntrackMax, tcpLoose: false, events: 1 } as const;
    const kernel = new Kernel({ clock, timers, random, sysctls, ruleset });
    this.#host = {
      ...{ name: this.name, kernel, bootId: `${this.name}-${this.#boots}`, wallClockStep: 0 },
      clockOffset: 1_000_000 + random.below(longestUptime),
    };
    for (const segment of segmentNames) {
      const address = this.spec.addresses[segment];
      if (address === undefined) continue;
      kernel.network.addLink(segment);
      kernel.network.addAddress(segment, address, prefixLength);
      if (this.#pulled.has(segment)) kernel.network.setRunning(segment, false);
    }
    this.#events.booted(this);
  }

  powerOff(): void {
    this.kill();
    this.#host?.kernel.powerOff();
    this.#host = undefined;
    this.#disk.losePower();
  }

  startProcess(): void {
    const host = this.#host;
    if (host === undefined || this.process !== undefined) return;
    this.#process = new SimulatedProcess({
      ...{ world: this.#world, network: this.#network, host, load: () => this.#load() },
      diskOf: (thread) => this.#disk.portOf(host.bootId, (done) => thread.later(3_000, done)),
      nextPort: () => this.#ports++ * 7,
      controlPath,
      probersOf: (thread) =>
        new SimulatedProbers(this.#world, thread, this.#target, () => this.isUsable('wan')),
      ended: (because) => {
        this.#world.tell(this.name, () => `keepstate ended: ${because}`);
      },
      died: (thread, because) => {
        this.#events.died(this, thread, because);
      },
    });
  }

  /** SIGKILL: the kernel stays as it is. */
  kill(): void {
    this.#process?.kill();
    this.#process = undefined;
  }

  /** What the next load of the configuration gives. */
  configure(load: () => LoadResult): void {
    this.#load = load;
  }

  stepWallClock(microseconds: number): void {
    if (this.#host !== undefined) this.#host.wallClockStep += microseconds;
  }

  /** Carrier of an interface; it stays so over a boot. */
  setCable(segment: SegmentName, isPlugged: boolean): void {
    if (isPlugged) this.#pulled.delete(segment);
    else this.#pulled.add(segment);
    if (this.spec.addresses[segment] === undefined) return;
    this.kernel?.network.setRunning(segment, isPlugged);
  }

  isUsable(segment: SegmentName): boolean {
    return this.kernel?.network.isUsable(segment) ?? false;
  }

  advert(segment: SegmentName, advert: Advert): void {
    this.process?.sockets.advert(segment, advert);
  }

  datagram(segment: SegmentName, datagram: LinkDatagram): void {
    this.process?.worker?.channels.datagram(segment, datagram);
  }
}
