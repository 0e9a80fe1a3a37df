/** Targets that answer, are lost or are refused as a test says. */
import { formatIp } from '../../../src/base/ipAddress.js';
import { milliseconds, type Microseconds, type Timers } from '../../../src/base/time.js';
import type {
  KernelOutcome,
  ProbeCounters,
  ProbeListener,
  Prober,
  ProberFactory,
  ProbeSpec,
} from '../../../src/net/ports.js';

/** What becomes of one probe: its round trip, `lost`, or the errno with which it is refused. */
export type ProbeFate = Microseconds | 'lost' | { readonly errno: number };

export class FakeProbers implements ProberFactory {
  readonly icmpSocket = 'fake';
  readonly counters: ProbeCounters = { junk: 0, duplicates: 0, late: 0, floods: 0 };
  /** How many were sent, by address. */
  readonly sent = new Map<string, number>();
  isFlooded = false;
  readonly #timers: Timers;
  readonly #fate: (address: string) => ProbeFate;

  constructor(timers: Timers, fate: (address: string) => ProbeFate = () => milliseconds(2)) {
    this.#timers = timers;
    this.#fate = fate;
  }

  open(spec: ProbeSpec, listener: ProbeListener): Prober {
    const address = formatIp(spec.address);
    const forgotten = new Set<number>();
    let isClosed = false;
    const isFlooded = (): boolean => this.isFlooded;
    return {
      send: (probe): KernelOutcome => {
        this.sent.set(address, (this.sent.get(address) ?? 0) + 1);
        const fate = this.#fate(address);
        if (typeof fate === 'object') return { kind: 'refused', errno: fate.errno, message: '' };
        if (fate === 'lost') return { kind: 'done' };
        this.#timers.after(fate, () => {
          if (!isClosed && !forgotten.has(probe)) listener.answered(probe);
        });
        return { kind: 'done' };
      },
      forget: (probe) => void forgotten.add(probe),
      get isFlooded() {
        return isFlooded();
      },
      close: () => {
        isClosed = true;
      },
    };
  }
}
