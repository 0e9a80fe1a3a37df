/**
 * Lets only so many requests to the kernel wait for their answer at once, the others in order
 * behind them: the answers of hundreds of VIPs at a time would overrun the receive buffer of the
 * socket that asks.
 */
import type { KernelOutcome, NetworkControl } from '../../net/ports.js';

/** An answer charges about 1.3 kB of a buffer that holds 200 kB by default. */
const mostAtOnce = 32;

export function gatedControl(control: NetworkControl, limit = mostAtOnce): NetworkControl {
  const gate = new Gate(limit);
  return {
    addAddress: (spec) => gate.pass(() => control.addAddress(spec)),
    deleteAddress: (spec) => gate.pass(() => control.deleteAddress(spec)),
    addRoute: (spec) => gate.pass(() => control.addRoute(spec)),
    deleteRoute: (spec) => gate.pass(() => control.deleteRoute(spec)),
    addRule: (spec) => gate.pass(() => control.addRule(spec)),
    deleteRule: (spec) => gate.pass(() => control.deleteRule(spec)),
  };
}

class Gate {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(limit: number) {
    this.#free = limit;
  }

  async pass(request: () => Promise<KernelOutcome>): Promise<KernelOutcome> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await request();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}
