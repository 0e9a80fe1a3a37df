/**
 * The commands of the main thread, each with its handler; what they ask of the role goes to its
 * machine. While an engine is started afresh the commands wait, in their order.
 */
import { millisecondsSince, type Microseconds } from '../../base/time.js';
import { serveRequest } from '../client/requests.js';
import type { ServingPorts } from '../client/listingServers.js';
import type { Engine } from '../engine/engine.js';
import { needsRestart } from '../engine/restartingSettings.js';
import type { SyncCommand } from '../messages.js';
import type { NodeRole } from '../role/nodeRole.js';
import { handOverRefusal } from '../role/handOverCheck.js';
import type { StatisticsSettings, SyncSettings, WorkerSettings } from '../settings.js';
import type { EndedFlowLog } from '../statistics/endedFlowLog.js';
import { EngineSession, type Inheritance, type Said, type StartCommand } from './engineSession.js';
import { StatusReporter } from './statusReporter.js';

interface Outcome {
  readonly ok: boolean;
  readonly message: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly durationMs: number;
}

export interface CommandPorts extends ServingPorts {
  /** The log of connections that ended. */
  readonly openLog: (settings: StatisticsSettings) => EndedFlowLog;
}

/** All but the first one and `keys`; a kind that is missing here does not compile. */
type Handlers = {
  readonly [Kind in Exclude<SyncCommand['kind'], 'start' | 'startStatistics' | 'keys'>]: (
    command: Extract<SyncCommand, { kind: Kind }>,
    session: EngineSession,
  ) => void | Promise<void>;
};

export class Commands {
  readonly #ports: CommandPorts;
  readonly #status: StatusReporter;
  readonly #said: Said = { inMaintenance: false, roles: undefined };
  readonly #handlers: Handlers;
  #started: StartCommand | undefined;
  #session: EngineSession | undefined;
  /** Goes on while engines come and go. */
  #log: EndedFlowLog | undefined;
  /** Present while the engine is started afresh. */
  #restart: Promise<void> | undefined;

  constructor(ports: CommandPorts) {
    this.#ports = ports;
    this.#status = new StatusReporter(ports, () => this.#log);
    this.#handlers = this.#commandHandlers();
  }

  get engine(): Engine | undefined {
    return this.#session?.engine;
  }

  get role(): NodeRole | undefined {
    return this.#session?.role;
  }

  /**
   * Rejects only where the engine cannot start at all: the supervisor then starts another worker.
   */
  async handle(command: SyncCommand): Promise<void> {
    if (command.kind === 'keys') {
      this.#ports.sealing?.give(command.keys, command.isPeerSealed);
      return;
    }
    if (command.kind === 'startStatistics') return;
    if (command.kind === 'start') {
      if (command.statistics !== undefined) this.#log = this.#ports.openLog(command.statistics);
      return this.#start(command);
    }
    while (this.#restart !== undefined) await this.#restart;
    if (command.kind === 'maintenance') this.#said.inMaintenance = command.on;
    if (command.kind === 'roles') this.#said.roles = command.roles;
    const session = this.#session;
    if (session === undefined) return;
    // The table's type pairs each kind with its command.
    const handle = this.#handlers[command.kind] as (
      command: SyncCommand,
      session: EngineSession,
    ) => void | Promise<void>;
    await handle(command, session);
  }

