/**
 * Puts back what somebody takes from the kernel: VIPs, routes and rules that are wanted and were
 * set. Present is what was seen to be, not what was set once. A VIP waits for the own address of
 * its network where that one is away too, so that the order of addresses on the interface stays as
 * it was.
 */
import { errorText } from '../../base/errors.js';
import { formatIp, ipEquals } from '../../base/ipAddress.js';
import type { Logger } from '../../base/logger.js';
import {
  milliseconds,
  seconds,
  subtractTime,
  type ArmedTimer,
  type Clock,
  type Microseconds,
  type Timers,
} from '../../base/time.js';
import type {
  AddressSpec,
  AddressState,
  KernelOutcome,
  NetworkEvent,
  NetworkWatch,
  RoutingLoss,
  RoutingWatch,
} from '../../net/ports.js';
import { AddressLosses } from './addressLosses.js';
import { isPresent } from './interfaceAddresses.js';
import type { Item } from './holdingItems.js';

/** The events of one deletion are all read by then. */
const settleTime = milliseconds(10);
/** Somebody who deletes an item again and again gets it back at most this often. */
const spacing = seconds(1);
/** So long a VIP waits for the interface's own address; afterwards it stands without. */
const ownAddressTimeout = seconds(1);

/** `pending`: refused so far, tried again by itself. */
export type HoldingState = 'set' | 'pending' | 'absent';

/** One item that an owner wants, or has just given up. */
export interface Held {
  readonly item: Item;
  wanted: boolean;
  state: HoldingState;
  because: string | undefined;
  /** Where an address was set. */
  linkIndex: number | undefined;
  /** Until then it is not looked at again. */
  pause: ArmedTimer | undefined;
}

export interface Owner {
  readonly items: Held[];
  work: Promise<void>;
}

export interface RescuePorts {
  readonly network: NetworkWatch;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly openRoutingWatch: () => RoutingWatch;
}

/** What the holdings lend. */
export interface RescueHands {
  readonly owners: () => ReadonlyMap<string, Owner>;
  readonly inOrder: (owner: string, work: () => Promise<void>) => Promise<void>;
  /** `exists`: it was there. */
  readonly set: (owner: string, one: Held) => Promise<KernelOutcome['kind']>;
  /** A VIP is back; it needs announcing. */
  readonly restored: (owner: string, spec: AddressSpec) => void;
}

export class ItemRescue {
  readonly #ports: RescuePorts;
  readonly #hands: RescueHands;
  readonly #losses = new AddressLosses();
  /** Addresses that keepstate itself is deleting. */
  readonly #removing = new Set<string>();
  /** Routes and rules that were lost once more while they rest. */
  readonly #lostAgain = new Set<Held>();
  #routing: RoutingWatch | undefined;
  #isRoutingWatched = false;

  constructor(ports: RescuePorts, hands: RescueHands) {
    this.#ports = ports;
    this.#hands = hands;
  }

