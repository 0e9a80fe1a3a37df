/** Obeys the main thread: one SyncCommand after the other, reports back through the engine's port. */
import { errorText } from '../../base/errors.js';
import { Lateness } from '../../base/lateness.js';
import { packageVersion } from '../../base/packageVersion.js';
import { millisecondsSince, seconds, subtractTime, type Microseconds } from '../../base/time.js';
import { Engine, type EnginePorts } from '../engine/engine.js';
import type { ClientServer } from '../client/clientServer.js';
import { handOverRefusal } from '../role/handOverCheck.js';
import type { SyncCommand, SyncStatus } from '../messages.js';
import { changesRole, RememberedRole, withoutYield } from '../role/rememberedRole.js';
import { serveRequest } from '../client/requests.js';
import { PeerLinks } from '../peerChannel/peerLinks.js';
import { openServers } from '../client/listingServers.js';
import { needsRestart } from '../engine/restartingSettings.js';
import { RoleWork } from '../role/roleWork.js';
import type { NodeRoles } from '../wire/peerRoles.js';
import { buildStatus, isPeerPresent, stateOf, type PeerView } from '../client/statusBuilder.js';
import type { SyncSettings } from '../settings.js';

const statusInterval = seconds(1);

type StartCommand = Extract<SyncCommand, { kind: 'start' }>;

export class Commands {
  readonly #ports: EnginePorts;
  #started: StartCommand | undefined;
  #engine: Engine | undefined;
  #roles: RoleWork | undefined;
  #peer: PeerLinks | undefined;
  #servers: readonly ClientServer[] = [];
  /** Of the engine's ticks, those of the last five seconds. */
  readonly #lateness = new Lateness(50);
  #inMaintenance = false;
  #nodeRoles: NodeRoles | undefined;
  #wasMasterUntil: Microseconds | undefined;
  #reportedAt: Microseconds | undefined;
  #lastState = '';
  /** Present while the engine is started afresh: commands wait for it, in their order. */
  #restart: Promise<void> | undefined;
  /** The last change of role, and what followed in that role. */
  readonly #role = new RememberedRole();

  constructor(ports: EnginePorts) {
    this.#ports = ports;
  }

  get engine(): Engine | undefined {
    return this.#engine;
  }

