/**
 * Two hosts with a VRRP daemon each, one or two networks between them, and a witness that captures.
 */
import type { Bridge } from '../../lab/bridge.js';
import type { Capture } from '../../lab/capture.js';
import type { Host } from '../../lab/host.js';
import type { Lab } from '../../lab/lab.js';
import { waitFor } from '../../lab/waitFor.js';
import type { InstanceSpec, NodeSpec } from './nodeSpec.js';
import { startPeer, type DaemonKind, type VrrpPeer } from './peers.js';

export type Side = 'a' | 'b';

export interface PairOptions {
  /** Makes host names unique in the lab: a letter or two. */
  readonly id: string;
  readonly kinds: Readonly<Record<Side, DaemonKind>>;
  readonly unicast?: boolean;
  readonly password?: string;
  /** Two instances, one per network, in a group G. */
  readonly grouped?: boolean;
  readonly version?: 2 | 3;
  readonly ipv6?: boolean;
  readonly priorities?: Readonly<Record<Side, number>>;
  /** For the instances of one side. */
  readonly extra?: Partial<Record<Side, Partial<InstanceSpec>>>;
  /** Further lines for the instances of both sides. */
  readonly instanceText?: string;
}

/** Counters of keepalived.stats that only a faulty peer can move. */
const errorLines =
  /^ +(Length|TTL|Invalid Type|Advertisement Interval|Address List|Type Mismatch|Failure): (\d+)$/gm;
/** What 2.2.7 logs about packets that its stats do not count. */
const errorPhrases =
  /Invalid VRRPv|wrong version|mismatch|unexpected|too (long|short)|invalid passwd/;

export class VrrpPair {
  readonly hosts: Readonly<Record<Side, Host>>;
  readonly networks: readonly Bridge[];
  readonly captures: readonly Capture[];
  readonly #options: PairOptions;
  readonly #peers: Partial<Record<Side, VrrpPeer>> = {};

  private constructor(
    options: PairOptions,
    hosts: Readonly<Record<Side, Host>>,
    networks: readonly Bridge[],
    captures: readonly Capture[],
  ) {
    this.#options = options;
    this.hosts = hosts;
    this.networks = networks;
    this.captures = captures;
  }

  static async build(lab: Lab, options: PairOptions): Promise<VrrpPair> {
    const [a, b] = await lab.hosts(`${options.id}a`, `${options.id}b`);
    if (a === undefined || b === undefined) throw new Error('no hosts');
    const networks: Bridge[] = [];
    const captures: Capture[] = [];
    for (const n of options.grouped === true ? [0, 1] : [0]) {
      const network = await lab.bridge(`${options.id}n${n}`);
      await network.attach(a, `eth${n}`, [addressOf(options, n, 'a')]);
      await network.attach(b, `eth${n}`, [addressOf(options, n, 'b')]);
      networks.push(network);
      captures.push(await b.capture(`eth${n}`, { filter: 'proto 112 or ip6 proto 112 or arp' }));
    }
    return new VrrpPair(options, { a, b }, networks, captures);
  }

  spec(side: Side): NodeSpec {
    const { grouped, unicast, version, priorities, password, extra, instanceText } = this.#options;
    const peer: Side = side === 'a' ? 'b' : 'a';
    const members = grouped === true ? [0, 1] : [0];
    return {
      ...(instanceText === undefined ? {} : { instanceText }),
      instances: members.map((n) => ({
        name: instanceName(n),
        interfaceName: `eth${n}`,
        vrid: 51 + n,
        priority: priorities?.[side] ?? (side === 'a' ? 150 : 100),
        vips: vipsOf(this.#options, n).map((vip) => `${vip}/${prefixOf(this.#options)}`),
        ...(version === undefined ? {} : { version }),
        ...(password === undefined ? {} : { password }),
        ...(unicast === true
          ? {
              source: hostAddress(this.#options, n, side),
              peers: [hostAddress(this.#options, n, peer)],
            }
          : {}),
        ...extra?.[side],
      })),
      ...(grouped === true ? { groups: [{ name: 'G', members: members.map(instanceName) }] } : {}),
    };
  }

  async start(side: Side): Promise<VrrpPeer> {
    const peer = await startPeer(this.#options.kinds[side], this.hosts[side], this.spec(side));
    this.#peers[side] = peer;
    return peer;
  }

  peer(side: Side): VrrpPeer {
    const peer = this.#peers[side];
    if (peer === undefined) throw new Error(`${side} was not started`);
    return peer;
  }

  /** Waits until every instance of `side` is in `state`, and its VIPs follow. */
  async settle(side: Side, state: string): Promise<void> {
    const members = this.#options.grouped === true ? [0, 1] : [0];
    for (const n of members) {
      await waitFor(async () => (await this.peer(side).state(instanceName(n))) === state, {
        description: `${this.#options.id}${side} ${instanceName(n)} to be ${state}`,
        interval: 200,
        timeout: 60_000,
      });
      for (const vip of vipsOf(this.#options, n)) {
        const wanted = state === 'MASTER';
        await waitFor(async () => (await this.hosts[side].hasAddress(vip)) === wanted, {
          description: `${vip} ${wanted ? 'on' : 'off'} ${side}`,
        });
      }
    }
  }

  /** Errors that the daemons themselves have counted or logged; empty when all is well. */
  async complaints(): Promise<readonly string[]> {
    const found: string[] = [];
    for (const [side, peer] of Object.entries(this.#peers)) {
      if (!peer.process.isRunning) continue;
      for (const [line, , count] of (await peer.stats()).matchAll(errorLines)) {
        if (count !== '0') found.push(`${side} (${peer.kind}): ${line.trim()}`);
      }
      if (peer.kind === 'keepalived') {
        const bad = peer.process.output.split('\n').filter((line) => errorPhrases.test(line));
        found.push(...bad.map((line) => `${side}: ${line}`));
      }
    }
    return found;
  }

  /** Adverts that tshark finds malformed or with a wrong checksum, and how many it saw in all. */
  async judgeCapture(): Promise<{ readonly adverts: number; readonly bad: readonly string[][] }> {
    const bad: string[][] = [];
    let adverts = 0;
    for (const capture of this.captures) {
      const fields = ['ip.src', 'vrrp.prio', 'vrrp.checksum', 'frame.number'];
      bad.push(
        ...(await capture.fields(fields, 'vrrp && (vrrp.checksum.status == 0 || _ws.malformed)')),
      );
      adverts += (await capture.fields(['frame.number'], 'vrrp')).length;
    }
    return { adverts, bad };
  }
}

export function instanceName(n: number): string {
  return n === 0 ? 'EXT' : 'INT';
}

function hostAddress({ ipv6 }: PairOptions, n: number, side: Side): string {
  const last = side === 'a' ? 1 : 2;
  return ipv6 === true ? `fd00:${n + 1}::${last}` : `10.${n}.0.${last}`;
}

function addressOf(options: PairOptions, n: number, side: Side): string {
  return `${hostAddress(options, n, side)}/${prefixOf(options)}`;
}

function prefixOf({ ipv6 }: PairOptions): number {
  return ipv6 === true ? 64 : 24;
}

export function vipsOf({ ipv6 }: PairOptions, n: number): readonly string[] {
  return ipv6 === true
    ? [`fe80::1${n}0`, `fd00:${n + 1}::100`]
    : [`10.${n}.0.100`, `10.${n}.0.101`];
}
