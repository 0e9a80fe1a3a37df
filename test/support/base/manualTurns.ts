/** Turns that come when a test says so. */
import type { Turns } from '../../../src/base/time.js';

export class ManualTurns implements Turns {
  readonly #waiting: (() => void)[] = [];

  next(work: () => void): void {
    this.#waiting.push(work);
  }

  /** How many turns it took until nothing was left. */
  async runAll(): Promise<number> {
    let turns = 0;
    for (let work = this.#waiting.shift(); work !== undefined; work = this.#waiting.shift()) {
      work();
      turns++;
      await Promise.resolve();
    }
    await new Promise((resolve) => setImmediate(resolve));
    return turns;
  }
}