  /** There are routes or rules: their loss is to be heard of. */
  watchRouting(): void {
    if (this.#isRoutingWatched) return;
    this.#isRoutingWatched = true;
    try {
      this.#routing = this.#ports.openRoutingWatch();
      this.#routing.subscribe((loss) => {
        this.#routingLost(loss);
      });
    } catch (error) {
      this.#ports.logger.log('warning', 'routes and rules that others delete are not put back', {
        reason: errorText(error),
      });
    }
  }

  networkChanged(event: NetworkEvent): void {
    if (event.kind === 'addressGone') this.#addressGone(event.address);
  }

  /** Keepstate deletes it: what goes with it is not the work of others. */
  removing({ item, linkIndex }: Held): void {
    if (item.kind === 'address') this.#removing.add(removalKey(item.spec, linkIndex));
  }

  /** Whether an address is one that an owner wants. */
  isHeld(address: AddressState): boolean {
    return this.#heldAt(address).length > 0;
  }

  close(): void {
    this.#routing?.close();
    for (const { items } of this.#hands.owners().values()) {
      for (const one of items) one.pause?.cancel();
    }
  }

  #addressGone(address: AddressState): void {
    const { clock } = this.#ports;
    const lost = this.#heldAt(address).filter(([, one]) => one.state === 'set');
    const isRemoved = this.#removing.delete(removalKey(address, address.linkIndex));
    if (lost.length === 0) this.#losses.note(address, isRemoved, clock.now());
    for (const [owner, one] of lost) {
      if (one.pause !== undefined || (one.item.kind === 'address' && !one.item.isTracked)) continue;
      const since = clock.now();
      this.#rest(one, settleTime, () => {
        this.#lookAfter(owner, one, since);
      });
    }
  }

  /** Nobody looks at it before. */
  #rest(one: Held, duration: Microseconds, then: () => void): void {
    one.pause = this.#ports.timers.after(duration, () => {
      one.pause = undefined;
      then();
    });
  }

  #lookAfter(owner: string, one: Held, since: Microseconds): void {
    const { network, clock, logger } = this.#ports;
    const { item } = one;
    if (item.kind !== 'address' || !one.wanted || one.state !== 'set') return;
    const kernel = { links: network.links(), addresses: network.addresses() };
    if (isPresent(item.spec, kernel)) return;
    const now = clock.now();
    const reason = this.#losses.reasonFor(item.spec, one.linkIndex, kernel.addresses, now);
    if (reason.isOwnAddressAway && subtractTime(now, since) < ownAddressTimeout) {
      this.#rest(one, settleTime, () => {
        this.#lookAfter(owner, one, since);
      });
      return;
    }
    logger.log('warning', `VIP is gone, putting it back: ${reason.text}`, {
      instance: owner,
      what: item.text,
    });
    this.#rest(one, spacing, () => {
      this.#lookAfter(owner, one, clock.now());
    });
    void this.#hands.inOrder(owner, async () => {
      await this.#hands.set(owner, one);
      if (one.wanted && one.state === 'set') this.#hands.restored(owner, item.spec);
    });
  }

  #heldAt(address: AddressState): [string, Held][] {
    const { network } = this.#ports;
    return [...this.#hands.owners()].flatMap(([owner, { items }]) =>
      items
        .filter(({ item, wanted, linkIndex }) => {
          if (item.kind !== 'address' || !wanted) return false;
          const { interfaceName, prefixLength } = item.spec;
          const index = linkIndex ?? network.linkByName(interfaceName)?.index;
          return (
            index === address.linkIndex &&
            prefixLength === address.prefixLength &&
            ipEquals(item.spec.address, address.address)
          );
        })
        .map((one): [string, Held] => [owner, one]),
    );
  }

  #routingLost(loss: RoutingLoss): void {
    for (const [owner, { items }] of this.#hands.owners()) {
      for (const one of items) {
        if (!one.wanted || one.state !== 'set' || !concerns(loss, one.item)) continue;
        if (one.pause === undefined) this.#putBack(owner, one);
        else this.#lostAgain.add(one);
      }
    }
  }

  /** One that is still there answers that it exists: then another route or rule was meant. */
  #putBack(owner: string, one: Held): void {
    this.#lostAgain.delete(one);
    this.#rest(one, spacing, () => {
      if (this.#lostAgain.has(one) && one.wanted) this.#putBack(owner, one);
    });
    void this.#hands.inOrder(owner, async () => {
      if (!one.wanted || (await this.#hands.set(owner, one)) !== 'done') return;
      const { kind, text } = one.item;
      this.#ports.logger.log('warning', `${kind} was deleted by somebody else, put back`, {
        instance: owner,
        what: text,
      });
    });
  }
}

function removalKey(
  { address, prefixLength }: Pick<AddressSpec, 'address' | 'prefixLength'>,
  linkIndex: number | undefined,
): string {
  return `${linkIndex ?? ''} ${formatIp(address)}/${prefixLength}`;
}

function concerns(loss: RoutingLoss, item: Item): boolean {
  if (loss.kind === 'unknown') return item.kind !== 'address';
  if (loss.kind !== item.kind || loss.family !== item.spec.family) return false;
  if (loss.kind === 'rule' || item.kind !== 'route') return true;
  const { destination, prefixLength } = item.spec;
  if (prefixLength !== loss.prefixLength) return false;
  return destination === undefined || loss.destination === undefined
    ? destination === loss.destination
    : ipEquals(destination, loss.destination);
}
