/**
 * Sends blocks of gratuitous ARP (IPv4) and unsolicited neighbour advertisements (IPv6). Without
 * pacing a block leaves back to back; with it each interface keeps its own queue, so that blocks
 * keep their counts and order (keepalived 2.2.7 collapses repeats; docs/differences.md).
 */
import type { Logger } from '../../base/logger.js';
import type { ArmedTimer, Timers } from '../../base/time.js';
import type { AddressSpec, NeighbourAnnouncer } from '../../net/ports.js';
import type { GarpSettings } from '../settings.js';

export interface AnnouncePorts {
  readonly announcer: NeighbourAnnouncer;
  readonly timers: Timers;
  readonly logger: Logger;
}

interface Waiting {
  readonly owner: string;
  readonly spec: AddressSpec;
}

interface Lane {
  readonly waiting: Waiting[];
  timer: ArmedTimer | undefined;
}

export class Announcements {
  readonly #ports: AnnouncePorts;
  readonly #lanes = new Map<string, Lane>();
  /** By interface: why the last one was not sent, said once until one is. */
  readonly #refused = new Map<string, string>();
  #sent = 0;

  constructor(ports: AnnouncePorts) {
    this.#ports = ports;
  }

  /** Packets sent since the start, for status. */
  get sent(): number {
    return this.#sent;
  }

  /** `repeat` rounds over all addresses, in their order. `owner` is the instance, for `cancel`. */
  block(
    owner: string,
    specs: readonly AddressSpec[],
    repeat: number,
    pacing: Pick<GarpSettings, 'garpInterval' | 'gnaInterval'>,
  ): void {
    for (let round = 0; round < repeat; round++) {
      for (const spec of specs) {
        const interval = spec.address.family === 4 ? pacing.garpInterval : pacing.gnaInterval;
        if (interval === 0) this.#send(spec);
        else this.#enqueue({ owner, spec }, interval);
      }
    }
  }

  /** Forgets what `owner` has waiting: it is no longer MASTER. */
  cancel(owner: string): void {
    for (const lane of this.#lanes.values()) {
      const kept = lane.waiting.filter((waiting) => waiting.owner !== owner);
      lane.waiting.splice(0, lane.waiting.length, ...kept);
    }
  }

  close(): void {
    for (const lane of this.#lanes.values()) lane.timer?.cancel();
    this.#lanes.clear();
  }

  #enqueue(waiting: Waiting, interval: GarpSettings['garpInterval']): void {
    const name = waiting.spec.interfaceName;
    let lane = this.#lanes.get(name);
    if (lane === undefined) {
      lane = { waiting: [], timer: undefined };
      this.#lanes.set(name, lane);
    }
    if (lane.timer !== undefined) {
      lane.waiting.push(waiting);
      return;
    }
    this.#send(waiting.spec);
    this.#arm(lane, interval);
  }

  #arm(lane: Lane, interval: GarpSettings['garpInterval']): void {
    lane.timer = this.#ports.timers.after(interval, () => {
      lane.timer = undefined;
      const next = lane.waiting.shift();
      if (next === undefined) return;
      this.#send(next.spec);
      this.#arm(lane, interval);
    });
  }

  #send(spec: AddressSpec): void {
    const outcome = this.#ports.announcer.announce(spec.interfaceName, spec.address);
    this.#sent += 1;
    if (outcome.kind !== 'refused') {
      this.#refused.delete(spec.interfaceName);
      return;
    }
    // A whole block is refused alike where the link is down.
    if (this.#refused.get(spec.interfaceName) === outcome.message) return;
    this.#refused.set(spec.interfaceName, outcome.message);
    this.#ports.logger.log('warning', 'gratuitous announcements are not sent', {
      interface: spec.interfaceName,
      reason: outcome.message,
    });
  }
}
