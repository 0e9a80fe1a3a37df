/**
 * Counters that the kernel keeps about its tables (enum ctattr_stats_cpu, ctattr_stats_global,
 * ctattr_expect_stats).
 */
import { messageFlag, messageType } from '../constants.js';
import type { MessageBatch } from '../codec/messageBatch.js';
import { Attributes } from '../text/attributes.js';

const perProcessorType = { flows: 0x104, expectations: 0x203 } as const;

/** Names by attribute number, in the order in which they are printed. */
const flowCounters: readonly (readonly [number, string])[] = [
  [1, 'searched'],
  [2, 'found'],
  [3, 'new'],
  [4, 'invalid'],
  [5, 'ignore'],
  [6, 'delete'],
  [7, 'delete_list'],
  [8, 'insert'],
  [9, 'insert_failed'],
  [10, 'drop'],
  [11, 'early_drop'],
  [12, 'error'],
  [13, 'search_restart'],
  [14, 'clash_resolve'],
  [15, 'chaintoolong'],
];

const expectationCounters: readonly (readonly [number, string])[] = [
  [1, 'expect_new'],
  [2, 'expect_create'],
  [3, 'expect_delete'],
];

export function encodeStatistics(out: MessageBatch, table: 'flows' | 'expectations'): void {
  out.begin(perProcessorType[table], messageFlag.request | messageFlag.dump, 1, 0);
  out.finish();
}

export function encodeCount(out: MessageBatch): void {
  out.begin(messageType.flowGetStats, messageFlag.request | messageFlag.ack, 1, 0);
  out.finish();
}

/** `cpu=0    found=0 ...`: one line per processor, which stands in res_id of the message. */
export function statisticsLine(message: Uint8Array, table: 'flows' | 'expectations'): string {
  const attributes = new Attributes(message.subarray(20));
  const processor = ((message[18] ?? 0) << 8) | (message[19] ?? 0);
  const counters = table === 'flows' ? flowCounters : expectationCounters;
  const fields = counters.map(([number, name]) => {
    const value = attributes.uint32(number);
    return value === undefined ? '' : `${name}=${value} `;
  });
  return `cpu=${String(processor).padEnd(4)}\t${fields.join('')}`;
}

/** CTA_STATS_GLOBAL_ENTRIES. */
export function entriesOf(message: Uint8Array): number {
  return new Attributes(message.subarray(20)).uint32(1) ?? 0;
}
