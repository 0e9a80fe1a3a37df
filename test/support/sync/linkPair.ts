/**
 * Two hosts with two dedicated links, `sync1` and `sync2` (the default), a keepstate engine on each
 * that watches its interfaces, and flows that come and go on `a` while links fail.
 */
import type { Host } from '../../lab/host.js';
import type { Lab } from '../../lab/lab.js';
import { sleep, waitFor } from '../../lab/waitFor.js';
import { seconds } from '../../../src/base/time.js';
import type { SyncSettings } from '../../../src/sync/settings.js';
import { ConntrackInjector } from '../conntrack/ctInjector.js';
import { settingsOf, SyncNode, type LinkOptions } from './node.js';

export type LinkKind = LinkOptions['kind'];

/** The two links as `own` (1 or 2) sees them. */
export function twoLinks(kind: LinkKind, own: 1 | 2): LinkOptions[] {
  const other = own === 1 ? 2 : 1;
  return [1, 2].map((n) => ({
    kind,
    local: `10.99.${n}.${own}`,
    destination: kind === 'multicast' ? `225.0.0.5${n}` : `10.99.${n}.${other}`,
    // conntrackd's manual: another group for each link. With one port both its sockets take what
    // comes on either.
    ...(kind === 'multicast' ? { port: 3779 + n } : {}),
    interfaceName: `sync${n}`,
    isDefault: n === 2,
  }));
}

export async function cableTwice(lab: Lab): Promise<readonly [Host, Host]> {
  const [a, b] = (await lab.hosts('a', 'b')) as [Host, Host];
  for (const n of [1, 2]) {
    await lab.link(
      { host: a, name: `sync${n}`, addresses: [`10.99.${n}.1/24`] },
      { host: b, name: `sync${n}`, addresses: [`10.99.${n}.2/24`] },
    );
  }
  return [a, b];
}

/** Creates and ends flows on a host until it is stopped; says how many live then. */
export class Churn {
  readonly #injector: ConntrackInjector;
  #isStopped = false;
  #rounds = 0;
  readonly #ended: Promise<void>;

  constructor(host: Host, base: number) {
    this.#injector = ConntrackInjector.open(host.namespacePath);
    this.#ended = this.#run(base);
  }

  async #run(base: number): Promise<void> {
    const change = (action: 'create' | 'delete', round: number): void => {
      const options = { count: 20, base: base + round * 20, timeoutSeconds: 3_000 };
      this.#injector.inject({ ...options, action });
    };
    while (!this.#isStopped) {
      change('create', this.#rounds);
      // A few hundred live at a time.
      if (this.#rounds >= 20) change('delete', this.#rounds - 20);
      this.#rounds++;
      await sleep(20);
    }
  }

  /** Flows that live. */
  async stop(): Promise<number> {
    this.#isStopped = true;
    await this.#ended;
    this.#injector.close();
    return Math.min(this.#rounds, 20) * 20;
  }
}

export class LinkPair {
  readonly hosts: readonly [Host, Host];
  readonly nodes: [SyncNode, SyncNode];
  readonly #start: (which: 0 | 1) => Promise<SyncNode>;

  private constructor(
    hosts: readonly [Host, Host],
    nodes: [SyncNode, SyncNode],
    start: (which: 0 | 1) => Promise<SyncNode>,
  ) {
    this.hosts = hosts;
    this.nodes = nodes;
    this.#start = start;
  }

  /** `linkCount` 1 leaves `sync2` unused. */
  static async start(
    lab: Lab,
    kind: LinkKind,
    changes: Partial<SyncSettings> = {},
    linkCount = 2,
  ): Promise<LinkPair> {
    const linksOf = (own: 1 | 2): LinkOptions[] => twoLinks(kind, own).slice(0, linkCount);
    return LinkPair.between(await cableTwice(lab), linksOf, changes);
  }

  /** Over any links. */
  static async between(
    hosts: readonly [Host, Host],
    linksOf: (own: 1 | 2) => readonly LinkOptions[],
    changes: Partial<SyncSettings> = {},
  ): Promise<LinkPair> {
    const start = (which: 0 | 1): Promise<SyncNode> => {
      const settings = settingsOf(linksOf(which === 0 ? 1 : 2), {
        nodeName: which === 0 ? 'a' : 'b',
        ...changes,
      });
      return SyncNode.start(hosts[which], settings, true);
    };
    return new LinkPair(hosts, [await start(0), await start(1)], start);
  }

  /** In place of one that has ended. */
  async startAgain(which: 0 | 1): Promise<void> {
    this.nodes[which] = await this.#start(which);
  }

  /** What `a` holds is at `b`. Milliseconds that it took. */
  async equal(): Promise<number> {
    const startedAt = performance.now();
    await waitFor(
      async () => {
        const [a, b] = [await this.nodes[0].digest(), await this.nodes[1].digest()];
        const [kernel] = [Number(await this.hosts[0].exec(['conntrack', '-C']))];
        expect(b.external).toEqual(a.internal);
        expect(a.internal[0]).toBeGreaterThan(0);
        expect(kernel).toBeGreaterThanOrEqual(a.internal[0] ?? 0);
        return true;
      },
      { description: 'equal caches', timeout: 60_000 },
    );
    return Math.round(performance.now() - startedAt);
  }

  async activeLink(which: 0 | 1): Promise<string | undefined> {
    await this.nodes[which].request({ verb: 'stats' });
    return this.nodes[which].status?.links.find(({ isActive }) => isActive)?.interfaceName;
  }

  async bothUse(interfaceName: string): Promise<void> {
    await waitFor(
      async () =>
        (await this.activeLink(0)) === interfaceName &&
        (await this.activeLink(1)) === interfaceName,
      { description: `both to use ${interfaceName}` },
    );
  }

  /**
   * A question goes over the peer channel and arrives. It is asked anew until it does: a peer that
   * has just begun may not have been met yet, and an offer lasts for its second only.
   */
  async peerChannelWorks(): Promise<void> {
    for (const [from, to] of [
      [0, 1],
      [1, 0],
    ] as const) {
      const before = this.nodes[to].reports('handoverOffered').length;
      let id = 1_000 + before;
      await waitFor(
        () => {
          if (this.nodes[to].reports('handoverOffered').length > before) return true;
          this.nodes[from].command({ kind: 'offerHandover', id: id++, timeout: seconds(1) });
          return false;
        },
        { description: 'the peer channel to carry an offer', interval: 1_000 },
      );
    }
  }
}
