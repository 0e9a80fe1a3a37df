/** What the nodes ask for signs of life: a host of the provider behind the outer segment. */
import type { SeededRandom } from '../../support/base/seededRandom.js';

export const targetAddress = '203.0.113.200';
export const targetName = 'PROVIDER';

export class Target {
  /** Percent of the probes of a node that are lost, by its name. */
  readonly #loss = new Map<string, number>();

  lose(node: string, percent: number): void {
    this.#loss.set(node, percent);
  }

  lossOf(node: string): number {
    return this.#loss.get(node) ?? 0;
  }

  answers(node: string, random: SeededRandom): boolean {
    return !random.chance(this.lossOf(node));
  }

  mend(): void {
    this.#loss.clear();
  }
}
