/** Everything that must survive a takeover, started together and judged together. */
import { pairAddresses } from '../../lab/firewallPair.js';
import type { Host } from '../../lab/host.js';
import type { ManagedProcess } from '../../lab/managedProcess.js';
import {
  startBulk,
  startTcp,
  startUdpProbe,
  type BulkReport,
  type TcpReport,
  type Traffic,
  type UdpReport,
} from '../../lab/traffic.js';

export interface TrafficAmounts {
  /** Connections that send a numbered message every 50 ms. */
  readonly active: number;
  /** Connections that are silent from the start to the end. */
  readonly idle: number;
  /** Transfers in each direction. */
  readonly bulk: number;
}

/** One case per behaviour by default; the amounts of the acceptance list in the full run. */
export const trafficAmounts: TrafficAmounts =
  process.env['KEEPSTATE_FULL'] === '1'
    ? { active: 200, idle: 50, bulk: 10 }
    : { active: 40, idle: 10, bulk: 2 };

export interface ClusterTrafficReport {
  readonly active: TcpReport;
  readonly idle: TcpReport;
  readonly up: BulkReport;
  readonly down: BulkReport;
  readonly udp: UdpReport;
  readonly icmpAnswers: number;
}

export class ClusterTraffic {
  readonly amounts: TrafficAmounts;
  readonly #active: Traffic<TcpReport>;
  readonly #idle: Traffic<TcpReport>;
  readonly #up: Traffic<BulkReport>;
  readonly #down: Traffic<BulkReport>;
  readonly #udp: Traffic<UdpReport>;
  readonly #ping: ManagedProcess;

  private constructor(
    amounts: TrafficAmounts,
    tcp: readonly [Traffic<TcpReport>, Traffic<TcpReport>],
    bulk: readonly [Traffic<BulkReport>, Traffic<BulkReport>],
    udp: Traffic<UdpReport>,
    ping: ManagedProcess,
  ) {
    this.amounts = amounts;
    [this.#active, this.#idle] = tcp;
    [this.#up, this.#down] = bulk;
    this.#udp = udp;
    this.#ping = ping;
  }

  /** Resolves when every connection is established. */
  static async start(
    client: Host,
    amounts = trafficAmounts,
    server: string = pairAddresses.server,
  ): Promise<ClusterTraffic> {
    const { active, idle, bulk } = amounts;
    const limits = { count: bulk, kilobytesPerSecond: 500 };
    const ping = client.start(['ping', '-n', '-i', '0.1', server]);
    const [first, second, up, down, udp] = await Promise.all([
      startTcp(client, { server, count: active }),
      startTcp(client, { server, count: idle, intervalMilliseconds: 0 }),
      startBulk(client, server, { direction: 'up', ...limits }),
      startBulk(client, server, { direction: 'down', ...limits }),
      startUdpProbe(client, server),
    ]);
    await ping.waitForOutput('bytes from');
    return new ClusterTraffic(amounts, [first, second], [up, down], udp, ping);
  }

  /** TCP connections, which every configuration replicates. */
  get flows(): number {
    const { active, idle, bulk } = this.amounts;
    return active + idle + 2 * bulk;
  }

  async finish(): Promise<ClusterTrafficReport> {
    const udp = await this.#udp.finish();
    const [active, idle, up, down] = await Promise.all([
      this.#active.finish(),
      this.#idle.finish(),
      this.#up.finish(),
      this.#down.finish(),
    ]);
    this.#ping.signal('SIGINT');
    await this.#ping.exited();
    const icmpAnswers = this.#ping.stdout.split('bytes from').length - 1;
    return { active, idle, up, down, udp, icmpAnswers };
  }
}

/**
 * Every connection is there, complete and in order; none was reset; the transfers moved; the last
 * datagrams came.
 */
export function expectSurvival(
  report: ClusterTrafficReport,
  { active, idle, bulk }: TrafficAmounts,
): void {
  const whole = { resets: 0, closed: 0, mismatches: 0, errors: [] };
  expect(report).toMatchObject({
    active: { survivors: active, ...whole },
    idle: { survivors: idle, ...whole },
    up: { open: bulk, whole: bulk, errors: [] },
    down: { open: bulk, whole: bulk, errors: [] },
  });
}
