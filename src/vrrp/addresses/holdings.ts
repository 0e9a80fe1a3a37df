/**
 * What instances hold in the kernel: VIPs, excluded VIPs, routes and rules. Each owner has a list
 * of items that are wanted; whatever the kernel drops or refuses meanwhile is shown, and tried
 * again when links or addresses change. What somebody takes away is put back (itemRescue.ts). An
 * item of several owners leaves the kernel with the last of them. Work of one owner is done
 * strictly in order, so a lowering never overtakes a raising.
 */
import type { Logger } from '../../base/logger.js';
import {
  milliseconds,
  seconds,
  type ArmedTimer,
  type Clock,
  type Timers,
} from '../../base/time.js';
import type {
  AddressSpec,
  KernelOutcome,
  NetworkControl,
  NetworkEvent,
  NetworkWatch,
  RoutingWatch,
} from '../../net/ports.js';
import { isPresent, presenceIn, type Presence } from './interfaceAddresses.js';
import {
  addItem,
  changedItems,
  itemsOf,
  sameItem,
  type Item,
  type ItemSource,
} from './holdingItems.js';
import { ItemRescue, type HoldingState, type Owner, type Held } from './itemRescue.js';
import { KernelItems } from './kernelItems.js';

/** Many events arrive together when a link comes up; one look at all routes is enough. */
const settleTime = milliseconds(50);
const retryPeriod = seconds(5);

export interface HoldingStatus {
  readonly item: Item;
  readonly state: HoldingState;
  /** The kernel's words while pending. */
  readonly because: string | undefined;
  /** Really on the interface now; routes and rules: as of the last try. */
  readonly isPresent: boolean;
}

export interface HoldingPorts {
  readonly network: NetworkWatch;
  readonly control: NetworkControl;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  /** Opened with the first route or rule. Throws KernelError. */
  readonly openRoutingWatch: () => RoutingWatch;
}

export class Holdings {
  readonly #ports: HoldingPorts;
  readonly #owners = new Map<string, Owner>();
  readonly #onRestored: (owner: string, spec: AddressSpec) => void;
  readonly #kernel: KernelItems;
  readonly #rescue: ItemRescue;
  #settling: ArmedTimer | undefined;
  #retrying: ArmedTimer | undefined;

