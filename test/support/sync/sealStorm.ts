/**
 * Hostile datagrams against both ends of a sealed channel, in process: blocks of a hundred thousand
 * that depend on their number alone, so that a run of many can be left and gone on with.
 */
import { addTime, microseconds } from '../../../src/base/time.js';
import { SeededRandom } from '../base/seededRandom.js';
import { SealHostility } from './sealHostility.js';
import { greetEachOther, SealNode } from './sealPeers.js';

export interface StormResult {
  readonly hostile: number;
  /** By the reason for which they were refused. */
  readonly refused: Readonly<Record<string, number>>;
  /** Datagrams of the true peer that arrived, each once. */
  readonly served: number;
}

const recordings = 200;
const betweenTrue = 100;

/**
 * Throws where something hostile was believed, was not counted, or the true peer was not served.
 */
export function stormBlock(block: number, count: number): StormResult {
  const random = new SeededRandom(block + 1);
  const nodes = [new SealNode({ random }), new SealNode({ random })] as const;
  const [a, b] = nodes;
  greetEachOther(a, b, ['peer', 'peer']);
  const recorded = [0, 1].map((from) =>
    Array.from({ length: recordings }, (_one, i) =>
      tell(nodes, from, `recorded ${i} ${'x'.repeat(i)}`),
    ),
  );
  const hostility = [1, 0].map((from) => new SealHostility(random, recorded[from] ?? []));
  let replies = 0;
  for (let i = 0; i < count; i++) {
    const to = random.below(2);
    const node = nodes[to] ?? a;
    const made = hostility[to];
    if (made === undefined) throw new Error('there are two sides');
    node.now = addTime(node.now, microseconds(200));
    if (node.hear(made.make(made.kind())) !== undefined) replies++;
    if (i % betweenTrue === 0) tell(nodes, 1 - to, `true ${i}`);
  }
  const served = 2 * recordings + Math.ceil(count / betweenTrue);
  const received = nodes.flatMap((node) => node.received);
  if (received.length !== served || new Set(received).size !== served - recordings) {
    throw new Error(`block ${block}: ${received.length} datagrams were believed, not ${served}`);
  }
  const reasons = nodes.flatMap((node) => node.refused);
  if (reasons.length + replies !== count) {
    throw new Error(`block ${block}: ${reasons.length} of ${count} were counted`);
  }
  if (replies > 0) throw new Error(`block ${block}: ${replies} forged greetings were answered`);
  const refused: Record<string, number> = {};
  for (const reason of reasons) refused[reason] = (refused[reason] ?? 0) + 1;
  return { hostile: count, refused, served };
}

/** Says `text`, which the other end must take; gives the record. */
function tell(nodes: readonly [SealNode, SealNode], from: number, text: string): Uint8Array {
  const [sender, receiver] = from === 0 ? nodes : [nodes[1], nodes[0]];
  const record = sender.say(text).slice();
  receiver.hear(record);
  if (receiver.received.at(-1) !== text) throw new Error(`the true peer is not served: ${text}`);
  return record;
}
