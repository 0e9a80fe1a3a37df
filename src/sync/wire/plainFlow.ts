/**
 * Flows as nearly all of them are: IPv4, with ports, without translation or anything rare. What
 * interpreting the attribute rows writes for them, written out in half the time (20 ns). Which
 * flows these are follows from the rows that were chosen.
 */
import { recordWord, type FlowCursor } from '../../conntrack/record/flowRecord.js';
import { wireRows, type WireRow } from './flowAttributes.js';

/**
 * Set of bits: what follows behind addresses, status, protocol and ports. `none`: the flow is not
 * plain.
 */
export const plain = { none: -1, state: 1, timeout: 2 } as const;

const start = [wireRows.ipv4, wireRows.status, wireRows.protocol, wireRows.ports];
const numbersOf = (chosen: readonly WireRow[]): string => chosen.map(({ number }) => number).join();

const kinds = new Map<string, number>([
  [numbersOf(start), 0],
  [numbersOf([...start, wireRows.tcpState]), plain.state],
  [numbersOf([...start, wireRows.timeout]), plain.timeout],
  [numbersOf([...start, wireRows.tcpState, wireRows.timeout]), plain.state | plain.timeout],
]);

/** The kind of the flows that have exactly these attributes. */
export function plainKind(chosen: readonly WireRow[]): number {
  return kinds.get(numbersOf(chosen)) ?? plain.none;
}

const header = ({ length, number }: WireRow): number => (length << 16) | number;
const headers = {
  ipv4: header(wireRows.ipv4),
  status: header(wireRows.status),
  protocol: header(wireRows.protocol),
  ports: header(wireRows.ports),
  state: header(wireRows.tcpState),
  timeout: header(wireRows.timeout),
} as const;

/** Writes the attributes at `from`; returns the offset behind them. `kind` is not `none`. */
export function writePlain(view: DataView, from: number, flow: FlowCursor, kind: number): number {
  const { words, at } = flow;
  view.setUint32(from, headers.ipv4);
  view.setUint32(from + 4, words[at + recordWord.originalSource]!, true);
  view.setUint32(from + 8, words[at + recordWord.originalDestination]!, true);
  view.setUint32(from + 12, headers.status);
  view.setUint32(from + 16, words[at + recordWord.status]!);
  view.setUint32(from + 20, headers.protocol);
  view.setUint32(from + 24, words[at + recordWord.kind]! << 24);
  view.setUint32(from + 28, headers.ports);
  view.setUint32(from + 32, words[at + recordWord.originalPorts]!);
  let end = from + 36;
  if ((kind & plain.state) !== 0) {
    view.setUint32(end, headers.state);
    view.setUint32(end + 4, words[at + recordWord.info]! << 24);
    end += 8;
  }
  if ((kind & plain.timeout) !== 0) {
    view.setUint32(end, headers.timeout);
    view.setUint32(end + 4, words[at + recordWord.timeout]!);
    end += 8;
  }
  return end;
}
