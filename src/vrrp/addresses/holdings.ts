/**
 * What instances hold in the kernel: VIPs, excluded VIPs, routes and rules. Each owner has a list
 * of items that are wanted; whatever the kernel drops or refuses meanwhile is shown, and tried
 * again when links or addresses change. Work of one owner is done strictly in order, so a lowering
 * never overtakes a raising.
 */
import { ipEquals, type IpAddress } from '../../base/ipAddress.js';
import type { Logger } from '../../base/logger.js';
import { milliseconds, seconds, type ArmedTimer, type Timers } from '../../base/time.js';
import type {
  AddressSpec,
  KernelOutcome,
  NetworkControl,
  NetworkEvent,
  NetworkWatch,
} from '../../net/ports.js';
import {
  isPresent,
  keepalivedProtocol,
  presenceIn,
  whereNow,
  type KernelView,
  type Presence,
} from './interfaceAddresses.js';
import { changedItems, itemsOf, sameItem, type Item, type ItemSource } from './holdingItems.js';

/** Many events arrive together when a link comes up; one look at all routes is enough. */
const settleTime = milliseconds(50);
const retryPeriod = seconds(5);
/** Somebody who deletes a VIP again and again gets it back at most this often. */
const restoreSpacing = seconds(1);

/** `pending`: refused so far, tried again by itself. */
export type HoldingState = 'set' | 'pending' | 'absent';

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
  readonly timers: Timers;
  readonly logger: Logger;
}

interface Held {
  readonly item: Item;
  wanted: boolean;
  state: HoldingState;
  because: string | undefined;
  restorePause: ArmedTimer | undefined;
}

interface Owner {
  readonly items: Held[];
  work: Promise<void>;
}

export class Holdings {
  readonly #ports: HoldingPorts;
  readonly #owners = new Map<string, Owner>();
  readonly #onRestored: (owner: string, spec: AddressSpec) => void;
  #settling: ArmedTimer | undefined;
  #retrying: ArmedTimer | undefined;

  /** `onRestored`: a VIP that somebody had deleted is back; it needs announcing. */
  constructor(ports: HoldingPorts, onRestored: (owner: string, spec: AddressSpec) => void) {
    this.#ports = ports;
    this.#onRestored = onRestored;
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
    const kernel = {
      links: this.#ports.network.links(),
      addresses: this.#ports.network.addresses(),
    };
    for (const source of sources) {
      for (const item of itemsOf(source)) {
        if (item.kind === 'address' && !isPresent(item.spec, kernel)) continue;
        const outcome = await this.#delete(item);
        if (outcome.kind !== 'done') continue;
        removed += 1;
        this.#ports.logger.log('notice', 'left-over removed', { what: item.text });
      }
    }
    return removed;
  }

  /** What is on the interfaces now; ask once for many `status` calls. */
  presence(): Presence {
    return presenceIn(this.#kernel());
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
    if (event.kind === 'addressGone') this.#addressGone(event.address.address);
    this.#settling ??= this.#ports.timers.after(settleTime, () => {
      this.#settling = undefined;
      this.#reassert();
    });
  }

  close(): void {
    this.#settling?.cancel();
    this.#retrying?.cancel();
    for (const { items } of this.#owners.values()) {
      for (const one of items) one.restorePause?.cancel();
    }
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
      restorePause: undefined,
    };
    held.push(one);
    return one;
  }

  async #set(owner: string, one: Held): Promise<void> {
    if (!one.wanted) return;
    const outcome = await this.#add(one.item);
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
      return;
    }
    if (before !== undefined) {
      this.#ports.logger.log('notice', 'set at last', { instance: owner, what: one.item.text });
    }
    one.state = 'set';
    one.because = undefined;
  }

  async #unset(owner: string, one: Held): Promise<void> {
    one.wanted = false;
    one.restorePause?.cancel();
    const outcome = await this.#delete(one.item);
    if (outcome.kind !== 'refused' || one.state === 'pending') return;
    this.#ports.logger.log('warning', 'cannot be removed', {
      instance: owner,
      what: one.item.text,
      reason: outcome.message,
    });
  }

  #add(item: Item): Promise<KernelOutcome> {
    const { control } = this.#ports;
    switch (item.kind) {
      case 'address':
        return control.addAddress({ ...item.spec, protocol: keepalivedProtocol });
      case 'route':
        return control.addRoute(item.spec);
      case 'rule':
        return control.addRule(item.spec);
    }
  }

  #delete(item: Item): Promise<KernelOutcome> {
    const { control } = this.#ports;
    switch (item.kind) {
      case 'address':
        return control.deleteAddress(whereNow(item.spec, this.#kernel()));
      case 'route':
        return control.deleteRoute(item.spec);
      case 'rule':
        return control.deleteRule(item.spec);
    }
  }

  /**
   * Puts back a tracked VIP that is set but no longer there. `gone` limits the search to one
   * address.
   */
  #addressGone(gone?: IpAddress): void {
    for (const [name, owner] of this.#owners) {
      for (const one of owner.items) {
        const { item } = one;
        if (item.kind !== 'address' || !item.isTracked) continue;
        if (gone !== undefined && !ipEquals(gone, item.spec.address)) continue;
        if (!one.wanted || one.state !== 'set' || one.restorePause !== undefined) continue;
        if (!isPresent(item.spec, this.#kernel())) this.#restore(name, one, item.spec);
      }
    }
  }

  #kernel(): KernelView {
    return { links: this.#ports.network.links(), addresses: this.#ports.network.addresses() };
  }

  #restore(owner: string, one: Held, spec: AddressSpec): void {
    this.#ports.logger.log('warning', 'VIP was deleted by somebody else, putting it back', {
      instance: owner,
      what: one.item.text,
    });
    one.restorePause = this.#ports.timers.after(restoreSpacing, () => {
      one.restorePause = undefined;
      this.#addressGone(spec.address);
    });
    void this.#inOrder(owner, async () => {
      await this.#set(owner, one);
      if (one.wanted && one.state === 'set') this.#onRestored(owner, spec);
    });
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
