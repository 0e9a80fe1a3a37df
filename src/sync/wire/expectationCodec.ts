/**
 * Expectation messages of the replication protocol (conntrackd 1.4.7): attribute numbers of their
 * own, all ports in network order. They are few, so the codec builds objects; one table of rows
 * serves both ways.
 */
import type { Expectation, ExpectationTuple } from '../../conntrack/codec/expectation.js';
import { headerBytes } from './header.js';

/** The longest message that `writeExpectation` makes. */
export const longestExpectationMessage = 512;

const helperLimit = 12;
const functionLimit = 28;

/** Attribute numbers; a tuple has four in a row: IPv4, IPv6, protocol, ports. */
const attribute = {
  master: 0,
  expected: 4,
  mask: 8,
  timeout: 12,
  flags: 13,
  class: 14,
  natIpv4: 15,
  natPorts: 16,
  natProtocol: 17,
  natDirection: 18,
  helper: 19,
  function: 20,
} as const;

const portProtocols = new Set([6, 17, 33, 132]);

type Field = 'ipv4' | 'ipv6' | 'u8' | 'u32' | 'ports' | 'text';
/** What a receiver demands of `len`; the most for text. */
const fieldLength: Readonly<Record<Field, number>> = {
  ipv4: 12,
  ipv6: 36,
  u8: 5,
  u32: 8,
  ports: 8,
  text: 32,
};

/** By attribute number. */
const fields: readonly Field[] = [
  ...(['ipv4', 'ipv6', 'u8', 'ports'] as const),
  ...(['ipv4', 'ipv6', 'u8', 'ports'] as const),
  ...(['ipv4', 'ipv6', 'u8', 'ports'] as const),
  ...(['u32', 'u32', 'u32'] as const),
  ...(['ipv4', 'ports', 'u8', 'u32'] as const),
  ...(['text', 'text'] as const),
];

/** Writes the attributes behind the header's place; returns the length of the message. */
export function writeExpectation(
  view: DataView,
  at: number,
  content: Expectation,
  sendTimeout: boolean,
): number {
  const writer = new AttributeWriter(view, at + headerBytes);
  const withPorts = portProtocols.has(content.master.protocol);
  writer.tuple(attribute.master, content.master, withPorts);
  writer.tuple(attribute.expected, content.tuple, withPorts);
  writer.tuple(attribute.mask, content.mask, withPorts);
  if (sendTimeout && content.timeoutSeconds !== undefined) {
    writer.u32(attribute.timeout, content.timeoutSeconds);
  }
  writer.u32(attribute.flags, content.flags ?? 0);
  if (content.class !== undefined) writer.u32(attribute.class, content.class);
  if (content.nat !== undefined && !content.isIpv6) {
    const { tuple, direction } = content.nat;
    writer.addresses(attribute.natIpv4, tuple);
    writer.u8(attribute.natProtocol, tuple.protocol);
    if (withPorts) writer.ports(attribute.natPorts, tuple);
    writer.u32(attribute.natDirection, direction);
  }
  if (content.helper !== undefined) writer.text(attribute.helper, content.helper, helperLimit);
  if (content.functionName !== undefined) {
    writer.text(attribute.function, content.functionName, functionLimit);
  }
  return writer.at - at;
}

/**
 * undefined where the message is malformed. Unknown attributes are skipped, `onUnknown` counts
 * them.
 */
export function readExpectation(
  view: DataView,
  from: number,
  end: number,
  onUnknown: () => void,
): Expectation | undefined {
  const found = new Map<number, DataView>();
  for (let at = from; end - at > 4;) {
    const length = view.getUint16(at);
    if (length < 4 || length > end - at) return undefined;
    const number = view.getUint16(at + 2);
    const field = fields[number];
    if (field === undefined) onUnknown();
    else if (field === 'text' ? length > fieldLength.text : length !== fieldLength[field]) {
      return undefined;
    } else {
      found.set(number, new DataView(view.buffer, view.byteOffset + at + 4, length - 4));
    }
    at += (length + 3) & ~3;
  }
  return assemble(found);
}

