/**
 * The kernel of one node, from one boot to the next power-off: connection tracking, ctnetlink,
 * links and addresses. See kernelPorts.ts for what it offers, README.md for what it leaves out.
 */
import { Conntrack } from './conntrack.js';
import { Expectations } from './expectations.js';
import type {
  ConntrackSysctls,
  ConntrackTimeouts,
  FlowView,
  KernelModel,
  KernelOptions,
  KernelThread,
  Packet,
  Ruleset,
  Tuple,
  Verdict,
} from './kernelPorts.js';
import type { NetlinkSocket } from './netlinkSocket.js';
import { Network } from './network.js';
import { Nfnetlink } from './nfnetlink.js';
import { PacketPath } from './packetPath.js';
import { tupleKey } from './tuple.js';

/** Seconds; the kernel's own (6.18). */
const defaultTimeouts: ConntrackTimeouts = {
  tcpSynSent: 120,
  tcpSynReceived: 60,
  tcpEstablished: 432_000,
  tcpFinWait: 120,
  tcpCloseWait: 60,
  tcpLastAck: 30,
  tcpTimeWait: 120,
  tcpClose: 10,
  tcpMaxRetransmissions: 300,
  tcpUnacknowledged: 300,
  udp: 30,
  udpStream: 120,
  icmp: 30,
  gre: 30,
  greStream: 180,
  generic: 600,
};

export const defaultSysctls = (): ConntrackSysctls => ({
  max: 262_144,
  events: 2,
  tcpLoose: true,
  tcpBeLiberal: false,
  timeouts: { ...defaultTimeouts },
});

/** No rule at all, yet the tracker works and chains of type nat are there. */
export const openRuleset: Ruleset = {
  accepts: () => true,
  destinationNat: () => undefined,
  sourceNat: () => undefined,
};

export class Kernel implements KernelModel {
  readonly sysctls: ConntrackSysctls;
  readonly network: Network;
  ruleset: Ruleset;
  readonly #conntrack: Conntrack;
  readonly #nfnetlink: Nfnetlink;
  readonly #path: PacketPath;

  constructor(options: KernelOptions) {
    const { clock, timers, random } = options;
    this.sysctls = { ...defaultSysctls(), ...options.sysctls };
    this.ruleset = options.ruleset ?? openRuleset;
    const { sysctls } = this;
    this.#conntrack = new Conntrack({
      clock,
      timers,
      random,
      sysctls,
      report: (flow, events, portId) => this.#nfnetlink.report(flow, events, portId),
      hasListener: () => this.#nfnetlink.hasFlowListener(),
      ended: (flow) => {
        expectations.masterEnded(flow);
      },
    });
    const conntrack = this.#conntrack;
    const expectations = new Expectations(conntrack, (group, message) => {
      this.#nfnetlink.reportExpectation(group, message);
    });
    this.#nfnetlink = new Nfnetlink({ conntrack, expectations, random, sysctls });
    this.network = new Network({
      masqueradeEnds: (isMeant) => {
        this.#flushMasquerade(isMeant);
      },
    });
    this.#path = new PacketPath({
      conntrack,
      random,
      sysctls,
      rules: () => this.ruleset,
      isLocal: (address) => this.network.hasAddress(address),
    });
  }

  get count(): number {
    return this.#conntrack.count;
  }

  packet(packet: Packet): Verdict {
    return this.#path.pass(packet);
  }

  *flows(): Iterable<FlowView> {
    const { now } = this.#conntrack;
    for (const flow of this.#conntrack.store.all()) if (flow.expiresAt > now) yield flow;
  }

  find(tuple: Tuple, zone = 0): FlowView | undefined {
    const flow = this.#conntrack.store.find(tupleKey(tuple, zone));
    return flow === undefined || flow.expiresAt <= this.#conntrack.now ? undefined : flow;
  }

  deleteFlow(tuple: Tuple, zone = 0): boolean {
    const flow = this.#conntrack.find(tupleKey(tuple, zone));
    if (flow !== undefined) this.#conntrack.delete(flow, foreignPort);
    return flow !== undefined;
  }

  flush(): void {
    for (const flow of [...this.#conntrack.store.all()]) this.#conntrack.delete(flow, foreignPort);
  }

  /** By the simulated addon, for the thread that runs. */
  openSocket(thread: KernelThread): NetlinkSocket {
    return this.#nfnetlink.open(thread);
  }

  closeSocketsOf(thread: KernelThread): void {
    this.#nfnetlink.closeAll((socket) => socket.thread === thread);
    this.network.threadEnded(thread);
  }

  powerOff(): void {
    this.#conntrack.powerOff();
    this.#nfnetlink.closeAll();
    this.network.powerOff();
  }

  #flushMasquerade(isMeant: (interfaceName: string, address: string) => boolean): void {
    for (const flow of [...this.#conntrack.store.all()]) {
      const { masqueradeInterface, reply } = flow;
      if (masqueradeInterface === undefined) continue;
      if (isMeant(masqueradeInterface, reply.destination)) this.#conntrack.delete(flow, 0);
    }
  }
}

/** nlmsg_pid of a `conntrack` command that somebody else runs. */
const foreignPort = 4_242;
