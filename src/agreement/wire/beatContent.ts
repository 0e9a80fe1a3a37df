/**
 * What a beat carries of a node and its units. The beat thread sends it as it is, and hands up that
 * of the peer when it changes. In network order, at most 512 bytes:
 *
 *   u8 version, 1 | u8 flags | u8 paths, each: name
 *   u8 nodes heard, each: address | u8 state of each path, in their order
 *   u8 units, each:
 *     u64 identity | u8 role and flags | u8 priority | u32 term | u32 held | u32 claims | address
 *     u8 faulty members, each: name
 *     u8 segments in doubt, each: u8 path | u8 answered | u8 flags
 *     u8 neighbours asked, each: address
 *   u8 further units that had no room
 *
 *   name: u8 length, 1 to 15 printable characters of ASCII
 *   address: u8 length, 4 or 16 | bytes
 */
import { ByteReader, ByteWriter } from '../../base/cursor.js';
import { DecodeError } from '../../base/errors.js';
import { formatIp, ipFromBytes, parseIp } from '../../base/ipAddress.js';
import type { PathState, Reach, Role, UnitStatement } from '../statement.js';

/** As much as the beat thread takes. */
const mostBytes = 512;
const version = 1;
const longestName = 15;
const mostPaths = 8;
const mostNodes = 4;
const mostUnits = 16;
const mostFaulty = 8;
const mostAsks = 8;
const mostTerm = 0xffff_ffff;

const contentFlags = { hasRealTime: 1, hasEnded: 2, saysMaster: 4 } as const;
const unitFlags = { isLastResort: 4, isSynchronised: 8, isInMaintenance: 16 } as const;
const reachFlags = { hasCarrier: 1, hasTargets: 2 } as const;
const roles: readonly Role[] = ['INIT', 'BACKUP', 'MASTER', 'FAULT'];
const pathStates: readonly PathState[] = ['unknown', 'living', 'silent', 'blind', 'down'];

/** Of a unit; what it hears of the other nodes stands once for all units. */
export interface BeatUnit {
  /** Hash of what makes it the same unit on both nodes. */
  readonly identity: bigint;
  readonly says: Omit<UnitStatement, 'hears'>;
}

export interface BeatContent {
  readonly hasRealTime: boolean;
  /** Stop, reload, upgrade: the silence that follows says nothing. */
  readonly hasEnded: boolean;
  /** Names of this node's paths; `hears` and `reach` speak of no others. */
  readonly paths: readonly string[];
  readonly hears: UnitStatement['hears'];
  readonly units: readonly BeatUnit[];
  /** Units that had no room. */
  readonly more: number;
}

/** Lists are cut where they are too long; the units that do not fit are counted in `more`. */
export function encodeBeatContent(content: BeatContent): Uint8Array {
  const paths = content.paths.slice(0, mostPaths);
  const nodes = Object.entries(content.hears).slice(0, mostNodes);
  const units = content.units.slice(0, mostUnits).map((unit) => encodeUnit(unit, paths));
  const saysMaster = content.units.some(({ says }) => says.role === 'MASTER');
  const writer = new ByteWriter(mostBytes);
  writer.uint8(version).uint8(flagsOf({ ...content, saysMaster }, contentFlags));
  writer.uint8(paths.length);
  for (const path of paths) writeName(writer, path);
  writer.uint8(nodes.length);
  for (const [node, states] of nodes) {
    writeAddress(writer, node);
    for (const path of paths) writer.uint8(pathStates.indexOf(states[path] ?? 'unknown'));
  }
  // One byte each for their number and for `more`.
  let room = mostBytes - writer.offset - 2;
  const fitting = units.filter((unit) => (room -= unit.length) >= 0);
  writer.uint8(fitting.length);
  for (const unit of fitting) writer.bytes(unit);
  const left = content.units.length - fitting.length + content.more;
  return writer.uint8(Math.min(left, 255)).written();
}

/** Throws DecodeError: too short, too long, of another version, a number that means nothing. */
export function decodeBeatContent(bytes: Uint8Array): BeatContent {
  const reader = new ByteReader(bytes);
  const found = reader.uint8();
  if (found !== version) throw new DecodeError('version', `beat of version ${found}`);
  const flags = reader.uint8();
  const paths = list(reader, mostPaths, () => readName(reader));
  const hears = list(reader, mostNodes, () => {
    const node = readAddress(reader);
    const states = paths.map((path) => [path, oneOf(pathStates, reader.uint8())] as const);
    return [node, Object.fromEntries(states)] as const;
  });
  const units = list(reader, mostUnits, () => decodeUnit(reader, paths));
  const more = reader.uint8();
  if (reader.remaining > 0) throw new DecodeError('length', 'bytes behind a beat');
  const { hasRealTime, hasEnded } = readFlags(flags, contentFlags);
  return { hasRealTime, hasEnded, paths, hears: Object.fromEntries(hears), units, more };
}

