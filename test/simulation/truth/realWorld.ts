/**
 * A real kernel as a world of scripts: a namespace that forwards between two others, whose packets
 * are made frame by frame. Needs root.
 */
import { systemClock, SystemTimers, systemTurns } from '../../../src/base/systemClock.js';
import { BatchedSocket } from '../../../src/net/socket/batchedSocket.js';
import { interfaceIndex } from '../../../src/net/socket/interfaceQuery.js';
import { withNetworkNamespace } from '../../../src/net/socket/networkNamespace.js';
import { AF_PACKET, packetSocketAddress, SOCK_RAW } from '../../../src/net/socket/sockaddr.js';
import { requireDone } from '../../../src/net/socket/outcome.js';
import { readFileSync } from 'node:fs';
import type { Host } from '../../lab/host.js';
import type { Lab } from '../../lab/lab.js';
import { sleep, waitFor } from '../../lab/waitFor.js';
import type { Tuple } from '../kernel/kernelPorts.js';
import { segment } from '../kernel/tcpTracking.js';
import { frameOf, tupleOfFrame } from './frames.js';
import type { RulesName, Side, SysctlName } from './script.js';
import {
  narrowPorts,
  natAddress,
  place,
  published,
  type ScriptPacket,
  type TruthWorld,
} from './truthWorld.js';

