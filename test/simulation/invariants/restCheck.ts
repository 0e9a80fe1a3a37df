/**
 * What must be so once the world was quiet for a while: roles, caches beside kernels and beside
 * each other, what status says, and that everybody was answered.
 */
import type { StatusAnswer } from '../../../src/control/statusAnswer.js';
import type { Engine } from '../../../src/sync/engine/engine.js';
import type { Cluster } from '../cluster.js';
import { virtualAddress, type ClusterSettings } from '../node/configuration.js';
import type { Machine } from '../node/machine.js';
import type { World } from '../world/world.js';
import type { FlowWitness } from './flowWitness.js';
import { hasClash } from './clash.js';
import { keyOfTuple, keysOfTable } from './cacheKeys.js';
import type { PromiseName } from './promises.js';

/** What a command may take: a commit of a full table, and the hand-over before a stop. */
const longestAnswer = 20_000_000;
const mostTimers = 200;
const mostShown = 4;
/** News that status keeps for a minute, or until they are acknowledged (docs/problems.md). */
const remembered: ReadonlySet<string> = new Set([
  'checksum',
  'sync-stranger',
  'commit',
  'commit-incomplete',
  'split',
]);

export class RestCheck {
  readonly #world: World;
  readonly #cluster: Cluster;
  readonly #flows: FlowWitness;
  readonly #settings: ClusterSettings;
  #statuses: (StatusAnswer | undefined)[] = [];

  constructor(world: World, cluster: Cluster, flows: FlowWitness, settings: ClusterSettings) {
    this.#world = world;
    this.#cluster = cluster;
    this.#flows = flows;
    this.#settings = settings;
  }

  /** Asks both nodes; to be called a second before `judge`. */
  ask(): void {
    this.#statuses = this.#cluster.machines.map(() => undefined);
    for (const [index, machine] of this.#cluster.machines.entries()) {
      machine.process?.ask({ verb: 'status' }, (answer) => {
        // A status is answered with a status.
        if (answer.ok) this.#statuses[index] = answer.result as StatusAnswer;
      });
    }
  }

  judge(): void {
    this.#flows.look();
    this.#roles();
    this.#caches();
    this.#status();
    this.#requests();
    this.#bounds();
    this.#clients();
  }

