/**
 * Connection labels: 128 bits of a flow, named by connlabel.conf(5): one line per bit, number and
 * name.
 */
import { place, type MessageIndex } from './messageIndex.js';

/** Bits by name, in the order of the bits. */
export type LabelMap = ReadonlyMap<string, number>;

export const labelBytes = 16;
const mostLabels = 8 * labelBytes;

/**
 * Lines of `NUMBER NAME`; what stands behind `#` and lines that are not of this form are left out.
 */
export function parseLabels(text: string): LabelMap {
  const labels: [string, number][] = [];
  for (const line of text.split('\n')) {
    const [bitText = '', name = ''] = (line.split('#')[0] ?? '').trim().split(/\s+/);
    const bit = /^(0x[0-9a-f]+|\d+)$/i.test(bitText) ? Number(bitText) : mostLabels;
    if (name !== '' && bit < mostLabels) labels.push([name, bit]);
  }
  return new Map(labels.sort(([, a], [, b]) => a - b));
}

/** Bit n is byte n/8, bit n%8. */
export function hasBit(bytes: Uint8Array, bit: number): boolean {
  return ((bytes[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0;
}

export function setBit(bytes: Uint8Array, bit: number): void {
  bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (1 << (bit & 7));
}

/** Names of the labels that a flow has. */
export function labelsOf(flow: MessageIndex, labels: LabelMap): string[] {
  const bytes = labelBits(flow);
  return [...labels].filter(([, bit]) => hasBit(bytes, bit)).map(([name]) => name);
}

/** The bits of a flow, sharing memory with the message; empty where it has none. */
export function labelBits(flow: MessageIndex): Uint8Array {
  if (!flow.has(place.labels)) return new Uint8Array(0);
  const from = flow.at[place.labels] ?? 0;
  return flow.bytes.subarray(from, from + flow.lengthOf(place.labels));
}
