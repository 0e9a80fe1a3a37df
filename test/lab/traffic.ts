/** Starts the traffic programs of traffic/ in hosts and reads their reports. */
import type { Host } from './host.js';
import type { ManagedProcess } from './managedProcess.js';

/**
 * Of `tcpClients`. A survivor lost nothing: every message came back in order on an open connection.
 */
export interface TcpReport {
  readonly connections: number;
  readonly established: number;
  readonly survivors: number;
  readonly resets: number;
  readonly closed: number;
  readonly mismatches: number;
  readonly sent: number;
  readonly received: number;
  readonly longestSilenceMilliseconds: number;
  readonly errors: readonly string[];
}

export interface UdpReport {
  readonly sent: number;
  readonly received: number;
  readonly errors: number;
  readonly longestSilenceMilliseconds: number;
}

export interface BulkReport {
  readonly connections: number;
  readonly open: number;
  /** Uploads that the far end has to the last byte; downloads that went on moving at the end. */
  readonly whole: number;
  readonly bytes: number;
  readonly longestStallMilliseconds: number;
  readonly errors: readonly string[];
}

/** A running program of which `finish` makes a report. */
export class Traffic<Report> {
  readonly process: ManagedProcess;

  constructor(started: ManagedProcess) {
    this.process = started;
  }

  /** Ends the traffic and gives its report. */
  async finish(): Promise<Report> {
    this.process.write('finish\n');
    const exit = await this.process.exited();
    const last = this.process.jsonLines().at(-1);
    if (exit.code !== 0 || last === undefined) {
      throw new Error(`${this.process.command.join(' ')} failed:\n${this.process.output}`);
    }
    // The program's last line is its report; report.ts and this file are one contract.
    return last as Report;
  }
}

/** TCP and UDP echo on `port`, TCP discard on port + 1, TCP source on port + 2. */
export async function startServer(host: Host, port = 7000): Promise<ManagedProcess> {
  return ready(host.startTypescript('test/lab/traffic/server.ts', ['--port', String(port)]));
}

export interface TcpTraffic {
  readonly server: string;
  readonly count: number;
  readonly port?: number;
  /** Between two messages of one connection; 0 keeps it idle until the end. 50 unless given. */
  readonly intervalMilliseconds?: number;
  /** How long the end waits for the last echoes. */
  readonly settleMilliseconds?: number;
}

/** Resolves when all connections are established. */
export async function startTcp(host: Host, traffic: TcpTraffic): Promise<Traffic<TcpReport>> {
  const args = [
    ...['--host', traffic.server, '--count', String(traffic.count)],
    ...['--port', String(traffic.port ?? 7000)],
    ...['--interval', String(traffic.intervalMilliseconds ?? 50)],
    ...['--settle', String(traffic.settleMilliseconds ?? 20_000)],
  ];
  return new Traffic(await ready(host.startTypescript('test/lab/traffic/tcpClients.ts', args)));
}

/** Resolves at the first echo. */
export async function startUdpProbe(
  host: Host,
  server: string,
  intervalMilliseconds = 5,
  port = 7000,
): Promise<Traffic<UdpReport>> {
  const args = [
    '--host',
    server,
    '--interval',
    String(intervalMilliseconds),
    '--port',
    String(port),
  ];
  return new Traffic(await ready(host.startTypescript('test/lab/traffic/udpProbe.ts', args)));
}

/** Resolves when all transfers are connected. */
export async function startBulk(
  host: Host,
  server: string,
  options: {
    direction: 'up' | 'down';
    count?: number;
    megabytes?: number;
    port?: number;
    /** Of each connection; unlimited when absent. */
    kilobytesPerSecond?: number;
  },
): Promise<Traffic<BulkReport>> {
  const args = [
    ...['--host', server, '--direction', options.direction],
    ...['--count', String(options.count ?? 1), '--megabytes', String(options.megabytes ?? 0)],
    ...['--port', String(options.port ?? 7000), '--rate', String(options.kilobytesPerSecond ?? 0)],
  ];
  return new Traffic(await ready(host.startTypescript('test/lab/traffic/bulk.ts', args)));
}

async function ready(started: ManagedProcess): Promise<ManagedProcess> {
  await started.waitForOutput('"ready":true', { timeout: 60_000 });
  return started;
}

/**
 * Datagrams that reached the host and were dropped there, because a program of the test did not
 * read them in time: they are no loss of the network.
 */
export async function unreadDatagrams(host: Host): Promise<number> {
  const text = await host.exec(['cat', '/proc/net/snmp']);
  const [names = [], values = []] = text
    .split('\n')
    .filter((line) => line.startsWith('Udp:'))
    .map((line) => line.split(' '));
  return Number(values[names.indexOf('RcvbufErrors')] ?? NaN);
}
