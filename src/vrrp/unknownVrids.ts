/** Adverts of virtual routers that are not ours (`log_unknown_vrids`), a line a minute. */
import type { Logger } from '../base/logger.js';
import { seconds, type ArmedTimer, type Timers } from '../base/time.js';
import type { VrrpDatagram } from '../net/ports.js';

const logPeriod = seconds(60);

export class UnknownVrids {
  readonly #ports: { readonly timers: Timers; readonly logger: Logger };
  #quiet: ArmedTimer | undefined;

  constructor(ports: { readonly timers: Timers; readonly logger: Logger }) {
    this.#ports = ports;
  }

  note({ payload }: VrrpDatagram, interfaceName: string): void {
    if (this.#quiet !== undefined) return;
    const { timers, logger } = this.#ports;
    this.#quiet = timers.after(logPeriod, () => {
      this.#quiet = undefined;
    });
    logger.log('info', 'unknown VRID received', { vrid: payload[1], interface: interfaceName });
  }

  close(): void {
    this.#quiet?.cancel();
  }
}
