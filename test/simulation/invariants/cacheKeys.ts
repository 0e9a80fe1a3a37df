/** What a flow table holds, as keys that can be compared with those of tuples. IPv4. */
import { parseIp } from '../../../src/base/ipAddress.js';
import { lifecycle, recordWord } from '../../../src/conntrack/record/flowRecord.js';
import type { FlowTable } from '../../../src/conntrack/record/flowTable.js';
import type { Tuple } from '../kernel/kernelPorts.js';

const known = new Map<string, number>();

function wordOf(address: string): number {
  const before = known.get(address);
  if (before !== undefined) return before;
  const bytes = parseIp(address)?.bytes ?? new Uint8Array(4);
  const word = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  known.set(address, word);
  return word;
}

export function keyOfTuple(tuple: Tuple): string {
  const { protocol, source, sourcePort, destination, destinationPort } = tuple;
  const ports = ((sourcePort << 16) | destinationPort) >>> 0;
  return `${protocol} ${wordOf(source)} ${wordOf(destination)} ${ports}`;
}

/** Original tuples of what lives in the table. */
export function keysOfTable(
  table: Pick<FlowTable, 'next' | 'seek' | 'lifecycle' | 'newCursor'>,
): Set<string> {
  const keys = new Set<string>();
  const cursor = table.newCursor();
  for (let slot = table.next(0); slot !== 0; slot = table.next(slot)) {
    if (table.lifecycle(slot) === lifecycle.dead) continue;
    const flow = table.seek(slot, cursor);
    const source = flow.get(recordWord.originalSource);
    const destination = flow.get(recordWord.originalDestination);
    const ports = flow.get(recordWord.originalPorts);
    keys.add(`${flow.protocol} ${source} ${destination} ${ports}`);
  }
  return keys;
}