  #violate(name: PromiseName, text: string): void {
    this.#world.violate(name, text);
  }

  #roles(): void {
    const roles = this.#cluster.machines.map(
      ({ process }) => process?.node?.router.roles().units[0]?.state ?? 'none',
    );
    if ([...roles].sort().join() !== 'BACKUP,MASTER') {
      this.#violate('one-master', `the nodes are ${roles.join(' and ')}`);
    }
    for (const [index, machine] of this.#cluster.machines.entries()) {
      for (const address of Object.values(virtualAddress)) {
        const has = machine.kernel?.network.hasAddress(address) === true;
        if (has === (roles[index] === 'MASTER')) continue;
        const text = `${machine.name} is ${roles[index] ?? ''} and ${has ? 'has' : 'lacks'} ${address}`;
        this.#violate('one-master', text);
      }
    }
  }

  #caches(): void {
    const engines = this.#cluster.machines.map(engineOf);
    for (const [index, machine] of this.#cluster.machines.entries()) {
      const engine = engines[index];
      const peer = engines[1 - index];
      if (engine === undefined || peer === undefined) {
        this.#violate('status-true', `${machine.name} has no engine at rest`);
        continue;
      }
      const { disableInternalCache, disableExternalCache, mode } = this.#settings;
      const kernel = kernelKeys(machine);
      if (disableExternalCache && !disableInternalCache) {
        this.#injected(machine, kernel, peer);
        continue;
      }
      if (disableInternalCache) continue;
      const internal = keysOfTable(engine.internal.table);
      this.#equal('cache-is-kernel', this.#wanted(internal, machine), this.#wanted(kernel), {
        one: `the internal cache of ${machine.name}`,
        other: 'its kernel',
      });
      if (disableExternalCache || mode === 'ALARM') continue;
      this.#equal('caches-equal', keysOfTable(peer.external.table), internal, {
        one: 'the external cache of the peer',
        other: `the internal one of ${machine.name}`,
      });
    }
  }

  /** DisableExternalCache: what the MASTER has is in the kernel of the BACKUP. */
  #injected(machine: Machine, kernel: ReadonlySet<string>, peer: Engine): void {
    if (machine.process?.node?.router.roles().units[0]?.state !== 'BACKUP') return;
    const told = this.#wanted(keysOfTable(peer.internal.table), machine);
    const missing = [...told].filter((key) => !kernel.has(key));
    if (missing.length === 0) return;
    const some = missing.slice(0, mostShown).join('; ');
    const text = `the kernel of ${machine.name} lacks ${missing.length} flows of the MASTER: ${some}`;
    this.#violate('caches-equal', text);
  }

  /** A kernel collects what has run out when it comes to it: only flows that live are compared. */
  #wanted(keys: ReadonlySet<string>, machine?: Machine): Set<string> {
    const wanted = this.#cluster.clients.flows.filter(
      (flow) =>
        flow.isWanted &&
        this.#flows.isHeld(flow) &&
        !(machine !== undefined && this.#flows.ranOut(flow, machine)),
    );
    return new Set(wanted.map(({ tuple }) => keyOfTuple(tuple)).filter((key) => keys.has(key)));
  }

  #equal(
    name: PromiseName,
    one: ReadonlySet<string>,
    other: ReadonlySet<string>,
    called: { readonly one: string; readonly other: string },
  ): void {
    const more = [...one].filter((key) => !other.has(key));
    const less = [...other].filter((key) => !one.has(key));
    if (more.length === 0 && less.length === 0) return;
    const some = [...more, ...less].slice(0, mostShown).join('; ');
    const counts = `${more.length} more and ${less.length} fewer`;
    this.#violate(name, `${called.one} has ${counts} than ${called.other}: ${some}`);
  }

  #status(): void {
    for (const [index, machine] of this.#cluster.machines.entries()) {
      const status = this.#statuses[index];
      if (status === undefined) {
        this.#violate('answered', `${machine.name} does not answer status`);
        continue;
      }
      const role = machine.process?.node?.router.roles().units[0]?.state;
      if (status.role !== role) {
        this.#violate(
          'status-true',
          `${machine.name} says ${status.role} and is ${role ?? 'gone'}`,
        );
      }
      this.#syncStatus(machine, status);
      const now = status.problems.filter(
        ({ code, ended }) => ended === undefined && !remembered.has(code),
      );
      for (const { code, text } of now) {
        this.#violate('no-false-problem', `${machine.name}: ${code}: ${text}`);
      }
    }
  }

  #syncStatus(machine: Machine, { sync }: StatusAnswer): void {
    if (sync === undefined) return;
    const [one, other] = this.#cluster.machines;
    const peer = machine === one ? other : one;
    const role = peer.process?.node?.router.roles().units[0]?.state;
    if (sync.state !== 'synchronised') {
      this.#violate('status-true', `${machine.name} is ${sync.state} at rest`);
    }
    if (sync.peer.role !== role) {
      const text = `${machine.name} says that its peer is ${sync.peer.role}; it is ${role ?? 'gone'}`;
      this.#violate('status-true', text);
    }
    const { disableExternalCache, disableInternalCache, mode } = this.#settings;
    const compares = !disableExternalCache && !disableInternalCache && mode !== 'ALARM';
    if (compares && sync.parity !== 'equal') {
      const because = sync.parityBecause ?? '';
      this.#violate('status-true', `${machine.name}: parity is ${sync.parity} at rest ${because}`);
    }
  }

  #requests(): void {
    const now = this.#world.now();
    for (const { node, text, at, process, answeredAt } of this.#cluster.asked) {
      if (answeredAt !== undefined || now - at < longestAnswer) continue;
      const isThere = this.#cluster.machines.some((machine) => machine.process === process);
      if (isThere) this.#violate('answered', `${node} was asked «${text}» and says nothing`);
    }
  }

  #bounds(): void {
    for (const machine of this.#cluster.machines) {
      const { process } = machine;
      if (process === undefined) continue;
      const { worker, main } = process;
      const armed = Math.max(main.armed, worker?.thread.armed ?? 0);
      if (armed > mostTimers) {
        this.#violate('bounded', `${machine.name} has ${armed} timers armed at rest`);
      }
      const transmitter = engineOf(machine)?.replicator.transmitter;
      const waiting = transmitter?.waiting ?? 0;
      if (waiting > mostTimers) {
        this.#violate('bounded', `${machine.name} has ${waiting} messages to send at rest`);
      }
    }
  }

  /** Each flow that is wanted, and that some kernel holds, gets an answer. */
  #clients(): void {
    for (const flow of this.#cluster.clients.flows) {
      const { number } = flow.spec;
      if (flow.stage === 'reset') {
        if (this.#flows.excuseOf(flow) === undefined) {
          this.#violate('flow-answered', `flow ${number}: the server does not know it any more`);
        }
        continue;
      }
      if (!flow.isWanted || this.#flows.excuseOf(flow) !== undefined) continue;
      if (flow.use() || flow.use() || hasClash(this.#cluster.machines, flow.tuple)) continue;
      const copies = this.#cluster.machines.map(({ name, kernel }) => {
        const reply = kernel?.find(flow.tuple)?.reply;
        if (reply === undefined) return `${name} lacks it`;
        return `${name} has it as ${reply.destination}:${reply.destinationPort}`;
      });
      const text = `flow ${number} (${flow.seenAs}) is not answered: ${copies.join(', ')}`;
      this.#violate('flow-answered', text);
    }
  }
}

function engineOf({ process }: Machine): Engine | undefined {
  return process?.worker?.commands?.engine;
}

function kernelKeys({ kernel }: Machine): Set<string> {
  return new Set([...(kernel?.flows() ?? [])].map(({ original }) => keyOfTuple(original)));
}
