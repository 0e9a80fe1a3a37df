/**
 * A simulated cluster: two nodes, the network between them, and their clients. It begins, is
 * damaged and made whole again; it knows no invariant.
 */
import type { ControlResult } from '../../src/control/protocol.js';
import { Clients } from './clients/clients.js';
import { sampleRuleset } from './clients/ruleset.js';
import { Network } from './network/network.js';
import { Target } from './network/target.js';
import { loadConfiguration, nodeAddresses, type ClusterSettings } from './node/configuration.js';
import { Machine } from './node/machine.js';
import type { World } from './world/world.js';

/** A request of the operator, and what became of it. */
export interface AskedRequest {
  readonly node: string;
  readonly text: string;
  readonly at: number;
  /** The life of the process that was asked. */
  readonly process: object;
  answeredAt: number | undefined;
  result: ControlResult | undefined;
}

const usualConntrackMax = 4_096;

export class Cluster {
  readonly network: Network;
  readonly target = new Target();
  readonly machines: readonly [Machine, Machine];
  readonly clients: Clients;
  readonly asked: AskedRequest[] = [];
  /** Told of each boot. */
  booted: (machine: Machine) => void = () => undefined;
  readonly #world: World;

  constructor(world: World, settings: ClusterSettings) {
    this.#world = world;
    this.network = new Network(world);
    this.machines = [this.#machine(0, settings), this.#machine(1, settings)];
    this.clients = new Clients(world, this.network, this.machines);
  }

  start(clients: number): void {
    for (const [index, machine] of this.machines.entries()) {
      machine.powerOn();
      // The second one a moment later, as after a power cut.
      this.#world.queue.after(index * 300_000, () => machine.startProcess());
    }
    this.clients.begin(clients, 18_000_000);
  }

  ask(machine: Machine, request: Parameters<NonNullable<Machine['process']>['ask']>[0]): void {
    const { process } = machine;
    if (process === undefined) return;
    const { verb, ...rest } = request;
    const text = `${verb} ${Object.values(rest).join(' ')}`.trim();
    const asked: AskedRequest = {
      ...{ node: machine.name, text, at: this.#world.now(), process },
      answeredAt: undefined,
      result: undefined,
    };
    this.asked.push(asked);
    this.#world.tell(machine.name, () => `operator: ${text}`);
    process.ask(request, (result) => {
      asked.answeredAt = this.#world.now();
      asked.result = result;
      this.#world.tell(machine.name, () => `answer to ${text}: ${answerText(result)}`);
    });
  }

  configure(machine: Machine, settings: ClusterSettings): void {
    const index = this.machines[0] === machine ? 0 : 1;
    machine.configure(() => loadConfiguration(index, settings));
  }

  end(): void {
    for (const machine of this.machines) machine.powerOff();
  }

  #machine(index: 0 | 1, settings: ClusterSettings): Machine {
    const addresses = {
      lan: nodeAddresses.lan[index],
      wan: nodeAddresses.wan[index],
      sync: nodeAddresses.sync[index],
      ...(settings.syncLinks === 2 ? { sync2: nodeAddresses.sync2[index] } : {}),
    };
    return new Machine(
      this.#world,
      this,
      {
        name: `fw${index + 1}`,
        addresses,
        load: () => loadConfiguration(index, settings),
        ruleset: sampleRuleset,
        conntrackMax: usualConntrackMax,
      },
      {
        booted: (machine) => {
          this.booted(machine);
        },
        died: (machine, thread, because) => {
          this.#world.violate('no-crash', `${machine.name}: the ${thread} thread: ${because}`);
        },
      },
    );
  }
}

function answerText(result: ControlResult): string {
  if (!result.ok) return `refused (${result.code}): ${result.message}`;
  const { result: value } = result;
  if (typeof value === 'object' && value !== null && 'message' in value) {
    return String(value.message);
  }
  return 'ok';
}
