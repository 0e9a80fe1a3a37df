/**
 * rtnetlink as one thread of the product has it: what it knows of links and addresses is as old as
 * the last notification that it has read, and answers come in a later turn.
 */
import { ENETUNREACH, ENODEV } from '../../../src/base/errno.js';
import { formatIp } from '../../../src/base/ipAddress.js';
import { milliseconds, type Timers } from '../../../src/base/time.js';
import { outcomeOf } from '../../../src/net/socket/outcome.js';
import type {
  AddressSpec,
  AddressState,
  KernelOutcome,
  LinkState,
  NetworkControl,
  NetworkEvent,
  NetworkWatch,
  RouteSpec,
  RoutingWatch,
  RuleSpec,
} from '../../../src/net/ports.js';
import type { NetworkPorts } from './kernelPorts.js';
import type { Network } from './network.js';

const done: KernelOutcome = { kind: 'done' };
const absent: KernelOutcome = { kind: 'absent' };
const exists: KernelOutcome = { kind: 'exists' };
const soon = milliseconds(0);

/** No route is lost but by an interface that goes down, and of that the kernel says nothing. */
const quietRouting: RoutingWatch = { subscribe: () => () => undefined, close: () => undefined };

export class ThreadNetwork implements NetworkWatch, NetworkControl {
  readonly ports: NetworkPorts = { watch: this, control: this, routing: quietRouting };
  readonly #network: Network;
  readonly #timers: Timers;
  #links: readonly LinkState[];
  #addresses: readonly AddressState[];
  readonly #listeners = new Set<(event: NetworkEvent) => void>();
  #waiting: NetworkEvent[] = [];
  #isClosed = false;

  constructor(network: Network, timers: Timers) {
    this.#network = network;
    this.#timers = timers;
    this.#links = network.links;
    this.#addresses = network.addresses;
  }

  /** The kernel's side: something happened. */
  happened(event: NetworkEvent): void {
    if (this.#isClosed) return;
    if (this.#waiting.push(event) > 1) return;
    this.#timers.after(soon, () => {
      this.#deliver();
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#waiting = [];
    this.#listeners.clear();
  }

  // ---- NetworkWatch

  links(): readonly LinkState[] {
    return this.#links;
  }

  linkByName(name: string): LinkState | undefined {
    return this.#links.find((link) => link.name === name);
  }

  addresses(): readonly AddressState[] {
    return this.#addresses;
  }

  subscribe(listener: (event: NetworkEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  // ---- NetworkControl

  addAddress(spec: AddressSpec): Promise<KernelOutcome> {
    const { interfaceName, address, prefixLength } = spec;
    const link = this.#network.linkByName(interfaceName);
    if (link === undefined) return this.#answer(outcomeOf(ENODEV));
    const { peer, broadcast, label, scope, flags, protocol } = spec;
    const isNew = this.#network.give(link, {
      address,
      prefixLength,
      ...(peer === undefined ? {} : { peer }),
      ...(broadcast === undefined ? {} : { broadcast }),
      ...(label === undefined ? {} : { label }),
      ...(scope === undefined ? {} : { scope }),
      ...(flags === undefined ? {} : { flags }),
      ...(protocol === undefined ? {} : { protocol }),
    });
    return this.#answer(isNew ? done : exists);
  }

  deleteAddress(spec: AddressSpec): Promise<KernelOutcome> {
    const { interfaceName, interfaceIndex, address, prefixLength } = spec;
    const index = interfaceIndex ?? this.#network.linkByName(interfaceName)?.index;
    const found =
      index === undefined ? undefined : this.#network.find(index, address, prefixLength);
    if (found === undefined) return this.#answer(absent);
    this.#network.take(found);
    return this.#answer(done);
  }

  addRoute(spec: RouteSpec): Promise<KernelOutcome> {
    const { interfaceName } = spec;
    const text = routeText(spec);
    if (interfaceName !== undefined) {
      const link = this.#network.linkByName(interfaceName);
      if (link === undefined) return this.#answer(outcomeOf(ENODEV));
      if (!link.isUp) return this.#answer(outcomeOf(ENETUNREACH));
    }
    if (this.#network.routes.has(text)) return this.#answer(exists);
    this.#network.routes.set(text, spec);
    return this.#answer(done);
  }

  deleteRoute(spec: RouteSpec): Promise<KernelOutcome> {
    return this.#answer(this.#network.routes.delete(routeText(spec)) ? done : absent);
  }

  addRule(spec: RuleSpec): Promise<KernelOutcome> {
    const priority = spec.priority ?? 0;
    if (this.#network.rules.has(priority)) return this.#answer(exists);
    this.#network.rules.add(priority);
    return this.#answer(done);
  }

  deleteRule(spec: RuleSpec): Promise<KernelOutcome> {
    return this.#answer(this.#network.rules.delete(spec.priority ?? 0) ? done : absent);
  }

  /** A thread that died is never answered. */
  #answer(outcome: KernelOutcome): Promise<KernelOutcome> {
    return new Promise((resolve) => {
      this.#timers.after(soon, () => {
        if (!this.#isClosed) resolve(outcome);
      });
    });
  }

  #deliver(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const event of waiting) {
      this.#apply(event);
      for (const listener of [...this.#listeners]) listener(event);
    }
  }

  #apply(event: NetworkEvent): void {
    switch (event.kind) {
      case 'link':
        this.#links = [
          ...this.#links.filter(({ index }) => index !== event.link.index),
          event.link,
        ];
        return;
      case 'linkGone':
        this.#links = this.#links.filter(({ index }) => index !== event.link.index);
        return;
      case 'address':
        this.#addresses = [...this.#addresses, event.address];
        return;
      case 'addressGone':
        this.#addresses = this.#addresses.filter((one) => one !== event.address);
        return;
      case 'resynced':
        return;
    }
  }
}

function routeText({ destination, prefixLength, gateway, table }: RouteSpec): string {
  const to = destination === undefined ? 'default' : `${formatIp(destination)}/${prefixLength}`;
  const via = gateway === undefined ? '' : ` via ${formatIp(gateway)}`;
  return `${to}${via} table ${table ?? 254}`;
}
