/**
 * All that can happen next in a state. The event that is due first happens, or another one that is
 * due within a quarter of a second: then the first one is late. A process may crash, a dead one may
 * start. Each way in which the world may decide meanwhile is a successor of its own.
 */
import type { CoordinatorInput } from '../../../src/coordinator/runner.js';
import {
  freshWorker,
  memberNames,
  type ClusterState,
  type Message,
  type NodeIndex,
  type NodeState,
  type Report,
} from './clusterState.js';
import { NodeRun, type Choose, type World } from './nodeRun.js';

/** How late a thread may be, in microseconds. */
const latest = 250_000;
const nodeIndexes: readonly NodeIndex[] = [0, 1];

export type Happening =
  | { readonly kind: 'timer'; readonly node: NodeIndex; readonly key: string; readonly due: number }
  | {
      readonly kind: 'report';
      readonly node: NodeIndex;
      readonly report: Report;
      readonly due: number;
    }
  | { readonly kind: 'datagram'; readonly message: Message; readonly due: number }
  | { readonly kind: 'crash' | 'start'; readonly node: NodeIndex; readonly due: number };

/** In the order in which they are due; ties in the order of nodes, datagrams last. */
export function dueNext({ nodes, messages, now }: ClusterState): Happening[] {
  const waiting: Happening[] = [];
  for (const node of nodeIndexes) {
    const { timers, reports } = nodes[node];
    for (const report of reports) waiting.push({ kind: 'report', node, report, due: report.due });
    for (const [key, due] of Object.entries(timers))
      waiting.push({ kind: 'timer', node, key, due });
  }
  for (const message of messages) waiting.push({ kind: 'datagram', message, due: message.due });
  waiting.sort((a, b) => a.due - b.due);
  const first = waiting[0];
  if (first === undefined) return [];
  return waiting.filter(({ due }) => due <= Math.max(first.due, now) + latest);
}

/** Crashes and starts, at the moment of the state. */
export function faults({ nodes, now }: ClusterState): Happening[] {
  return nodeIndexes.map((node) => ({
    kind: nodes[node].isAlive ? 'crash' : 'start',
    node,
    due: now,
  }));
}

export function happen(state: ClusterState, happening: Happening, choose: Choose): ClusterState {
  const step = new ClusterStep(state, happening.due, choose);
  step.apply(happening);
  return step.finish();
}

/** Every way in which `happening` can go. */
export function* outcomes(state: ClusterState, happening: Happening): Generator<ClusterState> {
  // Choices so far, and of how many: an odometer.
  const taken: number[] = [];
  const counts: number[] = [];
  for (;;) {
    let asked = 0;
    const next = happen(state, happening, (count) => {
      counts[asked] = count;
      taken[asked] ??= 0;
      return taken[asked++] ?? 0;
    });
    yield next;
    taken.length = asked;
    let last = asked - 1;
    while (last >= 0 && (taken[last] ?? 0) + 1 >= (counts[last] ?? 1)) last--;
    if (last < 0) return;
    taken[last] = (taken[last] ?? 0) + 1;
    taken.length = last + 1;
  }
}

class ClusterStep implements World {
  readonly now: number;
  readonly choose: Choose;
  readonly #before: ClusterState;
  #messages: Message[];
  /** What is said over the peer channel: it comes at once, behind what says it. */
  readonly #words: (() => void)[] = [];
  readonly #nodes: [NodeState, NodeState];

  constructor(state: ClusterState, due: number, choose: Choose) {
    this.now = Math.max(state.now, due);
    this.choose = choose;
    this.#before = state;
    this.#messages = [...state.messages];
    this.#nodes = [...state.nodes];
  }

  send(message: Message): void {
    if (this.#nodes[message.to].isAlive) this.#messages.push(message);
  }

  takeArrived(to: NodeIndex, member: Message['member']): readonly Message[] {
    const arrived = this.#messages.filter(
      (one) => one.to === to && one.member === member && one.due <= this.now,
    );
    this.#messages = this.#messages.filter((one) => !arrived.includes(one));
    return arrived;
  }

  isAlive(node: NodeIndex): boolean {
    return this.#nodes[node].isAlive;
  }

  tellStory(to: NodeIndex, token: number, event: CoordinatorInput): void {
    this.#say(to, (node) => {
      node.worker.hearStory(token, event);
    });
  }

  answerStory(to: NodeIndex, wasMerged: boolean): void {
    this.#say(to, (node) => {
      node.worker.storyAnswered(wasMerged);
    });
  }

  #say(to: NodeIndex, word: (node: NodeRun) => void): void {
    this.#words.push(() => {
      if (this.isAlive(to)) this.#run(to, word);
    });
  }

  apply(happening: Happening): void {
    switch (happening.kind) {
      case 'timer':
        this.#run(happening.node, (node) => {
          node.ring(happening.key, happening.due);
        });
        return;
      case 'report':
        this.#run(happening.node, (node) => {
          node.report(happening.report);
        });
        return;
      case 'datagram': {
        const { message } = happening;
        this.#messages = this.#messages.filter((one) => one !== message);
        this.#run(message.to, (node) => {
          node.receive(message);
        });
        return;
      }
      case 'crash':
        this.#crash(happening.node);
        return;
      case 'start':
        this.#run(happening.node, (node) => {
          node.start();
        });
        return;
    }
  }

  finish(): ClusterState {
    for (const word of this.#words) word();
    for (const index of nodeIndexes) {
      if (!this.isAlive(index)) continue;
      this.#run(index, (node) => {
        node.lookAtPeer();
      });
    }
    return { now: this.now, nodes: this.#nodes, messages: this.#messages };
  }

  #run(index: NodeIndex, work: (node: NodeRun) => void): void {
    const node = new NodeRun(index, this.#nodes[index], this);
    work(node);
    this.#nodes[index] = node.finish();
  }

  /** As by SIGKILL: nothing is said; addresses and role.json stay. */
  #crash(index: NodeIndex): void {
    const node = this.#before.nodes[index];
    const sent = memberNames.map((name) => node.unit.members[name]?.lastAdvertSent);
    const known = sent.filter((at) => at !== undefined);
    const isMaster = node.unit.role === 'MASTER' && known.length === memberNames.length;
    this.#nodes[index] = {
      ...node,
      isAlive: false,
      worker: freshWorker,
      timers: {},
      reports: [],
      ...(isMaster ? { lastAdvert: Math.min(...known) } : { lastAdvert: undefined }),
    };
    this.#messages = this.#messages.filter(({ to }) => to !== index);
  }
}
