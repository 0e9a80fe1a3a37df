/**
 * Faults of a plan, done to a cluster; each ends by itself, and all have ended when it is quiet.
 */
import type { Cluster } from '../cluster.js';
import { segmentNames, type SegmentName } from '../network/network.js';
import { virtualAddress } from '../node/configuration.js';
import type { Machine } from '../node/machine.js';
import type { World } from '../world/world.js';
import type { Fault, FaultKind, NodeIndex } from './plan.js';

/** What invariants must know of a fault. */
export interface Damage {
  /** The kernel of this machine is about to go. */
  kernelHarmed(machine: Machine): void;
  flowsDeleted(): void;
  emptied(within: number): void;
  tableFull(): void;
  /** These are about to lose the target. */
  targetLost(machines: readonly Machine[]): void;
}

/** A process needs so long from its start to the first line of its own, in microseconds. */
const startUp = 400_000;
const smallTable = 20;
/** The longest PurgeTimeout, and a moment. */
const longestPurge = 15_000_000;

type Handlers = {
  readonly [Kind in FaultKind]: (fault: Extract<Fault, { kind: Kind }>) => void;
};

export class Faults {
  readonly #world: World;
  readonly #cluster: Cluster;
  readonly #damage: Damage;
  /** Machines whose process is wanted; a service manager starts it again. */
  readonly #isDown = new Map<Machine, number>();
  #isQuiet = false;
  readonly #handlers: Handlers = this.#makeHandlers();

  constructor(world: World, cluster: Cluster, damage: Damage) {
    this.#world = world;
    this.#cluster = cluster;
    this.#damage = damage;
  }

  carryOut(fault: Fault): void {
    this.#world.tell('world', () => `FAULT ${faultText(fault)}`);
    // The table's type pairs each kind with its fault.
    const handle = this.#handlers[fault.kind] as (fault: Fault) => void;
    handle(fault);
  }

