/**
 * A random life of a cluster: faults that begin and end at random, then all is healed. What must
 * hold in it is looked at every 5 ms.
 */
import { milliseconds, seconds } from '../../../src/base/time.js';
import { Cluster, type ClusterOptions } from './cluster.js';
import { happen } from './faults.js';
import type { SimulatedNode, Step } from './simulatedNode.js';

const look = milliseconds(10);
const faultsLast = 30_000;
const lifeLasts = 52_000;
/** Rule 5: three beats, the removal of addresses, and a look. */
const mostTwoMs = 200;
/** VRRP's time and once more what was refused, listening and a hand-over. */
const mostNoneMs = 9_500;

/** Numerical Recipes' generator: the same seed, the same life. */
export function chanceOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A fault and what ends it; `N` is a node, `P` a path, `S` a segment. */
const kinds: readonly (readonly [string, string])[] = [
  ['power N off', 'power N on'],
  ['freeze N', 'thaw N'],
  ['stop N', 'continue N'],
  ['loop N off', 'loop N on'],
  ['kill N', 'start N'],
  ['kill N', 'start N resumes'],
  ['end N', 'start N resumes'],
  ['port N P both off', 'port N P both on'],
  ['port N P sends off', 'port N P sends on'],
  ['port N P receives off', 'port N P receives on'],
  ['carrier N P off', 'carrier N P on'],
  ['fault N target off', 'fault N target on'],
  ['switch P off', 'switch P on'],
  ['flap N S 100 1500', 'carrier N S on'],
  ['flood N P on', 'flood N P off'],
  ['loss P 0.3', 'loss P 0'],
  ['ruleset N drop', 'ruleset N accept'],
  ['synchronised N off', 'synchronised N on'],
  ['arbiter N off', 'arbiter N on'],
];

export interface LifeResult {
  /** What did not hold. */
  readonly faults: readonly string[];
  /** Words with their times, to be repeated. */
  readonly plan: readonly string[];
  readonly moves: number;
}

export function randomLife(seed: number, step?: Step): LifeResult {
  const chance = chanceOf(seed);
  const isThree = chance() < 0.15;
  const arbiter = chance() < 0.6 ? 'none' : chance() < 0.5 ? 'default' : 'required';
  const options: ClusterOptions = {
    ...(isThree ? { priorities: { A: 150, B: 120, C: 100 } } : {}),
    settings: { preempts: chance() < 0.5, hasKey: chance() < 0.8, arbiter },
    hasArbiter: arbiter !== 'none',
    chance,
    ...(step === undefined ? {} : { step }),
  };
  const cluster = new Cluster(options);
  cluster.begin();
  const plan = planOf(cluster, chance);
  const begun = cluster.time.now / 1_000;
  for (const { ms, words } of plan) {
    cluster.time.after(milliseconds(ms), () => happenIfItCan(cluster, words));
  }
  const witness = new Witness(cluster);
  cluster.run(milliseconds(faultsLast));
  heal(cluster);
  cluster.run(milliseconds(lifeLasts - faultsLast));
  witness.endWithOne();
  return {
    faults: witness.faults.map((fault) => `${Math.round(fault.ms - begun)} ms: ${fault.text}`),
    plan: plan.map(({ ms, words }) => `${ms} ${words}`),
    moves: cluster.lines.filter(({ role }) => role === 'MASTER').length,
  };
}

interface Planned {
  readonly ms: number;
  readonly words: string;
}

function planOf(cluster: Cluster, chance: () => number): readonly Planned[] {
  const pick = <Value>(values: readonly Value[]): Value =>
    values[Math.floor(chance() * values.length)] as Value;
  const count = 2 + Math.floor(chance() * 6);
  const planned = Array.from({ length: count }, () => {
    const [begins, ends] = pick(kinds);
    const [node, path] = [pick(cluster.nodes).name, pick(cluster.wires.paths)];
    const segment = pick(cluster.wires.segments);
    const fill = (words: string): string =>
      words.replace(/\bN\b/, node).replace(/\bP\b/, path).replace(/\bS\b/, segment);
    const ms = Math.floor(chance() * (faultsLast - 10_000));
    // Short ones and long ones are both worth a look.
    const lasts = Math.floor(50 * 200 ** chance());
    return [
      { ms, words: fill(begins) },
      { ms: ms + lasts, words: fill(ends) },
    ];
  });
  return planned.flat().sort((a, b) => a.ms - b.ms);
}

