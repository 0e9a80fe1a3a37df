/**
 * `Filter From Kernelspace`: the lists as a classic BPF program for the event socket, so that
 * unwanted events cost neither a copy nor buffer space. Semantics of conntrackd 1.4.7's kernel
 * filter: the original tuple alone is looked at, source and destination; Accept wants both listed,
 * Ignore drops if either is; what lacks the attribute passes. Unlike there, DESTROY always passes
 * the state list.
 *
 * The program sees the netlink message: byte 4 message, byte 5 subsystem, attributes from 20.
 * Instructions are struct sock_filter (linux/filter.h): code u16, jt u8, jf u8, k u32, host order.
 */
import type { FilterList, FilterPrefix, FlowFilterSettings } from '../flowFilter.js';

const opcode = {
  loadImmediate: 0x00,
  loadIndexImmediate: 0x01,
  loadByteAbsolute: 0x30,
  loadByteIndirect: 0x50,
  loadWordIndirect: 0x40,
  and: 0x54,
  jumpEqual: 0x15,
  jump: 0x05,
  toIndex: 0x07,
  return: 0x06,
} as const;
/**
 * SKF_AD_OFF + SKF_AD_NLATTR, + SKF_AD_NLATTR_NEST: A = offset of attribute X searched from A, 0 if
 * none.
 */
const findAttribute = 0xfffff00c;
const findInNest = 0xfffff010;
/** The kernel refuses more (BPF_MAXINSNS). */
const mostInstructions = 4096;

type Label = string;
interface Instruction {
  readonly code: number;
  readonly k: number;
  /**
   * Where `jumpEqual` goes when equal; the other way is the next instruction. `jump` always goes
   * there.
   */
  readonly to?: Label;
}

/**
 * undefined where there is nothing to filter, or too much for one program (user space must do it).
 */
export function buildFilterProgram(settings: FlowFilterSettings): Uint8Array | undefined {
  const program = new Program();
  program.loadByte(5);
  program.unlessEqual(1, 'accept');
  if (settings.protocol !== undefined) protocolPart(program, settings.protocol);
  if (settings.address !== undefined) addressPart(program, settings.address);
  if (settings.tcpState !== undefined) statePart(program, settings.tcpState);
  if (program.length === 3) return undefined;
  program.label('accept');
  program.emit(opcode.return, 0xffffffff);
  program.label('drop');
  program.emit(opcode.return, 0);
  return program.length > mostInstructions ? undefined : program.assemble();
}

function protocolPart(program: Program, list: FilterList<number>): void {
  program.find([1, 2, 1], 'protocol passes');
  program.loadByteAtAttribute();
  verdictPart(program, list, 'protocol passes');
}

/** The loaded number against the list; falls through to `passes`. */
function verdictPart(program: Program, list: FilterList<number>, passes: Label): void {
  const listed = list.policy === 'accept' ? passes : 'drop';
  for (const number of list.entries) program.ifEqual(number, listed);
  if (list.policy === 'accept') program.goto('drop');
  program.label(passes);
}

function addressPart(program: Program, list: FilterList<FilterPrefix>): void {
  for (const [attribute, family] of [
    [1, 4],
    [2, 4],
    [3, 6],
    [4, 6],
  ] as const) {
    const passes = `address ${attribute} passes`;
    program.find([1, 1, attribute], passes);
    program.toIndex();
    const listed = list.policy === 'accept' ? passes : 'drop';
    for (const [i, entry] of list.entries.entries()) {
      if (entry.address.family === family) {
        networkPart(program, entry, listed, `address ${attribute} not ${i}`);
      }
    }
    if (list.policy === 'accept') program.goto('drop');
    program.label(passes);
  }
}

/** X stands on the attribute: jumps to `listed` where the address lies in the network. */
function networkPart(program: Program, entry: FilterPrefix, listed: Label, other: Label): void {
  const view = new DataView(entry.address.bytes.buffer, entry.address.bytes.byteOffset);
  const words = Math.ceil(entry.prefixLength / 32);
  if (words === 0) program.goto(listed);
  for (let i = 0; i < words; i++) {
    const bits = Math.min(32, entry.prefixLength - 32 * i);
    const mask = bits === 32 ? 0xffffffff : ~(0xffffffff >>> bits) >>> 0;
    program.emit(opcode.loadWordIndirect, 4 + 4 * i);
    if (bits < 32) program.emit(opcode.and, mask);
    const value = (view.getUint32(4 * i) & mask) >>> 0;
    if (i === words - 1) program.ifEqual(value, listed);
    else program.unlessEqual(value, other);
  }
  program.label(other);
}

function statePart(program: Program, list: FilterList<number>): void {
  program.loadByte(4);
  program.ifEqual(2, 'state passes');
  program.find([4, 1, 1], 'state passes');
  program.loadByteAtAttribute();
  verdictPart(program, list, 'state passes');
}

/**
 * Gathers instructions with named targets. Conditional jumps reach 255: farther ones go over a
 * `ja`.
 */
class Program {
  readonly #instructions: Instruction[] = [];
  readonly #labels = new Map<Label, number>();

  get length(): number {
    return this.#instructions.length;
  }

  emit(code: number, k: number, to?: Label): void {
    this.#instructions.push(to === undefined ? { code, k } : { code, k, to });
  }

  label(name: Label): void {
    this.#labels.set(name, this.#instructions.length);
  }

  loadByte(at: number): void {
    this.emit(opcode.loadByteAbsolute, at);
  }

  toIndex(): void {
    this.emit(opcode.toIndex, 0);
  }

  loadByteAtAttribute(): void {
    this.toIndex();
    this.emit(opcode.loadByteIndirect, 4);
  }

  /** Goes on where A differs, else to `to`: a short conditional over a long jump. */
  ifEqual(value: number, to: Label): void {
    this.emit(opcode.jumpEqual, value);
    this.emit(opcode.jump, 0, to);
  }

  unlessEqual(value: number, to: Label): void {
    const equal = `equal ${this.length}`;
    this.emit(opcode.jumpEqual, value, equal);
    this.emit(opcode.jump, 0, to);
    this.label(equal);
  }

  goto(to: Label): void {
    this.emit(opcode.jump, 0, to);
  }

  /** Walks a path of nested attributes: A = offset of the last; `absent` where one is missing. */
  find(path: readonly number[], absent: Label): void {
    this.emit(opcode.loadImmediate, 20);
    for (const [depth, attribute] of path.entries()) {
      this.emit(opcode.loadIndexImmediate, attribute);
      this.emit(opcode.loadByteAbsolute, depth === 0 ? findAttribute : findInNest);
      this.ifEqual(0, absent);
    }
  }

  assemble(): Uint8Array {
    const bytes = new Uint8Array(this.#instructions.length * 8);
    const view = new DataView(bytes.buffer);
    for (const [i, { code, k, to }] of this.#instructions.entries()) {
      const distance = to === undefined ? 0 : this.#labels.get(to)! - i - 1;
      view.setUint16(8 * i, code, true);
      // ifEqual without a target falls on the jump behind it; with one it skips that jump.
      const isConditional = code === opcode.jumpEqual;
      view.setUint8(8 * i + 2, isConditional ? distance : 0);
      view.setUint8(8 * i + 3, isConditional && to === undefined ? 1 : 0);
      view.setUint32(8 * i + 4, code === opcode.jump ? distance : k, true);
    }
    return bytes;
  }
}
