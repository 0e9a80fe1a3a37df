/**
 * Weights that cannot do what they are there for: with the priorities of both nodes known it can be
 * said whether the worst that trackers make of the one falls below the best of the other
 * (keepalived 2.2.7).
 */
import type { InstanceSettings } from '../../vrrp/settings.js';
import type { Position, ProblemList } from '../problem.js';

/** Effective priorities lie within these; 255 owns its addresses and has no weights. */
const leastPriority = 1;
const greatestPriority = 254;
const ownerPriority = 255;

interface Range {
  readonly least: number;
  readonly greatest: number;
}

/** `at` is where the instance's priority, or the instance, stands. */
export function compareWeights(
  own: InstanceSettings,
  peer: InstanceSettings,
  at: Position,
  problems: ProblemList,
): void {
  const weights = [...weightsOf(own), ...weightsOf(peer)].filter((weight) => weight !== 0);
  const hasOwner = own.priority === ownerPriority || peer.priority === ownerPriority;
  if (weights.length === 0 || hasOwner) return;
  if (!own.preempt && !peer.preempt) {
    const message = `nopreempt on both nodes: no weight of '${own.name}' moves the role from a living MASTER`;
    problems.warning(at, 'peer-weight', message, {
      expected: 'tracking without a weight (FAULT), or preemption on one node',
    });
    return;
  }
  const [mine, theirs] = [rangeOf(own), rangeOf(peer)];
  const isFixed = mine.least > theirs.greatest || theirs.least > mine.greatest;
  if (!isFixed) return;
  const message = `no weight of '${own.name}' can move the role: its priority is ${text(mine)} here and ${text(theirs)} on the peer`;
  problems.warning(at, 'peer-weight', message, {
    expected: 'weights larger than the distance of the priorities',
  });
}

function weightsOf({ tracking }: InstanceSettings): readonly number[] {
  const { interfaces, scripts, files, processes, targets = [] } = tracking;
  return [...interfaces, ...scripts, ...files, ...processes, ...targets].map(
    ({ weight }) => weight,
  );
}

/** A file's number is multiplied by its weight: it can be anything. */
function rangeOf(instance: InstanceSettings): Range {
  const { priority, tracking } = instance;
  if (tracking.files.some(({ weight }) => weight !== 0)) {
    return { least: leastPriority, greatest: greatestPriority };
  }
  const weights = weightsOf(instance);
  const sum = (wanted: readonly number[]): number => wanted.reduce((a, b) => a + b, 0);
  const bounded = (value: number): number =>
    Math.min(greatestPriority, Math.max(leastPriority, value));
  return {
    least: bounded(priority + sum(weights.filter((weight) => weight < 0))),
    greatest: bounded(priority + sum(weights.filter((weight) => weight > 0))),
  };
}

function text({ least, greatest }: Range): string {
  return least === greatest ? String(least) : `${least} to ${greatest}`;
}
