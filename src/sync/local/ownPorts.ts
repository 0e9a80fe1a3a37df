/**
 * Netlink port ids of this daemon's own sockets: events that bear one are effects of its own
 * requests. An id stays known for a while after its socket was closed, because its last events may
 * still wait in the queue.
 */

/** More than are closed while the queue is read; each role change closes a few. */
const mostClosed = 64;

export class OwnPorts {
  /**
   * How many times each: the kernel may give a freed id to the next socket before the end of the
   * first is known.
   */
  readonly #open = new Map<number, number>();
  /** Oldest first. */
  readonly #closed = new Set<number>();
  /** Whose last event was not this daemon's; 0: packets and timers. */
  #foreign = 0;

  get count(): number {
    return this.#open.size + this.#closed.size;
  }

  opened(portId: number): void {
    this.#closed.delete(portId);
    this.#open.set(portId, (this.#open.get(portId) ?? 0) + 1);
    if (portId === this.#foreign) this.#foreign = 0;
  }

  closed(portId: number): void {
    const left = (this.#open.get(portId) ?? 0) - 1;
    if (left > 0) {
      this.#open.set(portId, left);
      return;
    }
    this.#open.delete(portId);
    this.#closed.add(portId);
    const [oldest] = this.#closed;
    if (this.#closed.size > mostClosed && oldest !== undefined) this.#closed.delete(oldest);
  }

  /** Asked for each event that a program caused; such events come many from one. */
  has(portId: number): boolean {
    if (portId === this.#foreign) return false;
    const isOwn = this.#open.has(portId) || this.#closed.has(portId);
    if (!isOwn) this.#foreign = portId;
    return isOwn;
  }
}