  #commandHandlers(): Handlers {
    const { random } = this.#ports;
    const tellRole: RoleHandler = (command, { role }) => {
      role.input(command);
    };
    return {
      preCommit: tellRole,
      undoPreCommit: tellRole,
      becomeMaster: tellRole,
      takeoverComplete: tellRole,
      becomeBackup: ({ kind, epoch, peerHeard, yieldedAfter: masterFor }, { role }) => {
        const gaveWay =
          masterFor === undefined
            ? {}
            : { stepDown: { masterFor, token: random.below(0x1_0000_0000) } };
        role.input({ kind, epoch, peerHeard, ...gaveWay });
      },
      becomeFault: tellRole,
      otherMasterHeard: tellRole,
      mergeAfterSplit: tellRole,
      yieldIgnored: tellRole,
      yieldUnproven: tellRole,
      wasMaster: tellRole,
      maintenance: (_command, session) => {
        session.sayAll(this.#said);
      },
      roles: (_command, session) => {
        session.sayAll(this.#said);
      },
      tellTargets: ({ words }, { channel }) => {
        channel?.tellTargets(words);
      },
      massDeleteExpected: (command, { engine }) => {
        engine.feed.expectMassDelete(command.for);
      },
      ownAddresses: ({ addresses }, { engine }) => {
        engine.setOwnAddresses(addresses);
      },
      linkState: (command, session) => {
        session.linkState(command);
      },
      drain: ({ id, timeout }, session) => this.#drain(id, timeout, session),
      offerHandover: ({ id, timeout }, session) => this.#offerHandover(id, timeout, session),
      answerHandover: ({ ready, because }, { channel }) => {
        channel?.handOver.answer(ready, because);
      },
      handoverResigned: (_command, { channel }) => {
        channel?.handOver.resigned();
      },
      request: async ({ id, request }, session) => {
        // Whoever asks for figures gets those of now.
        if (request.verb === 'stats') this.#status.report(session);
        this.#result(id, await serveRequest(session, request));
      },
      reconfigure: ({ id, settings }) => this.#adopt(id, settings),
      reopenLogs: () => {
        this.#log?.reopen();
      },
      stop: async ({ id }, session) => {
        this.#session = undefined;
        await session.close();
        await this.#log?.close();
        this.#result(id, { ok: true, message: 'stopped', counts: {}, durationMs: 0 });
      },
    };
  }

  async #start(command: StartCommand, before?: Inheritance): Promise<void> {
    const { clock, report } = this.#ports;
    const startedAt = clock.now();
    this.#ports.sealing?.apply(command.settings.seal);
    const ports = this.#log === undefined ? this.#ports : { ...this.#ports, endedFlows: this.#log };
    const session = new EngineSession(command, ports, this.#said, this.#status, before);
    this.#log?.serve(() => session.serving);
    this.#started = command;
    this.#session = session;
    const filled = await session.begin();
    // Stopped meanwhile, or started afresh.
    if (this.#session !== session) return;
    report({ kind: 'ready', filled, durationMs: millisecondsSince(startedAt, clock) });
    session.reportStatus();
  }

  async #adopt(id: number, { sync, statistics }: WorkerSettings): Promise<void> {
    if (statistics !== undefined) await this.#log?.adopt(statistics);
    if (sync !== undefined) await this.#reconfigure(id, sync);
  }

  /**
   * What can be adopted is; anything else starts the engine afresh, which fills its caches again.
   */
  async #reconfigure(id: number, settings: SyncSettings): Promise<void> {
    const startedAt = this.#ports.clock.now();
    const result = (message: string): void => {
      const durationMs = millisecondsSince(startedAt, this.#ports.clock);
      this.#result(id, { ok: true, message, counts: {}, durationMs });
    };
    for (;;) {
      while (this.#restart !== undefined) await this.#restart;
      const session = this.#session;
      if (session === undefined || this.#started === undefined) return;
      if (!needsRestart(session.engine.settings, settings)) {
        this.#ports.sealing?.apply(settings.seal);
        session.engine.adopt(settings);
        result('adopted');
        return;
      }
      // What a takeover commits would be lost with the engine.
      await session.role.rest();
      // Another restart or a stop came first.
      if (!this.#isCurrent(session)) continue;
      await this.#startAfresh({ ...this.#started, settings }, session);
      result('the sync engine was started afresh');
      return;
    }
  }

  /** No other restart and no stop has begun. */
  #isCurrent(session: EngineSession): boolean {
    return this.#session === session && this.#restart === undefined;
  }

  async #startAfresh(start: StartCommand, session: EngineSession): Promise<void> {
    this.#session = undefined;
    const restart = session.close().then((before) => this.#start(start, before));
    this.#restart = restart
      .catch(() => undefined)
      .then(() => {
        this.#restart = undefined;
      });
    await restart;
  }

  async #drain(id: number, timeout: Microseconds, session: EngineSession): Promise<void> {
    const { clock } = this.#ports;
    const startedAt = clock.now();
    const { engine, channel } = session;
    const { transmitter } = engine.replicator;
    const refusal = await handOverRefusal(engine, channel, timeout);
    this.#result(id, {
      ok: refusal === undefined,
      message: refusal ?? 'replication drained',
      counts: { waiting: transmitter.waiting, unacknowledged: transmitter.resend.flowCount },
      durationMs: millisecondsSince(startedAt, clock),
    });
  }

  async #offerHandover(
    id: number,
    timeout: Microseconds,
    { channel }: EngineSession,
  ): Promise<void> {
    const startedAt = this.#ports.clock.now();
    const { ready: ok, because: message } =
      channel === undefined
        ? { ready: false, because: 'the peer channel is off (peer_port)' }
        : await channel.handOver.offer(timeout);
    const durationMs = millisecondsSince(startedAt, this.#ports.clock);
    this.#result(id, { ok, message, counts: {}, durationMs });
  }

  #result(id: number, outcome: Outcome): void {
    this.#ports.report({ kind: 'result', id, ...outcome });
  }
}

/** Commands that are events of the role machine as they are. */
type RoleHandler = (
  command: Extract<
    SyncCommand,
    {
      kind:
        | 'becomeFault'
        | 'becomeMaster'
        | 'mergeAfterSplit'
        | 'otherMasterHeard'
        | 'preCommit'
        | 'takeoverComplete'
        | 'undoPreCommit'
        | 'wasMaster'
        | 'yieldIgnored'
        | 'yieldUnproven';
    }
  >,
  session: EngineSession,
) => void;