  /** Everything is whole again: power, processes, cables, and no operator in between. */
  heal(): void {
    this.#isQuiet = true;
    const { network, machines } = this.#cluster;
    for (const name of segmentNames) network.segments[name].mend();
    this.#cluster.target.mend();
    for (const machine of machines) {
      for (const name of segmentNames) machine.setCable(name, true);
      this.#restoreTable(machine);
      machine.powerOn();
      this.#start(machine, 0, true);
    }
    this.#world.queue.after(3_000_000, () => {
      for (const machine of machines) {
        this.#cluster.ask(machine, { verb: 'maintenance', on: false, force: false });
        this.#cluster.ask(machine, { verb: 'failoverRelease' });
      }
    });
  }

  #makeHandlers(): Handlers {
    return {
      crash: ({ node, restart }) => {
        for (const machine of this.#nodes(node)) {
          machine.kill();
          this.#start(machine, restart);
        }
      },
      stop: ({ node, restart }) => {
        for (const machine of this.#nodes(node)) {
          machine.process?.stop();
          this.#start(machine, restart + 1_500, true);
        }
      },
      powerOff: ({ node, boot }) => {
        for (const machine of this.#nodes(node)) {
          this.#damage.kernelHarmed(machine);
          machine.powerOff();
          this.#world.queue.after(boot * 1_000, () => machine.powerOn());
          this.#start(machine, boot);
        }
      },
      workerDeath: ({ node }) => {
        this.#node(node).process?.worker?.kill();
      },
      freeze: ({ node, for: duration }) => {
        for (const machine of this.#nodes(node)) machine.process?.freeze(duration * 1_000);
      },
      late: ({ node, thread, for: duration }) => {
        const { process } = this.#node(node);
        (thread === 'main' ? process?.main : process?.worker?.thread)?.freeze(duration * 1_000);
      },
      linkDown: ({ node, segment, for: duration }) => {
        const machine = this.#node(node);
        machine.setCable(segment, false);
        this.#later(duration, () => machine.setCable(segment, true));
      },
      cut: ({ segments, from, for: duration }) => {
        this.#paths(segments, from, (segment, a, b) => {
          segment.cut(a, b);
          this.#later(duration, () => segment.mendPath(a, b));
        });
      },
      impair: ({ segments, how, for: duration }) => {
        this.#paths(segments, undefined, (segment, a, b) => {
          segment.impair(a, b, how);
          this.#later(duration, () => segment.mendPath(a, b));
        });
      },
      hostCut: ({ node, for: duration }) => {
        const { name } = this.#node(node);
        const { lan } = this.#cluster.network.segments;
        for (const host of this.#cluster.clients.hostNames) {
          lan.cut(host, name);
          this.#later(duration, () => lan.mendPath(host, name));
        }
      },
      reload: ({ node, settings }) => {
        for (const machine of this.#nodes(node)) {
          this.#cluster.configure(machine, settings);
          this.#cluster.ask(machine, { verb: 'reload' });
        }
      },
      operator: ({ node, request }) => {
        // Empties the kernel of a MASTER too, as conntrackd's -t does.
        const isPurge = request.verb === 'sync' && request.action === 'purge';
        if (isPurge) this.#damage.emptied(longestPurge);
        this.#cluster.ask(this.#node(node), request);
      },
      foreignDelete: ({ node, percent }) => {
        this.#deleteFlows(this.#node(node), percent);
      },
      foreignAddress: ({ node, segment }) => {
        this.#node(node).kernel?.network.deleteAddress(virtualAddress[segment]);
      },
      burst: ({ flows }) => {
        this.#cluster.clients.begin(flows, 50_000);
      },
      fullTable: ({ node, for: duration }) => {
        this.#damage.tableFull();
        for (const machine of this.#nodes(node)) {
          const { kernel } = machine;
          if (kernel !== undefined) kernel.sysctls.max = smallTable;
          this.#later(duration, () => this.#restoreTable(machine));
        }
      },
      target: ({ node, percent, for: duration }) => {
        const machines = this.#nodes(node);
        if (percent === 100) this.#damage.targetLost(machines);
        for (const { name } of machines) this.#cluster.target.lose(name, percent);
        this.#later(duration, () => {
          for (const { name } of machines) this.#cluster.target.lose(name, 0);
        });
      },
      wallClock: ({ node, seconds }) => {
        this.#node(node).stepWallClock(seconds * 1_000_000);
      },
    };
  }

  #node(index: NodeIndex): Machine {
    return this.#cluster.machines[index];
  }

  #nodes(index: NodeIndex | undefined): readonly Machine[] {
    return index === undefined ? this.#cluster.machines : [this.#cluster.machines[index]];
  }

  /** Unless everything was made whole before. */
  #later(milliseconds: number, run: () => void): void {
    this.#world.queue.after(milliseconds * 1_000, () => {
      if (!this.#isQuiet) run();
    });
  }

  /** The last start that was asked for counts. */
  #start(machine: Machine, milliseconds: number, afterStop = false): void {
    const due = this.#world.now() + milliseconds * 1_000 + startUp;
    this.#isDown.set(machine, due);
    this.#world.queue.at(due, () => {
      if (this.#isDown.get(machine) !== due) return;
      // A stop that hands over takes its time.
      if (afterStop && machine.process?.isStopping === true) this.#start(machine, 1_000, true);
      else machine.startProcess();
    });
  }

  #paths(
    names: readonly SegmentName[],
    from: NodeIndex | undefined,
    each: (segment: Cluster['network']['segments'][SegmentName], a: string, b: string) => void,
  ): void {
    const [one, other] = this.#cluster.machines;
    for (const name of names) {
      const segment = this.#cluster.network.segments[name];
      if (from !== 1) each(segment, one.name, other.name);
      if (from !== 0) each(segment, other.name, one.name);
    }
  }

  #deleteFlows(machine: Machine, percent: number): void {
    const { kernel } = machine;
    if (kernel === undefined) return;
    this.#damage.flowsDeleted();
    const random = this.#world.random(`foreign ${this.#world.now()}`);
    for (const { original, zone } of [...kernel.flows()]) {
      if (random.chance(percent)) kernel.deleteFlow(original, zone);
    }
  }

  #restoreTable(machine: Machine): void {
    if (machine.kernel !== undefined) machine.kernel.sysctls.max = machine.spec.conntrackMax;
  }
}

export function faultText({ kind, ...rest }: Fault): string {
  const details = Object.entries(rest).map(([name, value]) =>
    name === 'node' ? `fw${Number(value) + 1}` : `${name} ${JSON.stringify(value)}`,
  );
  return `${kind} ${details.join(' ')}`.trim();
}