  /** `onRestored`: a VIP that somebody had deleted is back; it needs announcing. */
  constructor(ports: HoldingPorts, onRestored: (owner: string, spec: AddressSpec) => void) {
    this.#ports = ports;
    this.#onRestored = onRestored;
    this.#kernel = new KernelItems(ports);
    this.#rescue = new ItemRescue(ports, {
      owners: () => this.#owners,
      inOrder: (owner, work) => this.#inOrder(owner, work),
      set: (owner, one) => this.#set(owner, one),
      restored: onRestored,
    });
  }

  /**
   * Sets everything, in order: VIPs, excluded VIPs, routes, rules. Resolves when each was tried
   * once.
   */
  raise(owner: string, source: ItemSource): Promise<void> {
    return this.#inOrder(owner, async (held) => {
      for (const item of itemsOf(source)) {
        if (held.some((one) => one.wanted && sameItem(one.item, item))) continue;
        await this.#set(owner, this.#want(held, item));
      }
    });
  }

  /** Removes everything in the reverse kinds' order: rules, routes, VIPs, excluded VIPs. */
  lower(owner: string): Promise<void> {
    return this.#inOrder(owner, async (held) => {
      for (const kind of ['rule', 'route', 'address'] as const) {
        for (const one of held.filter((candidate) => candidate.item.kind === kind)) {
          await this.#unset(owner, one);
        }
      }
      held.length = 0;
    });
  }

  /** A reload: removes what is no longer listed, sets what is new. Gives the new addresses. */
  async change(owner: string, source: ItemSource): Promise<readonly AddressSpec[]> {
    const added: AddressSpec[] = [];
    await this.#inOrder(owner, async (held) => {
      const change = changedItems(
        held.map((one) => one.item),
        itemsOf(source),
      );
      for (const one of held.filter((candidate) => change.removed.includes(candidate.item))) {
        await this.#unset(owner, one);
        held.splice(held.indexOf(one), 1);
      }
      for (const item of change.added) {
        await this.#set(owner, this.#want(held, item));
        if (item.kind === 'address') added.push(item.spec);
      }
    });
    return added;
  }

  /**
   * Before anything is raised: what a run that ended without cleaning up has left. Gives how many.
   */
  async removeLeftovers(sources: readonly ItemSource[]): Promise<number> {
    let removed = 0;
    const { network, logger } = this.#ports;
    const kernel = { links: network.links(), addresses: network.addresses() };
    for (const source of sources) {
      for (const item of itemsOf(source)) {
        if (item.kind === 'address' && !isPresent(item.spec, kernel)) continue;
        const outcome = await this.#kernel.delete(item);
        if (outcome.kind !== 'done') continue;
        removed += 1;
        logger.log('notice', 'left-over removed', { what: item.text });
      }
    }
    return removed;
  }

  /** What is on the interfaces now; ask once for many `status` calls. */
  presence(): Presence {
    const { network } = this.#ports;
    return presenceIn({ links: network.links(), addresses: network.addresses() });
  }

  /** In the order in which they were set. */
  status(owner: string, presence: Presence = this.presence()): readonly HoldingStatus[] {
    return (this.#owners.get(owner)?.items ?? []).map(({ item, state, because }) => ({
      item,
      state,
      because,
      isPresent: item.kind === 'address' ? presence(item.spec) : state === 'set',
    }));
  }

  /** As `status`, with what `source` lists and `owner` does not hold as `absent`. */
  complete(
    owner: string,
    source: ItemSource,
    presence: Presence = this.presence(),
  ): readonly HoldingStatus[] {
    const held = this.status(owner, presence);
    const others = itemsOf(source).filter((item) => !held.some((one) => sameItem(one.item, item)));
    const absent = others.map((item): HoldingStatus => ({
      item,
      state: 'absent',
      because: undefined,
      isPresent: item.kind === 'address' && presence(item.spec),
    }));
    return [...held, ...absent];
  }

  /** Feed of the NetworkWatch. */
  networkChanged(event: NetworkEvent): void {
    this.#rescue.networkChanged(event);
    this.#settling ??= this.#ports.timers.after(settleTime, () => {
      this.#settling = undefined;
      this.#reassert();
    });
  }

  close(): void {
    this.#settling?.cancel();
    this.#retrying?.cancel();
    this.#rescue.close();
  }

  #inOrder(name: string, work: (held: Held[]) => Promise<void>): Promise<void> {
    const owner = this.#owners.get(name) ?? { items: [], work: Promise.resolve() };
    this.#owners.set(name, owner);
    owner.work = owner.work.then(() => work(owner.items));
    return owner.work;
  }

  #want(held: Held[], item: Item): Held {
    const one: Held = {
      item,
      wanted: true,
      state: 'pending',
      because: undefined,
      linkIndex: undefined,
      pause: undefined,
    };
    held.push(one);
    if (item.kind !== 'address') this.#rescue.watchRouting();
    return one;
  }

  async #set(owner: string, one: Held): Promise<KernelOutcome['kind']> {
    if (!one.wanted) return 'absent';
    const outcome = await addItem(one.item, this.#ports.control);
    const before = one.because;
    if (outcome.kind === 'refused') {
      one.state = 'pending';
      one.because = outcome.message;
      if (before !== outcome.message) {
        this.#ports.logger.log('warning', 'not set, will be tried again', {
          instance: owner,
          what: one.item.text,
          reason: outcome.message,
        });
      }
      this.#retrying ??= this.#ports.timers.after(retryPeriod, () => {
        this.#retrying = undefined;
        this.#reassert();
      });
      return outcome.kind;
    }
    if (before !== undefined) {
      this.#ports.logger.log('notice', 'set at last', { instance: owner, what: one.item.text });
    }
    one.state = 'set';
    one.because = undefined;
    if (one.item.kind === 'address') {
      one.linkIndex = this.#kernel.indexOf(one.item.spec.interfaceName);
    }
    return outcome.kind;
  }

  async #unset(owner: string, one: Held): Promise<void> {
    one.wanted = false;
    one.pause?.cancel();
    if (this.#isWantedElsewhere(one)) return;
    this.#rescue.removing(one);
    const outcome = await this.#kernel.delete(one.item, one.linkIndex, (address) =>
      this.#rescue.isHeld(address),
    );
    if (outcome.kind !== 'refused' || one.state === 'pending') return;
    this.#ports.logger.log('warning', 'cannot be removed', {
      instance: owner,
      what: one.item.text,
      reason: outcome.message,
    });
  }

  /** Another owner lists it too. */
  #isWantedElsewhere(one: Held): boolean {
    return [...this.#owners.values()].some(({ items }) =>
      items.some((other) => other !== one && other.wanted && sameItem(other.item, one.item)),
    );
  }

  /**
   * Tries what is pending again; routes also when they were set, for the kernel drops them
   * silently.
   */
  #reassert(): void {
    for (const [name, owner] of this.#owners) {
      const isCandidate = (one: Held): boolean =>
        one.wanted && (one.state === 'pending' || one.item.kind === 'route');
      if (!owner.items.some(isCandidate)) continue;
      void this.#inOrder(name, async (items) => {
        for (const one of items.filter(isCandidate)) {
          const wasPending = one.state === 'pending';
          await this.#set(name, one);
          if (wasPending) this.#raisedLate(name, one);
        }
      });
    }
  }

  #raisedLate(owner: string, one: Held): void {
    if (one.item.kind !== 'address' || one.state !== 'set') return;
    this.#onRestored(owner, one.item.spec);
  }
}
