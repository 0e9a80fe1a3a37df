/** Flows and names as tests write them. */
import type { FlowCursor } from '../../../src/conntrack/record/flowRecord.js';
import type { FlowTable } from '../../../src/conntrack/record/flowTable.js';
import type { NameTable } from '../../../src/conntrack/record/nameTable.js';

/** Merges where the flow is known, else inserts. The slot; 0 where the table is full. */
export function upsert(table: FlowTable, flow: FlowCursor, nowSeconds: number): number {
  const slot = table.find(flow);
  if (slot === 0) return table.insert(flow, nowSeconds);
  table.merge(slot, flow, nowSeconds);
  return slot;
}

/** The id of a name that the kernel says. */
export function internText(names: NameTable, text: string): number {
  const bytes = Buffer.from(text, 'latin1');
  return names.intern(bytes, 0, bytes.length);
}
