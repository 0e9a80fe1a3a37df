/**
 * One engine with what stands beside it: the role of this node, the conversation with the peer, the
 * servers.
 */
import { packageVersion } from '../../base/packageVersion.js';
import { subtractTime, toSeconds, type Microseconds } from '../../base/time.js';
import { answerClient } from '../client/clientRequests.js';
import type { RunningServer } from '../client/clientServer.js';
import { openServers, type ServingPorts } from '../client/listingServers.js';
import { buildStatus, isPeerPresent, stateOf } from '../client/statusBuilder.js';
import { Engine, type Predecessor } from '../engine/engine.js';
import type { SyncCommand, SyncStatus } from '../messages.js';
import type { PeerChannel } from '../peerChannel/peerChannel.js';
import { PeerLinks } from '../peerChannel/peerLinks.js';
import type { PeerView } from '../peerChannel/peerView.js';
import type { RolePeer } from '../role/engineHands.js';
import { NodeRole, type InheritedRole } from '../role/nodeRole.js';
import { LossRepair } from '../stream/lossRepair.js';
import type { NodeRoles } from '../wire/peerRoles.js';
import type { Serving } from '../statistics/endedFlowLog.js';
import type { StatusReporter } from './statusReporter.js';

export type StartCommand = Extract<SyncCommand, { kind: 'start' }>;

/** What the next engine takes along. */
export interface Inheritance {
  readonly role: InheritedRole;
  /** Absent where its tables are out of date. */
  readonly engine?: Predecessor;
}

/** What this node says of itself; each engine says it again. */
export interface Said {
  inMaintenance: boolean;
  roles: NodeRoles | undefined;
}

export class EngineSession {
  readonly engine: Engine;
  readonly role: NodeRole;
  readonly #ports: ServingPorts;
  readonly #peer: PeerLinks | undefined;
  readonly #servers: readonly RunningServer[];
  readonly #status: StatusReporter;
  readonly #hasRole: boolean;

  /** Builds and joins; `begin` fills the caches. Throws KernelError. */
  constructor(
    start: StartCommand,
    ports: ServingPorts,
    said: Said,
    status: StatusReporter,
    before?: Inheritance,
  ) {
    const { settings, records = false, hasRole = false } = start;
    this.#ports = ports;
    this.#hasRole = hasRole;
    this.#status = status;
    this.engine = new Engine(settings, ports, before?.engine);
    this.engine.observe(new LossRepair(this.engine));
    const record = (line: object): void => {
      ports.report({ kind: 'recorded', line });
    };
    this.role = new NodeRole(this.engine, before?.role, records ? record : undefined);
    if (settings.peerPort !== undefined) {
      this.#peer = new PeerLinks(this.engine, this.role, {
        port: settings.peerPort,
        version: packageVersion(),
        targetsTold: (words) => {
          ports.report({ kind: 'targetsTold', words });
        },
        stepDownAnswered: (merged) => {
          this.role.input({
            kind: 'stepDownAnswered',
            ...(merged === undefined ? {} : { merged }),
          });
        },
      });
    }
    this.sayAll(said);
    this.role.begin(rolePeer(this.channel));
    const { engine, role } = this;
    const startedAt = toSeconds(ports.clock.now());
    this.#servers = openServers(start, ports, (request) =>
      answerClient({ engine, role }, request, () => this.status(), startedAt),
    );
  }

  get channel(): PeerChannel | undefined {
    return this.#peer?.channel;
  }

  /**
   * Fills the internal cache and begins to replicate; number of flows. Rejects with KernelError.
   */
  begin(): Promise<number> {
    return this.engine.start();
  }

  /** Whose the connections are that end here; where no role drives the engine, this node's. */
  get serving(): Serving {
    const { role, isComplete } = this.role.state;
    const isMaster = role === 'MASTER';
    return { isServing: isMaster || !this.#hasRole, isTakingOver: isMaster && !isComplete };
  }

  /** From now on the main thread is told how it goes, at once where that changes. */
  reportStatus(): void {
    this.engine.observe({
      tick: (now, due) => {
        this.#status.tick(this, now, subtractTime(now, due));
      },
    });
  }

  sayAll({ inMaintenance, roles }: Said): void {
    this.channel?.setMaintenance(inMaintenance);
    if (roles !== undefined) this.channel?.setRoles(roles);
  }

  linkState(command: Extract<SyncCommand, { kind: 'linkState' }>): void {
    const { interfaceName, isUsable, mtu, index } = command;
    this.engine.links.linkState(interfaceName, isUsable, mtu, index);
    this.#peer?.interfaceIs(interfaceName, index);
  }

  status(): SyncStatus {
    const now = this.#ports.clock.now();
    const { engine, role } = this;
    const status = buildStatus(engine, role, this.#peerView(now), this.#status.lateness, now);
    const seal = this.#ports.sealing?.status();
    return seal === undefined ? status : { ...status, seal };
  }

  /**
   * What a change of is told at once: who may hand the role over goes by it, and nobody may take
   * for equal what is not.
   */
  summary(now: Microseconds): string {
    const { kind, parity, roles } = this.#peerView(now);
    const units = (roles?.units ?? []).map(({ state }) => state).join();
    return `${stateOf(this.engine, now)} ${kind} ${parity} ${units}`;
  }

  /**
   * Of a MASTER whose takeover is complete nothing is committed any more: what the peer once
   * filtered is out of date.
   */
  async close(): Promise<Inheritance> {
    const role = this.role.close();
    this.#peer?.close();
    for (const server of this.#servers) server.close();
    await this.engine.close();
    return role.state.isComplete ? { role } : { role, engine: this.engine };
  }

  /** Without a peer channel nobody can tell what the peer is. */
  #peerView(now: Microseconds): PeerView {
    const isHeard = isPeerPresent(this.engine, now);
    const view = this.channel?.view(now, isHeard) ?? {
      kind: isHeard ? 'conntrackd' : 'none',
      parity: 'unknown',
    };
    const refused = this.#peer?.refused;
    return refused === undefined ? view : { ...view, channelRefused: refused };
  }
}

function rolePeer(channel: PeerChannel | undefined): RolePeer | undefined {
  if (channel === undefined) return undefined;
  return {
    notices: channel.notices,
    isKeepstate: (now) => channel.isKeepstate(now),
    ability: () => channel.ability(),
    purge: (isOver) => channel.purge(isOver),
    wasMaster: (until) => {
      channel.wasMaster(until);
    },
  };
}
