/**
 * Two nodes that lose the role and restart in any order, on a model of the kernel: who is MASTER
 * and what each one remembers changes by chance, messages of the comparison get lost, and a node
 * may end at any moment. The parts are the real ones: what ended, what is compared, what may go and
 * what is committed. Nothing may be purged that no living MASTER holds and that no MASTER ended.
 */
import {
  microseconds,
  seconds,
  type Microseconds,
  type RandomSource,
} from '../../../src/base/time.js';
import type { FlowCursor } from '../../../src/conntrack/record/flowRecord.js';
import { presenceBit, newScratch, recordWord } from '../../../src/conntrack/record/flowRecord.js';
import { NameTable } from '../../../src/conntrack/record/nameTable.js';
import { FormerMaster, isAdopted } from '../../../src/sync/comparison/adoption.js';
import { ComparedTables } from '../../../src/sync/comparison/comparedTables.js';
import { Comparison } from '../../../src/sync/comparison/comparison.js';
import { EndedKeys } from '../../../src/sync/comparison/endedKeys.js';
import { keyHash, keyRest, newKeySeeds } from '../../../src/sync/tables/flowKeyHash.js';
import { partCount, partOf, KeyDigests } from '../../../src/sync/wire/keyDigests.js';
import { Leftovers } from '../../../src/sync/comparison/leftovers.js';
import {
  decodeKeyMessage,
  encodeKeyMessage,
  type KeyMessage,
} from '../../../src/sync/wire/keyMessage.js';

const names = new NameTable();
const lifetime = 600;

/** Flow `number` as the kernel tells it. */
export function numberedFlow(number: number, timeout = lifetime, id = number): FlowCursor {
  const flow = newScratch(names);
  flow.setKind(false, 6);
  flow.set(recordWord.originalSource, 0x0a00_0000 + (number >>> 8));
  flow.set(recordWord.originalDestination, 0xc633_6414);
  flow.set(recordWord.originalPorts, ((number & 0xff) << 16) | 443);
  flow.set(recordWord.zone, 0);
  flow.set(recordWord.timeout, timeout);
  flow.set(recordWord.id, id);
  flow.learn(presenceBit.timeout | presenceBit.id | presenceBit.ports);
  return flow;
}

interface Node {
  /** Flow -> the second at which it ends by itself. Outlives the process. */
  readonly kernel: Map<number, number>;
  /** What the other node told of its kernel. Ends with the process. */
  told: Map<number, number>;
  isUp: boolean;
  masterSince: Microseconds | undefined;
  masterUntil: Microseconds | undefined;
  ended: EndedKeys;
  leftovers: Leftovers | undefined;
  former: FormerMaster;
}

export interface LifeResult {
  readonly violations: readonly string[];
  readonly purged: number;
  readonly adopted: number;
}

export class PurgeLife {
  readonly #random: RandomSource;
  readonly #nodes: readonly [Node, Node];
  /** Flows that a MASTER's kernel has ended. */
  readonly #over = new Set<number>();
  readonly #violations: string[] = [];
  #now = seconds(1_000);
  #nextFlow = 1;
  #purged = 0;
  #adopted = 0;

  constructor(random: RandomSource) {
    this.#random = random;
    this.#nodes = [this.#newNode(), this.#newNode()];
  }

  run(steps: number): LifeResult {
    this.#becomeMaster(this.#nodes[0]);
    for (let i = 0; i < steps; i++) this.#step();
    return { violations: this.#violations, purged: this.#purged, adopted: this.#adopted };
  }

  #newNode(): Node {
    return {
      kernel: new Map(),
      told: new Map(),
      isUp: true,
      masterSince: undefined,
      masterUntil: undefined,
      ended: new EndedKeys(newKeySeeds(this.#random)),
      leftovers: undefined,
      former: new FormerMaster(),
    };
  }

  #step(): void {
    this.#now = microseconds(this.#now + seconds(this.#random.below(4)));
    const which = this.#random.below(2) as 0 | 1;
    const node = this.#nodes[which];
    const other = this.#nodes[1 - which]!;
    switch (this.#random.below(10)) {
      case 0:
        this.#crash(node);
        return;
      case 1:
        if (!node.isUp) this.#start(node);
        return;
      case 2:
        // VRRP: no living MASTER is left, or a hand-over.
        if (node.isUp && node.masterSince === undefined) this.#takeRole(node, other);
        return;
      case 3:
      case 4:
        this.#open(node);
        return;
      case 5:
        this.#end(node, other);
        return;
      case 6:
        this.#tell(node, other);
        return;
      case 7:
        this.#packet(node);
        return;
      case 8:
        this.#adopt(node, other);
        return;
      default:
        this.#purge(node, other);
    }
  }

  #crash(node: Node): void {
    if (!node.isUp) return;
    node.isUp = false;
    node.masterUntil = node.masterSince === undefined ? node.masterUntil : this.#now;
    node.masterSince = undefined;
    node.leftovers = undefined;
    node.told = new Map();
    node.former = new FormerMaster();
  }