const ethernetIpv4 = 0x0800;
/** Where it cannot be hit by a window of 65,535 bytes. */
const farAway = 500_000_000;
const mac = (last: number): Uint8Array => Uint8Array.of(2, 0, 0, 0, 0, last);
const macs = {
  inside: { host: mac(1), router: mac(2) },
  outside: { host: mac(3), router: mac(4) },
} as const;
const macText = (bytes: Uint8Array): string =>
  [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(':');

/** Untracked, and forwarded: where it arrives, everything before it has arrived or was dropped. */
const sentinelHost = 99;

const rulesOf = (rules: RulesName): string => {
  const post = {
    plain: '',
    snat: `oifname "outside" snat to ${natAddress}`,
    narrow: `oifname "outside" meta l4proto { tcp, udp } snat to ${natAddress}:${narrowPorts.join('-')}`,
    masquerade: 'oifname "outside" masquerade',
    dnat: '',
    noNatChains: undefined,
    acceptInvalid: `oifname "outside" snat to ${natAddress}`,
  }[rules];
  const pre =
    rules === 'dnat'
      ? `iifname "outside" ip daddr ${natAddress} tcp dport ${published.port} dnat to ${published.server}:${published.serverPort}`
      : '';
  const nat =
    post === undefined
      ? ''
      : `table ip nat {
           chain pre { type nat hook prerouting priority -100; ${pre}; }
           chain post { type nat hook postrouting priority 100; ${post}; }
         }`;
  return `flush ruleset
    table inet filter {
      chain raw {
        type filter hook prerouting priority -300;
        ip daddr { ${place.inside.network}.${sentinelHost}, ${place.outside.network}.${sentinelHost} } notrack
      }
      chain forward {
        type filter hook forward priority 0; policy drop;
        ct state untracked accept
        ct state invalid ${rules === 'acceptInvalid' ? 'accept' : 'drop'}
        ct state established,related accept
        iifname "inside" ct state new accept
        ct status dnat ct state new accept
      }
      chain input { type filter hook input priority 0; policy drop; }
    }
    ${nat}`;
};

/** The namespaces: made once, used by one script after the other. */
export class RealLab {
  readonly #router: Host;
  readonly #sockets: Readonly<Record<Side, BatchedSocket>>;
  readonly #defaults = new Map<string, string>();

  private constructor(router: Host, sockets: Readonly<Record<Side, BatchedSocket>>) {
    this.#router = router;
    this.#sockets = sockets;
  }

  static async open(lab: Lab): Promise<RealLab> {
    const [router, client, server] = (await lab.hosts('router', 'client', 'server')) as [
      Host,
      Host,
      Host,
    ];
    const hosts = { inside: client, outside: server };
    for (const side of ['inside', 'outside'] as const) {
      await hosts[side].sysctl({ 'net.ipv6.conf.default.disable_ipv6': 1 });
      await lab.link(
        { host: router, name: side, mac: macText(macs[side].router) },
        { host: hosts[side], name: 'wire', mac: macText(macs[side].host) },
      );
    }
    await router.sysctl({ 'net.ipv4.ip_forward': 1 });
    const sockets = {
      inside: openFrames(client.namespacePath),
      outside: openFrames(server.namespacePath),
    };
    return new RealLab(router, sockets);
  }

  close(): void {
    for (const socket of Object.values(this.#sockets)) socket.close();
  }

  /** Rules, addresses, neighbours and sysctls as at first; an empty table. */
  async world(rules: RulesName): Promise<TruthWorld> {
    const router = this.#router;
    await router.nft(rulesOf(rules));
    const commands = [place.inside, place.outside].flatMap((side) => [
      `link set ${side.interfaceName} up`,
      `address replace ${side.router}/${side.prefixLength} dev ${side.interfaceName}`,
    ]);
    const neighbours = (['inside', 'outside'] as const).flatMap((side) =>
      [2, 3, 4, 8, 9, sentinelHost].map(
        (host) =>
          `neighbour replace ${place[side].network}.${host} lladdr ${macText(macs[side].host)} dev ${side} nud permanent`,
      ),
    );
    await router.ip(...commands, ...neighbours);
    for (const [name, value] of this.#defaults) await router.sysctl({ [name]: value });
    await router.sysctl({ 'net.netfilter.nf_conntrack_events': 1 });
    await router.exec(['conntrack', '-F']);
    return new RealWorld(this, router, this.#sockets);
  }

  async sysctl(name: SysctlName, value: number): Promise<void> {
    const key = `net.netfilter.nf_conntrack_${name}`;
    if (!this.#defaults.has(key)) {
      this.#defaults.set(key, (await this.#router.exec(['sysctl', '-n', key])).trim());
    }
    await this.#router.sysctl({ [key]: value });
  }
}

class RealWorld implements TruthWorld {
  readonly clock = systemClock;
  readonly timers = new SystemTimers();
  readonly turns = systemTurns;
  readonly largestTable = Number(readFileSync('/proc/sys/net/netfilter/nf_conntrack_max', 'utf8'));
  readonly #lab: RealLab;
  readonly #router: Host;
  readonly #sockets: Readonly<Record<Side, BatchedSocket>>;
  /** Next sequence number of each side, by connection. */
  readonly #sequences = new Map<string, Record<Side, number>>();
  /** The connection of whoever the server sees at an address and port. */
  readonly #clients = new Map<string, string>();
  #sentinels = 0;

  constructor(lab: RealLab, router: Host, sockets: Readonly<Record<Side, BatchedSocket>>) {
    this.#lab = lab;
    this.#router = router;
    this.#sockets = sockets;
  }

  enter<T>(open: () => T): T {
    return withNetworkNamespace(this.#router.namespacePath, open);
  }

  /** What did not arrive has not been sent for its sender: the next segment has its number. */
  async send(packet: ScriptPacket): Promise<Tuple | undefined> {
    const { from, tuple, tcpFlags, data } = packet;
    const to: Side = from === 'inside' ? 'outside' : 'inside';
    const answered = `${tuple.destination}:${tuple.destinationPort}`;
    const connection =
      from === 'outside' ? (this.#clients.get(answered) ?? packet.connection) : packet.connection;
    const counts = this.#sequences.get(connection) ?? { inside: 1_000, outside: 2_000 };
    this.#sequences.set(connection, counts);
    const sequence = counts[from] + (packet.again ? -1 : packet.outsideWindow ? farAway : 0);
    const acknowledgement = (tcpFlags & segment.ack) === 0 ? 0 : counts[to];
    const frame = { tuple, flags: tcpFlags, sequence, acknowledgement, scale: packet.scale, data };
    this.#put(from, frameOf(frame, ...ends(from)));
    const arrived = await this.#arrival(from, to);
    if (from === 'inside' && arrived !== undefined) {
      this.#clients.set(`${arrived.source}:${arrived.sourcePort}`, connection);
    }
    if (arrived !== undefined && !packet.again && !packet.outsideWindow) {
      counts[from] += data + ((tcpFlags & (segment.syn | segment.fin)) === 0 ? 0 : 1);
    }
    return arrived;
  }

  /** What came before the sentinel did. */
  async #arrival(from: Side, to: Side): Promise<Tuple | undefined> {
    const sourcePort = 1 + (this.#sentinels++ % 60_000);
    const sentinel: Tuple = {
      protocol: 17,
      source: `${place[from].network}.${sentinelHost}`,
      sourcePort,
      destination: `${place[to].network}.${sentinelHost}`,
      destinationPort: 9,
    };
    const none = { flags: 0, sequence: 0, acknowledgement: 0, scale: undefined, data: 0 };
    this.#put(from, frameOf({ tuple: sentinel, ...none }, ...ends(from)));
    let arrived: Tuple | undefined;
    const socket = this.#sockets[to];
    await waitFor(
      () => {
        while (socket.receive() > 0) {
          const seen = tupleOfFrame(socket.datagram(0));
          if (seen === undefined) continue;
          if (seen.destination === sentinel.destination) return seen.sourcePort === sourcePort;
          arrived = seen;
        }
        return false;
      },
      { description: 'the sentinel', interval: 1 },
    );
    return arrived;
  }

  #put(from: Side, frame: Uint8Array): void {
    requireDone('send a frame', this.#sockets[from].send(frame));
  }

  sysctl(name: SysctlName, value: number): Promise<void> {
    return this.#lab.sysctl(name, value);
  }

  async address(change: 'add' | 'delete', side: Side, address: string): Promise<void> {
    await this.#router.ip(`address ${change} ${address}/${place[side].prefixLength} dev ${side}`);
  }

  async link(side: Side, isUp: boolean): Promise<void> {
    await this.#router.ip(`link set ${side} ${isUp ? 'up' : 'down'}`);
  }

  wait(seconds: number): Promise<void> {
    return sleep(seconds * 1_000);
  }

  until<T>(work: Promise<T>): Promise<T> {
    return work;
  }
}

function ends(from: Side): [Uint8Array, Uint8Array] {
  return [macs[from].host, macs[from].router];
}

function openFrames(namespacePath: string): BatchedSocket {
  return withNetworkNamespace(namespacePath, () => {
    const opened = BatchedSocket.open({
      domain: AF_PACKET,
      type: SOCK_RAW,
      protocol: swapped(ethernetIpv4),
      cells: 1,
      cellBytes: 2_048,
    });
    if (opened.kind === 'refused') throw new Error(`no packet socket: errno ${opened.errno}`);
    const index = interfaceIndex(opened.socket, 'wire');
    if (index.kind === 'refused') throw new Error('no interface');
    requireDone('bind', opened.socket.bind(packetSocketAddress(ethernetIpv4, index.value)));
    return opened.socket;
  });
}

/** socket(2) wants the protocol in network order. */
const swapped = (value: number): number => ((value & 0xff) << 8) | (value >>> 8);
