/** The kernel's links and addresses in memory, behind the ports that watch and change them. */
import { formatIp, ipEquals, type IpAddress } from '../../../src/base/ipAddress.js';
import type {
  AddressSpec,
  AddressState,
  KernelOutcome,
  LinkState,
  NeighbourAnnouncer,
  NetworkControl,
  NetworkEvent,
  NetworkWatch,
  RouteSpec,
  RoutingLoss,
  RoutingWatch,
  RuleSpec,
  VrrpDatagram,
  VrrpSend,
  VrrpSocket,
  VrrpSocketFactory,
  VrrpSocketSpec,
} from '../../../src/net/ports.js';

const done: KernelOutcome = { kind: 'done' };
const networkUnreachable: KernelOutcome = {
  kind: 'refused',
  errno: 101,
  message: 'Network is unreachable',
};

/** `log` holds one line per operation, for order. */
export class FakeNetwork
  implements NetworkWatch, NetworkControl, NeighbourAnnouncer, VrrpSocketFactory
{
  readonly log: string[] = [];
  readonly sockets: FakeVrrpSocket[] = [];
  readonly routes = new Set<string>();
  readonly rules = new Set<number>();
  /** The loss of a route or rule, told by `lose`. */
  readonly routing: RoutingWatch & { lose: (loss: RoutingLoss) => void } = fakeRouting();
  #links: LinkState[] = [];
  #addresses: AddressState[] = [];
  readonly #listeners = new Set<(event: NetworkEvent) => void>();
  #nextIndex = 2;

  // ---- what happens to the kernel

  addLink(name: string): void {
    const link: LinkState = {
      index: this.#nextIndex++,
      name,
      mac: Uint8Array.of(2, 0, 0, 0, 0, 1),
      mtu: 1500,
      isUp: true,
      isRunning: true,
      isLoopback: false,
      carrierDownCount: 0,
    };
    this.#links.push(link);
    this.#emit({ kind: 'link', link });
  }

  removeLink(name: string): void {
    const link = this.linkByName(name);
    if (link === undefined) return;
    for (const one of this.#addresses.filter((address) => address.linkIndex === link.index)) {
      this.#drop(one);
    }
    this.#links = this.#links.filter((other) => other !== link);
    this.#emit({ kind: 'linkGone', link });
  }

  setRunning(name: string, isRunning: boolean): void {
    this.#links = this.#links.map((link) => (link.name === name ? { ...link, isRunning } : link));
    const link = this.linkByName(name);
    if (link !== undefined) this.#emit({ kind: 'link', link });
  }

  /** Somebody else sets an address. */
  give(name: string, address: IpAddress, prefixLength: number, flags = 0): void {
    const link = this.linkByName(name);
    if (link === undefined) throw new Error(`no link ${name}`);
    const state: AddressState = {
      linkIndex: link.index,
      address,
      prefixLength,
      peer: undefined,
      broadcast: undefined,
      label: undefined,
      scope: 0,
      flags,
      protocol: undefined,
    };
    this.#addresses.push(state);
    this.#emit({ kind: 'address', address: state });
  }

  /** Somebody else deletes an address. */
  take(address: IpAddress): void {
    for (const one of this.#addresses.filter((other) => ipEquals(other.address, address))) {
      this.#drop(one);
    }
  }

  has(address: IpAddress): boolean {
    return this.#addresses.some((one) => ipEquals(one.address, address));
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
    this.log.push(`add ${formatIp(spec.address)}`);
    const link = this.linkByName(spec.interfaceName);
    if (link === undefined) {
      return Promise.resolve({ kind: 'refused', errno: 19, message: 'No such device' });
    }
    if (this.has(spec.address)) return Promise.resolve({ kind: 'exists' });
    this.give(spec.interfaceName, spec.address, spec.prefixLength);
    return Promise.resolve(done);
  }

  deleteAddress(spec: AddressSpec): Promise<KernelOutcome> {
    this.log.push(`delete ${formatIp(spec.address)}`);
    if (!this.has(spec.address)) return Promise.resolve({ kind: 'absent' });
    this.take(spec.address);
    return Promise.resolve(done);
  }

  addRoute(spec: RouteSpec): Promise<KernelOutcome> {
    const text = routeText(spec);
    if (this.#links.some((link) => !link.isRunning)) return Promise.resolve(networkUnreachable);
    if (this.routes.has(text)) return Promise.resolve({ kind: 'exists' });
    this.log.push(`add route ${text}`);
    this.routes.add(text);
    return Promise.resolve(done);
  }

  deleteRoute(spec: RouteSpec): Promise<KernelOutcome> {
    const text = routeText(spec);
    if (!this.routes.delete(text)) return Promise.resolve({ kind: 'absent' });
    this.log.push(`delete route ${text}`);
    return Promise.resolve(done);
  }

  addRule(spec: RuleSpec): Promise<KernelOutcome> {
    const priority = spec.priority ?? 0;
    if (this.rules.has(priority)) return Promise.resolve({ kind: 'exists' });
    this.log.push(`add rule ${spec.priority ?? ''}`.trimEnd());
    this.rules.add(priority);
    return Promise.resolve(done);
  }

  deleteRule(spec: RuleSpec): Promise<KernelOutcome> {
    if (!this.rules.delete(spec.priority ?? 0)) return Promise.resolve({ kind: 'absent' });
    this.log.push(`delete rule ${spec.priority ?? ''}`.trimEnd());
    return Promise.resolve(done);
  }

  // ---- NeighbourAnnouncer and VrrpSocketFactory

  announce(_interfaceName: string, address: IpAddress): KernelOutcome {
    this.log.push(`garp ${formatIp(address)}`);
    return done;
  }

  open(spec: VrrpSocketSpec): { readonly socket: VrrpSocket } {
    const socket = new FakeVrrpSocket(spec, this.log);
    this.sockets.push(socket);
    return { socket };
  }

  #drop(address: AddressState): void {
    this.#addresses = this.#addresses.filter((other) => other !== address);
    this.#emit({ kind: 'addressGone', address });
  }

  #emit(event: NetworkEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

/** `waiting`: datagrams that only `drain` delivers, as after a stall. */
export class FakeVrrpSocket implements VrrpSocket {
  readonly spec: VrrpSocketSpec;
  readonly sent: VrrpSend[] = [];
  readonly waiting: VrrpDatagram[] = [];
  isClosed = false;
  /** What the kernel says to each send. */
  outcome: KernelOutcome = done;
  readonly #log: string[];
  #listener: (datagram: VrrpDatagram) => void = () => undefined;

  constructor(spec: VrrpSocketSpec, log: string[]) {
    this.spec = spec;
    this.#log = log;
  }

  onDatagram(listener: (datagram: VrrpDatagram) => void): void {
    this.#listener = listener;
  }

  drain(): void {
    for (const datagram of this.waiting.splice(0)) this.#listener(datagram);
  }

  deliver(datagram: VrrpDatagram): void {
    this.#listener(datagram);
  }

  send(request: VrrpSend): KernelOutcome {
    this.sent.push(request);
    this.#log.push(`advert ${request.payload[2] ?? 0}`);
    return this.outcome;
  }

  close(): void {
    this.isClosed = true;
  }
}

function fakeRouting(): RoutingWatch & { lose: (loss: RoutingLoss) => void } {
  const listeners = new Set<(loss: RoutingLoss) => void>();
  return {
    subscribe: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close: () => {
      listeners.clear();
    },
    lose: (loss) => {
      for (const listener of listeners) listener(loss);
    },
  };
}

function routeText(spec: RouteSpec): string {
  const destination = spec.destination === undefined ? 'default' : formatIp(spec.destination);
  return spec.gateway === undefined ? destination : `${destination} via ${formatIp(spec.gateway)}`;
}