  /** Rejects only where the engine cannot start at all: the supervisor then starts another worker. */
  async obey(command: SyncCommand): Promise<void> {
    if (command.kind === 'start') {
      await this.#start(command);
      return;
    }
    while (this.#restart !== undefined) await this.#restart;
    if (isSaidToPeer(command)) {
      this.#tellPeer(command);
      return;
    }
    this.#role.note(command);
    const engine = this.#engine;
    if (engine === undefined || this.#roles === undefined) return;
    await this.#obeyRole(command, engine, this.#roles);
  }

  async #obeyRole(command: SyncCommand, engine: Engine, roles: RoleWork): Promise<void> {
    // What is committed in advance is no change of the role.
    if (changesRole(command) && command.kind !== 'preCommit') engine.check.roleChanged();
    switch (command.kind) {
      case 'preCommit':
        return roles.preCommit(command.epoch);
      case 'undoPreCommit':
        return roles.undoPreCommit(command.epoch);
      case 'becomeMaster':
        return roles.becomeMaster(command.epoch, command.preCommitted);
      case 'takeoverComplete':
        // A keepstate peer's flows stay: it says itself what it no longer has.
        return roles.takeoverComplete(command.epoch, !this.#isPeerKeepstate());
      case 'becomeBackup':
        return roles.becomeBackup(command);
      case 'becomeFault':
        return roles.becomeFault(command.epoch);
      case 'otherMasterHeard':
        roles.otherMasterHeard(command.epoch);
        return;
      case 'mergeAfterSplit':
        roles.mergeAfterSplit(command.epoch);
        return;
      case 'yieldIgnored':
        roles.yieldIgnored();
        return;
      case 'yieldUnproven':
        this.#peer?.channel.yields.abandon();
        return;
      default:
        return this.#obeyRest(command, engine);
    }
  }

  /** What this node says of itself; another engine says it again. */
  #tellPeer(command: SaidToPeer): void {
    if (command.kind === 'roles') this.#nodeRoles = command.roles;
    else if (command.kind === 'wasMaster') this.#wasMasterUntil = command.until;
    else this.#inMaintenance = command.on;
    const channel = this.#peer?.channel;
    channel?.setMaintenance(this.#inMaintenance);
    if (command.kind === 'roles') channel?.setRoles(command.roles);
    if (command.kind === 'wasMaster') channel?.comparison.wasMaster(command.until);
  }

  async #obeyRest(command: SyncCommand, engine: Engine): Promise<void> {
    switch (command.kind) {
      case 'massDeleteExpected':
        engine.feed.expectMassDelete(command.for);
        return;
      case 'ownAddresses':
        engine.setOwnAddresses(command.addresses);
        return;
      case 'linkState': {
        const { interfaceName, isUsable, mtu, index } = command;
        engine.links.linkState(interfaceName, isUsable, mtu, index);
        this.#peer?.interfaceIs(interfaceName, index);
        return;
      }
      case 'drain':
        return this.#drain(command.id, command.timeout, engine);
      case 'offerHandover':
        return this.#offerHandover(command.id, command.timeout);
      case 'answerHandover':
        this.#peer?.channel.answerOffer(command.ready, command.because);
        return;
      case 'handoverResigned':
        this.#peer?.channel.resigned();
        return;
      case 'request':
        // Whoever asks for figures gets those of now.
        if (command.request.verb === 'stats') this.#reportStatus();
        this.#result(command.id, await serveRequest(engine, command.request));
        return;
      case 'reconfigure':
        return this.#reconfigure(command.id, command.settings, engine);
      case 'stop':
        await this.#stop();
        this.#result(command.id, { ok: true, message: 'stopped', counts: {}, durationMs: 0 });
        return;
      default:
    }
  }

  async #start(command: StartCommand, predecessor?: Engine): Promise<void> {
    const { clock, report } = this.#ports;
    const startedAt = clock.now();
    const engine = new Engine(command.settings, this.#ports, predecessor);
    this.#started = command;
    this.#engine = engine;
    const { peerPort } = command.settings;
    if (peerPort !== undefined) this.#peer = new PeerLinks(engine, peerPort, packageVersion());
    this.#peer?.channel.setMaintenance(this.#inMaintenance);
    if (this.#nodeRoles !== undefined) this.#peer?.channel.setRoles(this.#nodeRoles);
    if (this.#wasMasterUntil !== undefined) {
      this.#peer?.channel.comparison.wasMaster(this.#wasMasterUntil);
    }
    this.#roles = new RoleWork(engine, this.#peer?.channel.yields, this.#role.epoch, (until) => {
      this.#wasMasterUntil = until;
      this.#peer?.channel.comparison.wasMaster(until);
    });
    this.#servers = openServers(engine, command, this.#ports, () => this.#status(engine));
    const filled = await engine.start();
    // Stopped meanwhile, or started afresh.
    if (this.#engine !== engine) return;
    report({ kind: 'ready', filled, durationMs: millisecondsSince(startedAt, clock) });
    engine.observe({
      tick: (now, due) => {
        this.#lateness.note(subtractTime(now, due));
        // Who may hand the role over goes by it, and nobody may take for equal what is not: a
        // change is told at once.
        const { kind, parity } = this.#peerView(engine);
        const state = `${stateOf(engine, now)} ${kind} ${parity} ${this.#peerRoles(now)}`;
        const isOld =
          this.#reportedAt === undefined || subtractTime(now, this.#reportedAt) >= statusInterval;
        if (state === this.#lastState && !isOld) return;
        this.#lastState = state;
        this.#reportStatus();
      },
    });
  }

  async #stop(): Promise<void> {
    this.#roles?.close();
    this.#peer?.close();
    this.#peer = undefined;
    for (const server of this.#servers) server.close();
    this.#servers = [];
    await this.#engine?.close();
    this.#engine = undefined;
    this.#roles = undefined;
  }

  /** What can be adopted is; anything else starts the engine afresh, which fills its caches again. */
  async #reconfigure(id: number, settings: SyncSettings, engine: Engine): Promise<void> {
    const startedAt = this.#ports.clock.now();
    const isRestarted = needsRestart(engine.settings, settings);
    if (isRestarted && this.#started !== undefined) {
      // What a takeover commits would be lost with the engine.
      await engine.commits.settled();
      if (this.#engine !== engine) return this.#reconfigureLater(id, settings);
      await this.#startAfresh({ ...this.#started, settings }, engine);
    } else engine.adopt(settings);
    this.#result(id, {
      ok: true,
      message: isRestarted ? 'the sync engine was started afresh' : 'adopted',
      counts: {},
      durationMs: millisecondsSince(startedAt, this.#ports.clock),
    });
  }

  /** Another restart or a stop came first. */
  async #reconfigureLater(id: number, settings: SyncSettings): Promise<void> {
    while (this.#restart !== undefined) await this.#restart;
    if (this.#engine !== undefined) await this.#reconfigure(id, settings, this.#engine);
  }

  async #startAfresh(start: StartCommand, before: Engine): Promise<void> {
    // A MASTER whose takeover is complete commits nothing any more: what the peer once filtered is out of date.
    const isComplete = this.#role.commands.some(({ kind }) => kind === 'takeoverComplete');
    const unfinished = isComplete || before.purge.due === undefined ? [] : this.#role.commands;
    const predecessor = isComplete ? undefined : before;
    const [role] = this.#role.commands;
    const yielded = this.#peer?.channel.yields.pending;
    const restart = this.#stop().then(() => {
      const started = this.#start(start, predecessor);
      this.#engine?.mastership.inherit(before.mastership);
      return started;
    });
    this.#restart = restart
      .catch(() => undefined)
      .then(() => {
        this.#restart = undefined;
      });
    await restart;
    await this.#restart;
    // A purge that was scheduled; a newer role, which came meanwhile, has a higher epoch and cancels it.
    for (const command of unfinished) {
      if (this.#engine !== undefined && this.#roles !== undefined) {
        await this.#obeyRole(withoutYield(command), this.#engine, this.#roles);
      }
    }
    if (yielded !== undefined && role === this.#role.commands[0])
      this.#peer?.channel.yields.resume(yielded);
  }