  #start(node: Node): void {
    node.isUp = true;
    node.leftovers = this.#read(node);
  }

  #takeRole(node: Node, other: Node): void {
    if (other.isUp && other.masterSince !== undefined) {
      if (this.#random.below(2) === 0) return;
      this.#tell(other, node);
      this.#becomeMaster(node);
      other.masterUntil = this.#now;
      other.masterSince = undefined;
      other.leftovers = this.#read(other);
      return;
    }
    this.#becomeMaster(node);
  }

  #becomeMaster(node: Node): void {
    node.masterSince = this.#now;
    node.leftovers = undefined;
    node.ended = new EndedKeys(newKeySeeds(this.#random), 8);
    for (const [flow, end] of node.told)
      node.kernel.set(flow, Math.max(end, node.kernel.get(flow) ?? 0));
  }

  #read(node: Node): Leftovers {
    const set = new Leftovers(newKeySeeds(this.#random));
    for (const [flow, end] of node.kernel) set.note(this.#flow(flow, end), this.#seconds());
    return set;
  }

  #open(node: Node): void {
    if (!node.isUp || node.masterSince === undefined) return;
    for (let i = this.#random.below(40); i >= 0; i--) {
      node.kernel.set(this.#nextFlow++, this.#seconds() + lifetime);
    }
  }

  /** Some of a MASTER's flows end; the other may hear of it. */
  #end(node: Node, other: Node): void {
    if (!node.isUp || node.masterSince === undefined) return;
    const isHeard = other.isUp && this.#random.below(2) === 0;
    for (const flow of [...node.kernel.keys()]) {
      if (this.#random.below(4) !== 0) continue;
      node.kernel.delete(flow);
      node.ended.add(numberedFlow(flow));
      this.#over.add(flow);
      if (!isHeard) continue;
      other.told.delete(flow);
      if (other.leftovers?.forget(numberedFlow(flow)) === true) other.kernel.delete(flow);
    }
  }

  /** A whole bulk arrives. */
  #tell(node: Node, other: Node): void {
    if (!node.isUp || !other.isUp) return;
    other.told = new Map(node.kernel);
    if (node.masterSince === undefined && node.masterUntil !== undefined) {
      other.former.said(node.masterUntil, this.#now);
    }
  }

  /** Traffic on a node that is not MASTER: its flow is served there. */
  #packet(node: Node): void {
    for (const flow of node.kernel.keys()) {
      if (this.#random.below(8) === 0) node.kernel.set(flow, this.#seconds() + lifetime);
    }
  }

  #adopt(node: Node, other: Node): void {
    const since = node.masterSince;
    if (!node.isUp || !other.isUp || since === undefined || !node.former.isOpen(this.#now, since)) {
      return;
    }
    for (const [number, end] of node.told) {
      const flow = numberedFlow(number);
      const told = {
        isHeld: node.kernel.has(number),
        hash: keyHash(flow, node.ended.seeds),
        rest: keyRest(flow, node.ended.seeds),
        toldAt: this.#seconds(),
      };
      if (!isAdopted(told, node.ended, Math.floor(since / 1_000_000))) continue;
      node.kernel.set(number, end);
      this.#adopted++;
    }
  }

  #purge(node: Node, master: Node): void {
    const { leftovers } = node;
    if (!node.isUp || !master.isUp || leftovers === undefined) return;
    if (master.masterSince === undefined) return;
    const comparison = this.#compare(node, leftovers, master);
    if (comparison === undefined) return;
    for (const [number, end] of [...node.kernel]) {
      const flow = this.#flow(number, end);
      const { seeds } = master.ended;
      if (!comparison.removable.has(keyHash(flow, seeds), keyRest(flow, seeds))) continue;
      if (!leftovers.isStill(flow, this.#seconds())) continue;
      node.kernel.delete(number);
      this.#purged++;
      if (master.kernel.has(number) || this.#over.has(number)) continue;
      this.#violations.push(`flow ${String(number)} was purged and is nowhere`);
    }
  }

  /** undefined where the peer fell silent. */
  #compare(node: Node, leftovers: Leftovers, master: Node): Comparison | undefined {
    const tables = new ComparedTables(7, master.ended);
    const { seeds } = master.ended;
    for (const number of master.kernel.keys()) {
      const flow = numberedFlow(number);
      tables.addHeld(keyHash(flow, seeds), keyRest(flow, seeds));
    }
    for (const number of master.told.keys()) {
      const flow = numberedFlow(number);
      tables.addTold(keyHash(flow, seeds), keyRest(flow, seeds));
    }
    const digests = new KeyDigests();
    const parts: number[][] = Array.from({ length: partCount }, () => []);
    for (const [number, end] of node.kernel) {
      const flow = this.#flow(number, end);
      const [hash, rest] = [keyHash(flow, seeds), keyRest(flow, seeds)];
      digests.add(hash, rest);
      if (leftovers.isStill(flow, this.#seconds())) parts[partOf(hash)]!.push(hash, rest);
    }
    const table = {
      ...{ token: 7, digests, onlyEnded: false },
      leftovers: (part: number) => Uint32Array.from(parts[part]!),
    };
    const questions: KeyMessage[] = [];
    let now = this.#now;
    const comparison = new Comparison(table, (message) => questions.push(message), now);
    const loss = this.#random.below(3) === 0 ? 40 : 0;
    for (let tick = 0; tick < 400 && !comparison.isDone && !comparison.hasFailed(now); tick++) {
      now = microseconds(now + 100_000);
      for (const question of questions.splice(0)) {
        if (this.#random.below(100) < loss) continue;
        const heard = decodeKeyMessage(encodeKeyMessage(question));
        if (heard?.kind !== 'part' && heard?.kind !== 'keys') continue;
        const answer = decodeKeyMessage(encodeKeyMessage(tables.answer(heard)));
        if (answer !== undefined && this.#random.below(100) >= loss)
          comparison.received(answer, now);
      }
      comparison.tick(now);
    }
    return comparison.isDone ? comparison : undefined;
  }

  #flow(number: number, end: number): FlowCursor {
    return numberedFlow(number, Math.max(0, end - this.#seconds()));
  }

  #seconds(): number {
    return Math.floor(this.#now / 1_000_000);
  }
}
