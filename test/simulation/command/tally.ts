/**
 * The sums of a run of lives; of several runs, added. Plain data, so that it can be kept in a file.
 */
import type { FaultKind } from '../faults/plan.js';

export interface BrokenLife {
  readonly seed: number;
  readonly invariant: string;
  readonly text: string;
}

export interface Tally {
  lives: number;
  virtualMilliseconds: number;
  events: number;
  flows: number;
  cpuMilliseconds: number;
  readonly faults: Partial<Record<FaultKind, number>>;
  readonly broken: BrokenLife[];
  reached: Readonly<Record<string, number>>;
}

export function newTally(): Tally {
  return {
    ...{ lives: 0, virtualMilliseconds: 0, events: 0, flows: 0, cpuMilliseconds: 0 },
    ...{ faults: {}, broken: [], reached: {} },
  };
}

export function addTally(to: Tally, more: Tally): void {
  to.lives += more.lives;
  to.virtualMilliseconds += more.virtualMilliseconds;
  to.events += more.events;
  to.flows += more.flows;
  to.cpuMilliseconds += more.cpuMilliseconds;
  for (const [kind, count] of Object.entries(more.faults) as [FaultKind, number][]) {
    to.faults[kind] = (to.faults[kind] ?? 0) + count;
  }
  to.broken.push(...more.broken);
  const sums = new Map(Object.entries(to.reached));
  for (const [name, count] of Object.entries(more.reached)) {
    sums.set(name, (sums.get(name) ?? 0) + count);
  }
  to.reached = Object.fromEntries(sums);
}

export function tallyText(tally: Tally): string {
  const { lives, virtualMilliseconds, events, flows, cpuMilliseconds, faults, broken } = tally;
  const hours = (virtualMilliseconds / 3_600_000).toFixed(1);
  const perLife = lives === 0 ? 0 : cpuMilliseconds / lives;
  const kinds = Object.entries(faults)
    .sort(([, a], [, b]) => b - a)
    .map(([kind, count]) => `${kind} ${count}`);
  const total = Object.values(faults).reduce((sum, count) => sum + count, 0);
  return [
    `${lives} lives, ${hours} virtual hours, ${events} events, ${flows} flows, ${perLife.toFixed(1)} ms of CPU per life`,
    `${total} faults: ${kinds.join(', ')}`,
    `${broken.length} lives broke a promise`,
  ].join('\n');
}
