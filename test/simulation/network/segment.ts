/**
 * One Ethernet segment: stations hear each other, unless a path between two of them is impaired. A
 * path has a direction, so that loss in one way and splits of any shape can be had. What is sent on
 * a path arrives in order, unless it is told to reorder.
 */
import type { SeededRandom } from '../../support/base/seededRandom.js';
import type { World } from '../world/world.js';

/** Chances in percent; delays in microseconds. */
export interface Impairment {
  readonly loss: number;
  readonly duplicates: number;
  readonly reordered: number;
  readonly corrupted: number;
  readonly longestDelay: number;
}

export const unimpaired: Impairment = {
  loss: 0,
  duplicates: 0,
  reordered: 0,
  corrupted: 0,
  longestDelay: 200,
};

interface Path {
  impairment: Impairment;
  isCut: boolean;
  /** When the last one arrives. */
  last: number;
}

const shortestDelay = 50;
const longestReordering = 5_000;

export class Segment {
  readonly name: string;
  readonly #world: World;
  readonly #random: SeededRandom;
  readonly #paths = new Map<string, Path>();
  #carried = 0;
  #lost = 0;

  constructor(world: World, name: string) {
    this.#world = world;
    this.name = name;
    this.#random = world.random(`segment ${name}`);
  }

  get carried(): number {
    return this.#carried;
  }

  get lost(): number {
    return this.#lost;
  }

  /** `arrive` is called for each copy that arrives; a corrupted one is told so. */
  carry(from: string, to: string, arrive: (isCorrupted: boolean) => void): void {
    const path = this.#path(from, to);
    const { loss, duplicates } = path.impairment;
    if (path.isCut || this.#chance(loss)) {
      this.#lost++;
      return;
    }
    this.#send(path, arrive);
    if (this.#chance(duplicates)) this.#send(path, arrive);
  }

  cut(from: string, to: string): void {
    this.#path(from, to).isCut = true;
  }

  impair(from: string, to: string, impairment: Impairment): void {
    this.#path(from, to).impairment = impairment;
  }

  isCut(from: string, to: string): boolean {
    return this.#path(from, to).isCut;
  }

  /** Cut, or not as good as at first. */
  isImpaired(from: string, to: string): boolean {
    const path = this.#path(from, to);
    return path.isCut || path.impairment !== unimpaired;
  }

  /** Every path is as at first. */
  mend(): void {
    for (const path of this.#paths.values()) {
      path.isCut = false;
      path.impairment = unimpaired;
    }
  }

  /** Back to the state before: one path. */
  mendPath(from: string, to: string): void {
    const path = this.#path(from, to);
    path.isCut = false;
    path.impairment = unimpaired;
  }

  #send(path: Path, arrive: (isCorrupted: boolean) => void): void {
    this.#carried++;
    const { longestDelay, reordered, corrupted } = path.impairment;
    const delay = shortestDelay + this.#random.below(Math.max(1, longestDelay));
    const at = this.#world.now() + delay;
    const isCorrupted = this.#chance(corrupted);
    if (this.#chance(reordered)) {
      const late = this.#random.below(longestReordering);
      this.#world.queue.at(at + late, () => arrive(isCorrupted));
      return;
    }
    path.last = Math.max(path.last, at);
    this.#world.queue.at(path.last, () => arrive(isCorrupted));
  }

  #path(from: string, to: string): Path {
    const key = `${from}>${to}`;
    let path = this.#paths.get(key);
    if (path === undefined) {
      path = { impairment: unimpaired, isCut: false, last: 0 };
      this.#paths.set(key, path);
    }
    return path;
  }

  #chance(percent: number): boolean {
    return percent > 0 && this.#random.below(10_000) < percent * 100;
  }
}