/** What two faults do to one node at a time need not fit. */
function happenIfItCan(cluster: Cluster, words: string): void {
  const [verb, name = ''] = words.split(' ');
  const node = cluster.nodes.find((other) => other.name === name);
  if (node !== undefined) {
    const isThere = node.process === 'runs' && node.kernel === 'runs';
    const needsIt = ['kill', 'end', 'stop', 'freeze', 'power', 'loop', 'synchronised'];
    const begins = !words.endsWith(' on');
    if (begins && needsIt.includes(verb ?? '') && !isThere) return;
    if (verb === 'start' && (node.process !== 'dead' || node.kernel !== 'runs')) return;
    if (verb === 'continue' && node.process !== 'stopped') return;
    if (verb === 'thaw' && node.kernel !== 'frozen') return;
    if (words === `power ${name} on` && node.kernel !== 'off') return;
  }
  happen(cluster, words);
}

function heal(cluster: Cluster): void {
  const { wires } = cluster;
  wires.deadSwitches.clear();
  cluster.arbiter?.cut.clear();
  wires.loss.clear();
  cluster.dropsAdverts.clear();
  for (const node of cluster.nodes) {
    for (const path of wires.paths) {
      for (const words of [`port ${node.name} ${path} both on`, `flood ${node.name} ${path} off`]) {
        happen(cluster, words);
      }
    }
    if (node.kernel === 'off') happen(cluster, `power ${node.name} on`);
    if (node.kernel === 'frozen') happen(cluster, `thaw ${node.name}`);
    if (node.process === 'stopped') happen(cluster, `continue ${node.name}`);
    if (node.process === 'dead') happen(cluster, `start ${node.name}`);
    happen(cluster, `loop ${node.name} on`);
    for (const path of wires.paths) happen(cluster, `carrier ${node.name} ${path} on`);
    happen(cluster, `fault ${node.name} target on`);
    happen(cluster, `synchronised ${node.name} on`);
  }
}

class Witness {
  readonly faults: { readonly ms: number; readonly text: string }[] = [];
  readonly #cluster: Cluster;
  #twoMs = 0;
  #noneMs = 0;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    const see = (): void => {
      this.#see();
      cluster.time.after(look, see);
    };
    see();
  }

  #see(): void {
    const { nodes } = this.#cluster;
    const serving = nodes.filter((node) => node.serves && node.canTurn);
    // «No two masters in any partition» is claimed with the lease required.
    const isStrict = this.#cluster.node('A').settings.arbiter === 'required';
    const meet = serving.some((a) =>
      serving.some((b) => a !== b && (isStrict || this.#hear(a, b))),
    );
    this.#twoMs = meet ? this.#twoMs + 10 : 0;
    if (this.#twoMs === mostTwoMs + 10) this.#fault('two MASTERs hear each other and go on');
    const could = nodes.some((node) => this.#couldServe(node));
    const isServed = nodes.some((node) => node.serves);
    this.#noneMs = could && !isServed ? this.#noneMs + 10 : 0;
    if (this.#noneMs === mostNoneMs + 10) this.#fault('nobody serves though one could');
  }

  /** Both ways on a path that is not flooded and loses nothing; without a key on a segment. */
  #hear(a: SimulatedNode, b: SimulatedNode): boolean {
    const { wires } = this.#cluster;
    const paths = a.settings.hasKey ? wires.paths : wires.segments;
    return paths.some(
      (path) =>
        wires.carries(a.name, b.name, path) &&
        wires.carries(b.name, a.name, path) &&
        !wires.floods.has(`${a.name} ${path}`) &&
        !wires.floods.has(`${b.name} ${path}`) &&
        (wires.loss.get(path) ?? 0) === 0,
    );
  }

  /** With `last_resort` whatever its members are; with the lease required while it can be had. */
  #couldServe(node: SimulatedNode): boolean {
    const needsLease = node.settings.arbiter === 'required';
    return node.canTurn && !(needsLease && this.#cluster.arbiter?.cut.has(node.name) === true);
  }

  #fault(text: string): void {
    this.faults.push({ ms: this.#cluster.time.now / 1_000, text });
  }

  endWithOne(): void {
    const serving = this.#cluster.nodes.filter((node) => node.serves);
    const named = serving.map(({ name }) => name).join(' and ');
    if (serving.length !== 1) this.#fault(`in the end ${named || 'nobody'} serves`);
    const masters = this.#cluster.nodes.filter(({ vrrp }) => vrrp.role === 'MASTER');
    if (masters.length !== 1) this.#fault(`in the end ${masters.length} nodes are MASTER`);
    const states = this.#cluster.nodes.map(({ state }) => state);
    const open = states.filter(({ rival, listening, taking }) => rival ?? listening ?? taking);
    if (open.length > 0) this.#fault('in the end something is still being agreed on');
    const quiet = this.#cluster.lines.at(-1)?.ms ?? 0;
    if (this.#cluster.time.now - milliseconds(quiet) < seconds(5)) {
      this.#fault('in the end the role still moves');
    }
  }
}
