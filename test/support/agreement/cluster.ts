/**
 * Two or three simulated nodes in virtual time, with what happens between them and to them. Faults
 * are given as words, so that a case is a list of lines.
 */
import { milliseconds, microseconds, seconds, type Microseconds } from '../../../src/base/time.js';
import type { AgreementAction } from '../../../src/agreement/agreementActions.js';
import type { AgreementEvent } from '../../../src/agreement/agreementEvents.js';
import { agreementStep } from '../../../src/agreement/machine.js';
import type { UnitStatement } from '../../../src/agreement/statement.js';
import type { AgreementSettings } from '../../../src/agreement/settings.js';
import { ArbiterModel } from './arbiterModel.js';
import type { ModelBeat } from './beatModel.js';
import { agreementSettings } from './settings.js';
import { SimulatedNode, type Step } from './simulatedNode.js';
import { VirtualTime } from './virtualTime.js';
import type { ModelAdvert } from './vrrpModel.js';
import { Wires } from './wires.js';

/** A role that a node took, or left. */
export interface RoleLine {
  readonly ms: number;
  readonly node: string;
  readonly role: string;
  readonly because: string;
}

export interface ClusterOptions {
  /** By node: priority; A begins as MASTER. */
  readonly priorities?: Readonly<Record<string, number>>;
  /** Nodes that are keepalived. */
  readonly strangers?: readonly string[];
  readonly settings?: Partial<AgreementSettings>;
  readonly segments?: readonly string[];
  readonly links?: readonly string[];
  /** One that grants leases; without it nodes are told what it says (`arbiter A none`). */
  readonly hasArbiter?: boolean;
  readonly step?: Step;
  /** Between 0 and 1, for the loss of datagrams. */
  readonly chance?: () => number;
}

/** From one node to another. */
const onTheWay = microseconds(200);

export class Cluster {
  readonly time = new VirtualTime();
  readonly wires: Wires;
  readonly arbiter: ArbiterModel | undefined;
  readonly nodes: readonly SimulatedNode[];
  readonly lines: RoleLine[] = [];
  /** Nodes whose ruleset lets no advert in. */
  readonly dropsAdverts = new Set<string>();
  readonly problems = new Map<string, Set<string>>();
  /** What the machine of each node said of itself, for those who look on. */
  onStep: (
    node: SimulatedNode,
    event: AgreementEvent,
    actions: readonly AgreementAction[],
  ) => void = () => undefined;
  readonly #chance: () => number;

  constructor(options: ClusterOptions = {}) {
    const { priorities = { A: 150, B: 100 }, strangers = [], step = agreementStep } = options;
    const { segments = ['lan', 'wan'], links = ['sync'], settings = {} } = options;
    this.#chance = options.chance ?? ((): number => 1);
    this.wires = new Wires(segments, links);
    this.arbiter = options.hasArbiter === true ? new ArbiterModel(this.time) : undefined;
    const paths = [
      ...segments.map((name) => ({ name, kind: 'segment' as const })),
      ...links.map((name) => ({ name, kind: 'link' as const })),
    ];
    this.nodes = Object.entries(priorities).map(([name, priority], i) => {
      const own = { ...agreementSettings, paths, ...settings, node: `10.0.0.${i + 1}` };
      const node = new SimulatedNode(name, this, { settings: own, priority, step });
      node.isStranger = strangers.includes(name);
      return node;
    });
  }

  /** All up, the first one MASTER, all paths heard. */
  begin(): void {
    for (const [i, node] of this.nodes.entries()) {
      this.time.after(milliseconds(i * 7), () => node.start());
    }
    this.time.runUntil(seconds(5));
    this.lines.length = 0;
  }

  run(duration: Microseconds): void {
    this.time.runUntil(microseconds(this.time.now + duration));
  }

  node(name: string): SimulatedNode {
    const found = this.nodes.find((node) => node.name === name);
    if (found === undefined) throw new Error(`no node ${name}`);
    return found;
  }

  peersOf(node: SimulatedNode): readonly SimulatedNode[] {
    return this.nodes.filter((other) => other !== node && !other.isStranger);
  }

  record(node: string, role: string, because: string): void {
    this.lines.push({ ms: Math.round(this.time.now / 1_000), node, role, because });
  }

  observe(node: SimulatedNode, event: AgreementEvent, actions: readonly AgreementAction[]): void {
    const open = this.problems.get(node.name) ?? new Set<string>();
    this.problems.set(node.name, open);
    for (const action of actions) {
      if (action.kind === 'raiseProblem') open.add(action.code);
      if (action.kind === 'endProblem') open.delete(action.code);
    }
    this.onStep(node, event, actions);
  }

  sendBeat(beat: ModelBeat): void {
    const arriving: (() => void)[] = [];
    for (const to of this.nodes) {
      if (to.isStranger || to.name === beat.from || to.key !== this.node(beat.from).key) continue;
      const says = addressed(beat.says, to);
      const heard = says === beat.says ? beat : { ...beat, says };
      for (const path of this.wires.paths) {
        if (this.#arrives(beat.from, to, path)) arriving.push(() => to.hearBeat(path, heard));
      }
    }
    if (arriving.length > 0) this.time.after(onTheWay, () => arriving.forEach((hear) => hear()));
  }

  sendAdvert(advert: ModelAdvert, isStranger: boolean): void {
    for (const segment of this.wires.segments) {
      for (const to of this.nodes) {
        if (this.dropsAdverts.has(to.name) || !this.#arrives(advert.from, to, segment)) continue;
        this.time.after(onTheWay, () => to.hearAdvert(segment, advert, isStranger));
      }
    }
  }

  /** Whether the kernel of `peer` answers this node on a segment. */
  answers(node: SimulatedNode, peer: string, segment: string): boolean {
    const other = this.nodes.find(({ name }) => name === peer);
    if (other?.kernel !== 'runs') return false;
    const { wires } = this;
    return wires.carries(node.name, peer, segment) && wires.carries(peer, node.name, segment);
  }

  #arrives(from: string, to: SimulatedNode, path: string): boolean {
    if (to.name === from || !this.wires.carries(from, to.name, path)) return false;
    const share = this.wires.loss.get(path) ?? 0;
    return share === 0 || this.#chance() >= share;
  }
}

const translated = new WeakMap<UnitStatement, Map<string, UnitStatement>>();

/**
 * A receiver looks itself up by its own address, third nodes by the name that it has for them. The
 * same statement stays the same object, so that no news is seen without a look.
 */
function addressed(says: UnitStatement, to: SimulatedNode): UnitStatement {
  const known = translated.get(says) ?? new Map<string, UnitStatement>();
  translated.set(says, known);
  const before = known.get(to.name);
  if (before !== undefined) return before;
  const hears = Object.entries(says.hears).map(
    ([name, states]) => [name === to.name ? to.settings.node : name, states] as const,
  );
  const now = { ...says, hears: Object.fromEntries(hears) };
  known.set(to.name, now);
  return now;
}
