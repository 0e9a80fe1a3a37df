/**
 * The ARP cache of a host: who has the virtual address. Gratuitous ARP renews it; an entry that is
 * old, or whose node answers no more, is asked for anew.
 */
import type { Neighbour, Network, SegmentName } from '../network/network.js';
import type { Machine } from '../node/machine.js';
import type { World } from '../world/world.js';

/** Linux keeps an entry that is confirmed by traffic; an idle one is looked at after 30 to 60 s. */
const lifetime = 45_000_000;

export class NeighbourCache implements Neighbour {
  readonly name: string;
  readonly segment: SegmentName;
  readonly #world: World;
  readonly #network: Network;
  readonly #machines: readonly Machine[];
  readonly #address: string;
  #owner: Machine | undefined;
  #learntAt = 0;

  constructor(
    world: World,
    network: Network,
    machines: readonly Machine[],
    at: { readonly name: string; readonly segment: SegmentName; readonly address: string },
  ) {
    this.#world = world;
    this.#network = network;
    this.#machines = machines;
    this.name = at.name;
    this.segment = at.segment;
    this.#address = at.address;
    network.plugNeighbour(this);
  }

  announced(address: string, from: string): void {
    if (address !== this.#address) return;
    this.#owner = this.#machines.find(({ name }) => name === from);
    this.#learntAt = this.#world.now();
  }

  /** Where packets to the virtual address go; undefined where nobody answers. */
  owner(): Machine | undefined {
    const isOld = this.#world.now() - this.#learntAt > lifetime;
    if (this.#owner === undefined || isOld) this.#ask();
    return this.#owner;
  }

  /** Nothing came back from there: the next packet asks again. */
  doubt(): void {
    this.#owner = undefined;
  }

  isCutFrom(machine: Machine): boolean {
    const segment = this.#network.segments[this.segment];
    return segment.isCut(this.name, machine.name) || segment.isCut(machine.name, this.name);
  }

  #ask(): void {
    this.#learntAt = this.#world.now();
    this.#owner = this.#machines.find(
      (machine) =>
        machine.isUsable(this.segment) &&
        machine.kernel?.network.hasAddress(this.#address) === true &&
        !this.isCutFrom(machine),
    );
  }
}
