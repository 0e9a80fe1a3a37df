/** ALARM's refresh timers of expectations, which are few: one due second for each. */
import type { ExpectationEntry } from '../../tables/expectations.js';

export class ExpectationRefresh {
  readonly #due = new Map<ExpectationEntry, number>();
  #served = 0;

  add(entry: ExpectationEntry, dueSeconds: number): void {
    this.#due.set(entry, dueSeconds);
  }

  remove(entry: ExpectationEntry): void {
    this.#due.delete(entry);
  }

  /** Hands out those that are due and forgets them; looks once a second. */
  due(nowSeconds: number, each: (entry: ExpectationEntry) => void): void {
    if (nowSeconds === this.#served) return;
    this.#served = nowSeconds;
    for (const [entry, due] of [...this.#due]) {
      if (due > nowSeconds) continue;
      this.#due.delete(entry);
      each(entry);
    }
  }

  clear(): void {
    this.#due.clear();
  }
}
