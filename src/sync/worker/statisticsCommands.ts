/**
 * The worker of a node that has `Stats` and no `Sync`: the few commands of the main thread that
 * concern it. The others are about roles and peers, and none of them comes here.
 */
import { BugError } from '../../base/errors.js';
import { millisecondsSince, seconds, toSeconds, type ArmedTimer } from '../../base/time.js';
import type { RunningServer } from '../client/clientServer.js';
import { openServers, type ServerPorts } from '../client/listingServers.js';
import {
  answerStatisticsClient,
  serveStatisticsRequest,
  type ServedStatistics,
} from '../client/statisticsRequests.js';
import type { SyncCommand } from '../messages.js';
import type { KernelSettings, StatisticsSettings } from '../settings.js';
import type { EndedFlowLog } from '../statistics/endedFlowLog.js';
import { StatisticsEngine, type StatisticsEnginePorts } from '../statistics/statisticsEngine.js';
import { statisticsStatus } from '../statistics/statisticsStatus.js';

export interface StatisticsCommandPorts extends StatisticsEnginePorts, ServerPorts {
  readonly openLog: (settings: StatisticsSettings) => EndedFlowLog;
}

type StartCommand = Extract<SyncCommand, { kind: 'startStatistics' }>;

const statusInterval = seconds(1);

export class StatisticsCommands {
  readonly #ports: StatisticsCommandPorts;
  readonly #start: StartCommand;
  readonly #log: EndedFlowLog;
  /** Present once it hears the kernel. */
  #engine: StatisticsEngine | undefined;
  readonly #servers: readonly RunningServer[];
  #tick: ArmedTimer | undefined;
  #isStopped = false;

  constructor(start: StartCommand, ports: StatisticsCommandPorts) {
    this.#start = start;
    this.#ports = ports;
    this.#log = ports.openLog(start.statistics);
    const startedAt = toSeconds(ports.clock.now());
    this.#servers = openServers(start, ports, (request) => {
      const engine = this.#engine;
      return engine === undefined
        ? undefined
        : answerStatisticsClient(this.#served(engine), request, startedAt);
    });
  }

  /**
   * Rejects only where the engine cannot start at all: the supervisor then starts another worker.
   */
  async begin(): Promise<void> {
    const { clock, report } = this.#ports;
    const startedAt = clock.now();
    const filled = await this.#open(kernelOf(this.#start.statistics));
    report({ kind: 'ready', filled, durationMs: millisecondsSince(startedAt, clock) });
    this.#armTick();
  }

  async handle(command: SyncCommand): Promise<void> {
    const engine = this.#engine;
    if (engine === undefined) return;
    if (command.kind === 'reopenLogs') this.#log.reopen();
    else if (command.kind === 'reconfigure') {
      await this.#reconfigure(command.id, command.settings.statistics, engine);
    } else if (command.kind === 'request') {
      if (command.request.verb === 'stats') this.#reportStatus();
      const outcome = await serveStatisticsRequest(this.#served(engine), command.request);
      this.#ports.report({ kind: 'result', id: command.id, ...outcome });
    } else if (command.kind === 'stop') await this.#stop(command.id, engine);
  }

  #open(kernel: KernelSettings): Promise<number> {
    const engine = new StatisticsEngine(kernel, this.#ports, this.#log);
    this.#engine = engine;
    return engine.start();
  }

  #served(engine: StatisticsEngine): ServedStatistics {
    return { engine, log: this.#log };
  }

  /** Another filter or limit needs another table; where the log goes is changed in place. */
  async #reconfigure(
    id: number,
    settings: StatisticsSettings | undefined,
    engine: StatisticsEngine,
  ): Promise<void> {
    if (settings === undefined) return;
    await this.#log.adopt(settings);
    const kernel = kernelOf(settings);
    const isSame = JSON.stringify(kernel) === JSON.stringify(engine.settings);
    if (!isSame) {
      engine.close();
      await this.#open(kernel);
    }
    this.#result(id, isSame ? 'adopted' : 'the log of ended connections was started afresh');
  }

  async #stop(id: number, engine: StatisticsEngine): Promise<void> {
    this.#isStopped = true;
    this.#tick?.cancel();
    this.#engine = undefined;
    for (const server of this.#servers) server.close();
    engine.close();
    await this.#log.close();
    this.#result(id, 'stopped');
  }

  #armTick(): void {
    if (this.#isStopped) return;
    this.#reportStatus();
    this.#tick = this.#ports.timers.after(statusInterval, () => {
      this.#engine?.tick();
      this.#armTick();
    });
  }

  #reportStatus(): void {
    const { clock, report } = this.#ports;
    const status = statisticsStatus(this.#log, clock.now(), this.#engine?.capture);
    report({ kind: 'statistics', status });
  }

  #result(id: number, message: string): void {
    const { report } = this.#ports;
    report({ kind: 'result', id, ok: true, message, counts: {}, durationMs: 0 });
  }
}

/** The main thread starts this worker with both halves. */
function kernelOf({ kernel }: StatisticsSettings): KernelSettings {
  if (kernel !== undefined) return kernel;
  throw new BugError('a worker without Sync was given no settings of the kernel');
}