function assemble(found: ReadonlyMap<number, DataView>): Expectation | undefined {
  const master = readTuple(found, attribute.master);
  const tuple = readTuple(found, attribute.expected);
  const mask = readTuple(found, attribute.mask);
  if (master === undefined || tuple === undefined || mask === undefined) return undefined;
  const u32 = (number: number): number | undefined => found.get(number)?.getUint32(0);
  const nat = readNat(found);
  const timeoutSeconds = u32(attribute.timeout);
  const flags = u32(attribute.flags);
  const classNumber = u32(attribute.class);
  const helper = readText(found.get(attribute.helper));
  const functionName = readText(found.get(attribute.function));
  return {
    isIpv6: tuple.source.length === 32,
    master,
    tuple,
    mask,
    ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
    ...(flags === undefined ? {} : { flags }),
    ...(classNumber === undefined ? {} : { class: classNumber }),
    ...(nat === undefined ? {} : { nat }),
    ...(helper === undefined ? {} : { helper }),
    ...(functionName === undefined ? {} : { functionName }),
  };
}

function readTuple(
  found: ReadonlyMap<number, DataView>,
  first: number,
): ExpectationTuple | undefined {
  const addresses = found.get(first) ?? found.get(first + 1);
  const protocol = found.get(first + 2)?.getUint8(0);
  if (addresses === undefined || protocol === undefined) return undefined;
  return { protocol, ...readAddresses(addresses), ports: found.get(first + 3)?.getUint32(0) };
}

function readNat(found: ReadonlyMap<number, DataView>): Expectation['nat'] {
  const addresses = found.get(attribute.natIpv4);
  if (addresses === undefined) return undefined;
  return {
    tuple: {
      protocol: found.get(attribute.natProtocol)?.getUint8(0) ?? 0,
      ...readAddresses(addresses),
      ports: found.get(attribute.natPorts)?.getUint32(0),
    },
    direction: found.get(attribute.natDirection)?.getUint32(0) ?? 0,
  };
}

function readAddresses(view: DataView): { source: string; destination: string } {
  const text = Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString('hex');
  return { source: text.slice(0, text.length / 2), destination: text.slice(text.length / 2) };
}

function readText(view: DataView | undefined): string | undefined {
  if (view === undefined) return undefined;
  const bytes = Buffer.from(view.buffer, view.byteOffset, view.byteLength);
  const end = bytes.indexOf(0);
  // Names of kernel modules and their functions: what is not printable can be none.
  const text = bytes.toString('latin1', 0, end < 0 ? bytes.length : end);
  return /^[\x21-\x7e]*$/.test(text) ? text : undefined;
}

class AttributeWriter {
  at: number;
  readonly #view: DataView;

  constructor(view: DataView, at: number) {
    this.#view = view;
    this.at = at;
  }

  tuple(first: number, tuple: ExpectationTuple, withPorts: boolean): void {
    this.addresses(tuple.source.length === 32 ? first + 1 : first, tuple);
    this.u8(first + 2, tuple.protocol);
    if (withPorts) this.ports(first + 3, tuple);
  }

  addresses(number: number, tuple: ExpectationTuple): void {
    this.#put(number, [...Buffer.from(tuple.source + tuple.destination, 'hex')]);
  }

  ports(number: number, tuple: ExpectationTuple): void {
    this.u32(number, tuple.ports ?? 0);
  }

  u8(number: number, value: number): void {
    this.#put(number, [value]);
  }

  u32(number: number, value: number): void {
    this.#put(number, [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff]);
  }

  /** Left out where conntrackd would refuse it; `limit` counts the NUL. */
  text(number: number, text: string, limit: number): void {
    const bytes = [...Buffer.from(text, 'latin1'), 0];
    if (bytes.length <= limit) this.#put(number, bytes);
  }

  #put(number: number, value: readonly number[]): void {
    const view = this.#view;
    const length = 4 + value.length;
    view.setUint16(this.at, length);
    view.setUint16(this.at + 2, number);
    value.forEach((byte, i) => {
      view.setUint8(this.at + 4 + i, byte);
    });
    const end = this.at + ((length + 3) & ~3);
    for (let i = this.at + length; i < end; i++) view.setUint8(i, 0);
    this.at = end;
  }
}
