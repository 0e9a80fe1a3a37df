/** Whose datagrams and connections are taken on a link; the others are counted and named. */
import { networkInterfaces } from 'node:os';
import { formatIp, inPrefix, ipEquals, parseIp, type IpAddress } from '../base/ipAddress.js';
import { seconds, subtractTime, type Clock, type Microseconds } from '../base/time.js';
import type { SyncLink } from './settings.js';

interface Network {
  readonly address: IpAddress;
  readonly prefixLength: number;
}

const readAgainAfter = seconds(1);

export class LinkSources {
  strangers = 0;
  lastStranger: string | undefined;
  readonly #acceptAny: boolean;
  readonly #clock: Clock;
  #networks: { readonly at: Microseconds; readonly byInterface: ReadonlyMap<string, Network[]> };

  constructor(acceptAny: boolean, clock: Clock) {
    this.#acceptAny = acceptAny;
    this.#clock = clock;
    this.#networks = { at: clock.now(), byInterface: interfaceNetworks() };
  }

  /** The peer's address, or one in a network of the link's interface, also a new one; strangers are counted. */
  admits(settings: SyncLink, source: IpAddress): boolean {
    if (this.#isFromPeer(settings, source) || this.#isFromPeerNow(settings, source)) return true;
    this.strangers++;
    this.lastStranger = formatIp(source);
    return false;
  }

  #isFromPeer(settings: SyncLink, source: IpAddress): boolean {
    if (this.#acceptAny) return true;
    if (settings.kind !== 'multicast' && ipEquals(settings.destination, source)) return true;
    const networks = this.#networks.byInterface.get(settings.interfaceName) ?? [];
    return networks.some(({ address, prefixLength }) => inPrefix(source, address, prefixLength));
  }

  /** Looked up again once a second at most. */
  #isFromPeerNow(settings: SyncLink, source: IpAddress): boolean {
    const now = this.#clock.now();
    if (subtractTime(now, this.#networks.at) < readAgainAfter) return false;
    this.#networks = { at: now, byInterface: interfaceNetworks() };
    return this.#isFromPeer(settings, source);
  }
}

function interfaceNetworks(): ReadonlyMap<string, Network[]> {
  const networks = new Map<string, Network[]>();
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    const list: Network[] = [];
    for (const { cidr } of addresses ?? []) {
      const [text = '', length = ''] = (cidr ?? '').split('/');
      const address = parseIp(text);
      if (address !== undefined) list.push({ address, prefixLength: Number(length) });
    }
    networks.set(name, list);
  }
  return networks;
}
