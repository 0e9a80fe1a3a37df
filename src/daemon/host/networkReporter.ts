/**
 * Tells the sync worker what it must know of the network: our own addresses (their flows are never
 * replicated), the state of the sync links, and that an address or link went away, because then the
 * kernel destroys flows in a mass.
 */
import { formatIp, type IpAddress } from '../../base/ipAddress.js';
import { milliseconds, seconds, type ArmedTimer, type Timers } from '../../base/time.js';
import type { NetworkEvent, NetworkWatch } from '../../net/ports.js';
import type { SyncCommand } from '../../sync/messages.js';

export interface ReporterPorts {
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
  readonly #ports: ReporterPorts;
  readonly #unsubscribe: () => void;
  #gathering: ArmedTimer | undefined;
  /** What was told of each sync link. */
  #sent = new Map<string, string>();

  constructor(ports: ReporterPorts) {
    this.#ports = ports;
    this.#unsubscribe = ports.network.subscribe((event) => this.#changed(event));
  }

  /** To a worker that has just started. */
  sendAll(): void {
    this.#sent.clear();
    this.#sendAddresses();
    this.#sendLinks();
  }

  /** To be called before VIPs are removed, too: then the worker knows it in time. */
  expectMassDelete(): void {
    this.#ports.post({ kind: 'massDeleteExpected', for: massDeleteWindow });
  }

  close(): void {
    this.#unsubscribe();
    this.#gathering?.cancel();
  }

  #changed(event: NetworkEvent): void {
    if (event.kind === 'addressGone' || event.kind === 'linkGone') this.expectMassDelete();
    if (event.kind === 'link' && !event.link.isUp) this.expectMassDelete();
    if (event.kind === 'link' || event.kind === 'linkGone') {
      this.#sendLinks();
      return;
    }
    this.#gathering ??= this.#ports.timers.after(gatheringTime, () => {
      this.#gathering = undefined;
      this.#sendAddresses();
    });
  }

  #sendAddresses(): void {
    const { network, virtualAddresses, post } = this.#ports;
    const own = network.addresses().map((state) => state.address);
    const texts = [...own, ...virtualAddresses()].map(formatIp);
    post({ kind: 'ownAddresses', addresses: [...new Set(texts)] });
  }

  #sendLinks(): void {
    const { network, linkNames, post } = this.#ports;
    for (const interfaceName of new Set(linkNames())) {
      const link = network.linkByName(interfaceName);
      const isUsable = link !== undefined && link.isUp && link.isRunning;
      const state = `${isUsable} ${link?.mtu ?? ''} ${link?.index ?? ''}`;
      if (this.#sent.get(interfaceName) === state) continue;
      this.#sent.set(interfaceName, state);
      post({
        kind: 'linkState',
        interfaceName,
        isUsable,
        ...(link === undefined ? {} : { mtu: link.mtu, index: link.index }),
      });
    }
  }
}