  async #drain(id: number, timeout: Microseconds, engine: Engine): Promise<void> {
    const { clock } = this.#ports;
    const startedAt = clock.now();
    const { transmitter } = engine.replicator;
    const refusal = await handOverRefusal(engine, this.#peer?.channel, timeout);
    this.#result(id, {
      ok: refusal === undefined,
      message: refusal ?? 'replication drained',
      counts: { waiting: transmitter.waiting, unacknowledged: transmitter.resend.flowCount },
      durationMs: millisecondsSince(startedAt, clock),
    });
  }

  async #offerHandover(id: number, timeout: Microseconds): Promise<void> {
    const startedAt = this.#ports.clock.now();
    const channel = this.#peer?.channel;
    const answer =
      channel === undefined
        ? { ready: false, because: 'the peer channel is off (peer_port)' }
        : await channel.offer(timeout);
    this.#result(id, {
      ok: answer.ready,
      message: answer.because,
      counts: {},
      durationMs: millisecondsSince(startedAt, this.#ports.clock),
    });
  }

  #isPeerKeepstate(): boolean {
    return this.#peer?.channel.isKeepstate(this.#ports.clock.now()) ?? false;
  }

  #peerRoles(now: Microseconds): string {
    const units = this.#peer?.channel.view(now, true).roles?.units ?? [];
    return units.map(({ state }) => state).join();
  }

  /** Without a peer channel nobody can tell what the peer is. */
  #peerView(engine: Engine): PeerView {
    const now = this.#ports.clock.now();
    const isHeard = isPeerPresent(engine, now);
    const view = this.#peer?.channel.view(now, isHeard) ?? {
      kind: isHeard ? 'conntrackd' : 'none',
      parity: 'unknown',
    };
    const refused = this.#peer?.refused;
    return refused === undefined ? view : { ...view, channelRefused: refused };
  }

  #reportStatus(): void {
    const engine = this.#engine;
    if (engine === undefined) return;
    const { clock, report, logger } = this.#ports;
    this.#reportedAt = clock.now();
    try {
      report({ kind: 'status', status: this.#status(engine) });
    } catch (error) {
      logger.log('error', 'cannot assemble the sync status', { because: errorText(error) });
    }
  }

  #status(engine: Engine): SyncStatus {
    const adopted = this.#peer?.channel.comparison.adopted;
    const now = this.#ports.clock.now();
    return buildStatus(engine, this.#peerView(engine), this.#lateness, now, adopted);
  }

  #result(
    id: number,
    outcome: {
      readonly ok: boolean;
      readonly message: string;
      readonly counts: Readonly<Record<string, number>>;
      readonly durationMs: number;
    },
  ): void {
    this.#ports.report({ kind: 'result', id, ...outcome });
  }
}

type SaidToPeer = Extract<SyncCommand, { kind: 'maintenance' | 'roles' | 'wasMaster' }>;

function isSaidToPeer(command: SyncCommand): command is SaidToPeer {
  return ['maintenance', 'roles', 'wasMaster'].includes(command.kind);
}
