/**
 * Which answer belongs to which probe, and what the others are. A key names a probe on the wire
 * (identifier and sequence number of an echo); the proof is what else must be equal.
 */
import type { ProbeCounters } from '../ports.js';

/** Keys that were closed lately: an answer to one of them is a duplicate, or late. */
const remembered = 256;

interface OpenProbe {
  readonly isProven: (source: Uint8Array, payload: Uint8Array) => boolean;
  readonly answered: () => void;
}

export class OpenProbes {
  readonly #open = new Map<number, OpenProbe>();
  /** In the order of their closing. */
  readonly #closed = new Map<number, OpenProbe & { readonly wasAnswered: boolean }>();
  #junk = 0;
  #duplicates = 0;
  #late = 0;
  #floods = 0;

  get counters(): ProbeCounters {
    const [junk, duplicates, late, floods] = [
      this.#junk,
      this.#duplicates,
      this.#late,
      this.#floods,
    ];
    return { junk, duplicates, late, floods };
  }

  open(key: number, probe: OpenProbe): void {
    this.#closed.delete(key);
    this.#open.set(key, probe);
  }

  /** The probe of this key was given up. */
  forget(key: number): void {
    this.#close(key, false);
  }

  /** Somebody answered. */
  received(key: number, source: Uint8Array, payload: Uint8Array): void {
    const probe = this.#open.get(key);
    if (probe !== undefined) {
      if (!probe.isProven(source, payload)) {
        this.#junk++;
        return;
      }
      this.#close(key, true);
      probe.answered();
      return;
    }
    const closed = this.#closed.get(key);
    if (closed?.isProven(source, payload) !== true) this.#junk++;
    else if (closed.wasAnswered) this.#duplicates++;
    else this.#late++;
  }

  /** It cannot be an answer at all. */
  malformed(): void {
    this.#junk++;
  }

  flooded(): void {
    this.#floods++;
  }

  #close(key: number, wasAnswered: boolean): void {
    const probe = this.#open.get(key);
    if (probe === undefined) return;
    this.#open.delete(key);
    this.#closed.set(key, { ...probe, wasAnswered });
    if (this.#closed.size <= remembered) return;
    for (const oldest of this.#closed.keys()) {
      this.#closed.delete(oldest);
      return;
    }
  }
}
