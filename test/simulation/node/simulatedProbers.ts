/**
 * What asks tracked targets in a simulated process: the answer, the silence or the refusal that the
 * world has for this node now.
 */
import { ENETDOWN } from '../../../src/base/errno.js';
import type {
  KernelOutcome,
  ProbeCounters,
  ProbeListener,
  Prober,
  ProberFactory,
  ProbeSpec,
} from '../../../src/net/ports.js';
import type { Target } from '../network/target.js';
import type { SimulatedThread } from '../world/thread.js';
import type { World } from '../world/world.js';

export class SimulatedProbers implements ProberFactory {
  readonly icmpSocket = 'simulated';
  readonly counters: ProbeCounters = { junk: 0, duplicates: 0, late: 0, floods: 0 };
  readonly #world: World;
  readonly #thread: SimulatedThread;
  readonly #target: Target;
  readonly #isUsable: () => boolean;

  /** `isUsable`: the interface towards the target is up and has carrier. */
  constructor(world: World, thread: SimulatedThread, target: Target, isUsable: () => boolean) {
    this.#world = world;
    this.#thread = thread;
    this.#target = target;
    this.#isUsable = isUsable;
  }

  open(_spec: ProbeSpec, listener: ProbeListener): Prober {
    const { host } = this.#thread;
    const random = this.#world.random(`probes ${host.name} ${host.clockOffset}`);
    const waiting = new Set<number>();
    return {
      isFlooded: false,
      send: (probe): KernelOutcome => {
        if (!this.#isUsable()) return { kind: 'refused', errno: ENETDOWN, message: '' };
        waiting.add(probe);
        const roundTrip = random.between(500, 9_000);
        if (this.#target.answers(host.name, random)) {
          this.#thread.later(roundTrip, () => {
            if (waiting.delete(probe)) listener.answered(probe);
          });
        }
        return { kind: 'done' };
      },
      forget: (probe) => void waiting.delete(probe),
      close: () => waiting.clear(),
    };
  }
}
