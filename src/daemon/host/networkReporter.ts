/**
 * Tells the sync worker what it must know of the network: our own addresses (their flows are never replicated), the
 * state of the sync links, and that an address or link went away, because then the kernel destroys flows in a mass.
 */
import { formatIp, type IpAddress } from '../../base/ipAddress.js';
import { milliseconds, seconds, type ArmedTimer, type Timers } from '../../base/time.js';
import type { NetworkEvent, NetworkWatch } from '../../net/ports.js';
import type { SyncCommand } from '../../sync/messages.js';

export interface ReporterOptions {
  readonly network: NetworkWatch;
  readonly timers: Timers;
  readonly post: (command: SyncCommand) => void;
  /** VIPs: ours even while another node holds them. */
  readonly virtualAddresses: () => readonly IpAddress[];
  readonly linkNames: () => readonly string[];
}

/** Several addresses come and go together. */
const gatheringTime = milliseconds(50);
/** The kernel destroys within milliseconds; the events may wait in a queue. */
const massDeleteWindow = seconds(2);

export class NetworkReporter {
  readonly #options: ReporterOptions;
  readonly #unsubscribe: () => void;
  #gathering: ArmedTimer | undefined;
  /** What was told of each sync link. */
  #told = new Map<string, string>();

  constructor(options: ReporterOptions) {
    this.#options = options;
    this.#unsubscribe = options.network.subscribe((event) => this.#changed(event));
  }

  /** To a worker that has just started. */
  tellAll(): void {
    this.#told.clear();
    this.#tellAddresses();
    this.#tellLinks();
  }

  /** To be called before VIPs are removed, too: then the worker knows it in time. */
  expectMassDelete(): void {
    this.#options.post({ kind: 'massDeleteExpected', for: massDeleteWindow });
  }

  close(): void {
    this.#unsubscribe();
    this.#gathering?.cancel();
  }

  #changed(event: NetworkEvent): void {
    if (event.kind === 'addressGone' || event.kind === 'linkGone') this.expectMassDelete();
    if (event.kind === 'link' && !event.link.isUp) this.expectMassDelete();
    if (event.kind === 'link' || event.kind === 'linkGone') {
      this.#tellLinks();
      return;
    }
    this.#gathering ??= this.#options.timers.after(gatheringTime, () => {
      this.#gathering = undefined;
      this.#tellAddresses();
    });
  }

  #tellAddresses(): void {
    const { network, virtualAddresses, post } = this.#options;
    const own = network.addresses().map((state) => state.address);
    const texts = [...own, ...virtualAddresses()].map(formatIp);
    post({ kind: 'ownAddresses', addresses: [...new Set(texts)] });
  }

  #tellLinks(): void {
    const { network, linkNames, post } = this.#options;
    for (const interfaceName of new Set(linkNames())) {
      const link = network.linkByName(interfaceName);
      const isUsable = link !== undefined && link.isUp && link.isRunning;
      const state = `${isUsable} ${link?.mtu ?? ''} ${link?.index ?? ''}`;
      if (this.#told.get(interfaceName) === state) continue;
      this.#told.set(interfaceName, state);
      post({
        kind: 'linkState',
        interfaceName,
        isUsable,
        ...(link === undefined ? {} : { mtu: link.mtu, index: link.index }),
      });
    }
  }
}
