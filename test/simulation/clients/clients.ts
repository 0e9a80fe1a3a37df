/**
 * The clients of the cluster: hosts inside that open, use, keep idle and close flows to servers
 * outside, each in its own time.
 */
import type { Network } from '../network/network.js';
import { virtualAddress } from '../node/configuration.js';
import type { Machine } from '../node/machine.js';
import type { World } from '../world/world.js';
import type { SeededRandom } from '../../support/base/seededRandom.js';
import { ClientFlow } from './clientFlow.js';
import { NeighbourCache } from './neighbourCache.js';

/** How often flows do something, in microseconds. */
const shortestPause = 500_000;
const longestPause = 9_000_000;
const retryPause = 700_000;
const longestRetryPause = 4_000_000;
const hostCount = 4;
const mostClients = 100;
const servers = ['198.51.100.7', '198.51.100.8', '198.51.100.9'];

export class Clients {
  readonly flows: ClientFlow[] = [];
  readonly #world: World;
  readonly #random: SeededRandom;
  readonly #hosts: readonly NeighbourCache[];
  readonly #outside: NeighbourCache;
  #isQuiet = false;

  constructor(world: World, network: Network, machines: readonly Machine[]) {
    this.#world = world;
    this.#random = world.random('clients');
    this.#hosts = Array.from(
      { length: hostCount },
      (_, i) =>
        new NeighbourCache(world, network, machines, {
          ...{ name: `host${i + 1}`, segment: 'lan' },
          address: virtualAddress.lan,
        }),
    );
    this.#outside = new NeighbourCache(world, network, machines, {
      ...{ name: 'outside', segment: 'wan' },
      address: virtualAddress.wan,
    });
  }

  /** Names of the hosts, as the segments know them. */
  get hostNames(): readonly string[] {
    return this.#hosts.map(({ name }) => name);
  }

  /** `count` flows that begin one after the other within `within` microseconds. */
  begin(count: number, within: number): void {
    for (let i = 0; i < count; i++) {
      this.#world.queue.after(this.#random.below(Math.max(1, within)), () => {
        this.#live(this.#newFlow());
      });
    }
  }

  /** Flows live on, and none begins or ends by itself any more. */
  rest(): void {
    this.#isQuiet = true;
  }

  #newFlow(): ClientFlow {
    const number = this.flows.length + 1;
    const random = this.#random;
    const flow = new ClientFlow(
      {
        number,
        protocol: random.chance(70) ? 'tcp' : 'udp',
        client: `10.1.0.${100 + (number % mostClients)}`,
        // A few clients choose the same ports, so that mappings clash.
        clientPort:
          number < mostClients && random.chance(15) ? 5_000 + random.below(4) : 10_000 + number,
        server: random.pick(servers),
        serverPort: 443,
      },
      { world: this.#world, inside: this.#hosts[number % hostCount]!, outside: this.#outside },
    );
    this.flows.push(flow);
    return flow;
  }

  #live(flow: ClientFlow): void {
    const isAnswered = this.#step(flow);
    if (flow.stage === 'closed' || flow.stage === 'reset') return;
    this.#world.queue.after(this.#pause(flow, isAnswered), () => this.#live(flow));
  }

  #step(flow: ClientFlow): boolean {
    switch (flow.stage) {
      case 'opening':
        return flow.open();
      case 'open':
        if (!this.#isQuiet && this.#random.chance(4)) return flow.close();
        return flow.use();
      case 'closing':
        return flow.close();
      case 'closed':
      case 'reset':
        return true;
    }
  }

  #pause({ silences }: ClientFlow, isAnswered: boolean): number {
    if (!isAnswered) return Math.min(longestRetryPause, retryPause * 2 ** Math.min(silences, 3));
    return this.#random.between(shortestPause, longestPause);
  }
}