function encodeUnit({ identity, says }: BeatUnit, paths: readonly string[]): Uint8Array {
  const reach = Object.entries(says.reach).filter(([segment]) => paths.includes(segment));
  const writer = new ByteWriter(mostBytes);
  writer.uint64(identity).uint8(roles.indexOf(says.role) | flagsOf(says, unitFlags));
  writer.uint8(says.priority);
  for (const term of [says.term, says.held, says.claims]) writer.uint32(Math.min(term, mostTerm));
  writeAddress(writer, says.address);
  const faulty = says.faulty.slice(0, mostFaulty);
  writer.uint8(faulty.length);
  for (const name of faulty) writeName(writer, name);
  writer.uint8(reach.length);
  for (const [segment, found] of reach) {
    writer.uint8(paths.indexOf(segment)).uint8(found.answered).uint8(flagsOf(found, reachFlags));
  }
  const asks = says.asks.slice(0, mostAsks);
  writer.uint8(asks.length);
  for (const address of asks) writeAddress(writer, address);
  return writer.written();
}

function decodeUnit(reader: ByteReader, paths: readonly string[]): BeatUnit {
  const identity = reader.uint64();
  const first = reader.uint8();
  const fixed = {
    ...{ role: oneOf(roles, first & 3), ...readFlags(first, unitFlags) },
    ...{ priority: reader.uint8(), term: reader.uint32(), held: reader.uint32() },
    ...{ claims: reader.uint32(), address: readAddress(reader) },
  };
  const faulty = list(reader, mostFaulty, () => readName(reader));
  const reach = list(reader, mostPaths, (): readonly [string, Reach] => {
    const segment = oneOf(paths, reader.uint8());
    const answered = reader.uint8();
    return [segment, { answered, ...readFlags(reader.uint8(), reachFlags) }];
  });
  const asks = list(reader, mostAsks, () => readAddress(reader));
  return { identity, says: { ...fixed, faulty, reach: Object.fromEntries(reach), asks } };
}

function list<Item>(reader: ByteReader, most: number, read: () => Item): readonly Item[] {
  const count = reader.uint8();
  if (count > most) throw new DecodeError('count', `${count} where ${most} are the most`);
  return Array.from({ length: count }, read);
}

function oneOf<Value>(values: readonly Value[], index: number): Value {
  const value = values[index];
  if (value === undefined) throw new DecodeError('value', `no value ${index}`);
  return value;
}

/** Longer names are cut; what is not printable becomes a question mark. */
function writeName(writer: ByteWriter, name: string): void {
  const printable = name.replace(/[^\x21-\x7e]/g, '?').slice(0, longestName) || '?';
  writer.uint8(printable.length).bytes(Buffer.from(printable, 'latin1'));
}

function readName(reader: ByteReader): string {
  const length = reader.uint8();
  const name = Buffer.from(reader.bytes(Math.min(length, longestName + 1))).toString('latin1');
  if (length === 0 || length > longestName || /[^\x21-\x7e]/.test(name)) {
    throw new DecodeError('name', 'a name of a beat is no name');
  }
  return name;
}

function writeAddress(writer: ByteWriter, text: string): void {
  const bytes = parseIp(text)?.bytes ?? new Uint8Array(4);
  writer.uint8(bytes.length).bytes(bytes);
}

function readAddress(reader: ByteReader): string {
  const address = ipFromBytes(reader.bytes(reader.uint8()));
  if (address === undefined) throw new DecodeError('address', 'an address of a beat is none');
  return formatIp(address);
}

type Bits<Name extends string> = Readonly<Record<Name, number>>;

function flagsOf<Name extends string>(
  values: Readonly<Record<NoInfer<Name>, boolean>>,
  bits: Bits<Name>,
): number {
  return namesOf(bits).reduce((sum, name) => sum | (values[name] ? bits[name] : 0), 0);
}

/** Bits without a name are of a later version, and pass. */
function readFlags<Name extends string>(
  flags: number,
  bits: Bits<Name>,
): Readonly<Record<Name, boolean>> {
  const entries = namesOf(bits).map((name) => [name, (flags & bits[name]) !== 0] as const);
  return Object.fromEntries(entries) as Readonly<Record<Name, boolean>>;
}

function namesOf<Name extends string>(bits: Bits<Name>): readonly Name[] {
  // The keys of a record of names are these names.
  return Object.keys(bits) as Name[];
}
