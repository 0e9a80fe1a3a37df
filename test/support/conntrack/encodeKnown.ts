/** A message with all attributes of a flow that are known, in the kernel's dump order. */
import { flowAttributes } from '../../../src/conntrack/codec/attributeTable.js';
import { encodeAttribute } from '../../../src/conntrack/codec/flowEncoder.js';
import type { MessageBatch } from '../../../src/conntrack/codec/messageBatch.js';
import type { FlowCursor } from '../../../src/conntrack/record/flowRecord.js';

export function encodeKnown(out: MessageBatch, flow: FlowCursor): void {
  for (const row of flowAttributes.rows) encodeAttribute(out, row, flow);
}
