/**
 * Helper names and security contexts as small numbers: a gateway knows a handful of them, so
 * records hold an id and no flow owns a string. Ids start at 1; 0 means "none". One instance per
 * thread, shared by all tables and codecs of that thread.
 *
 * A peer may invent names. Once there are many, those that no record of a table holds are freed and
 * their ids given again; where all are held, a peer's name is refused. The kernel's never is: its
 * helpers are modules of this machine.
 */

/** Beyond this a name is freed before one is added, or the peer's is refused. */
const mostNames = 256;
/**
 * Names asked for in vain before tables are looked through again: who invents names must not make
 * that frequent.
 */
const missesBetweenSweeps = 64;
/**
 * Ids given last stay: a record that is being decoded holds them, and no table yet. A power of two.
 */
const recentIds = 16;

/** Whoever keeps ids: calls `use` for each. Ids that are long freed, and 0, do no harm. */
export interface NameUser {
  eachName(use: (id: number) => void): void;
}

const noName = new Uint8Array(0);

export class NameTable {
  /** An empty name at a freed id. */
  readonly #names: Uint8Array[] = [noName];
  readonly #users = new Set<NameUser>();
  #free: number[] = [];
  readonly #recent = new Uint32Array(recentIds);
  #turn = 0;
  #misses = missesBetweenSweeps;
  #refused = 0;

  /** Names that are known now. */
  get size(): number {
    return this.#names.length - 1 - this.#free.length;
  }

  /** Names of a peer that were refused, since the start. */
  get refused(): number {
    return this.#refused;
  }

  /** `user` is asked when unused names are freed, until it is removed. */
  addUser(user: NameUser): void {
    this.#users.add(user);
  }

  /** A table that an engine has left behind holds nothing any more. */
  without(user: NameUser): this {
    this.#users.delete(user);
    return this;
  }

  /**
   * Id of the `length` bytes at `offset`, which exclude any NUL; 0 for an empty name. For what the
   * kernel says.
   */
  intern(bytes: Uint8Array, offset: number, length: number): number {
    if (length === 0) return 0;
    return this.#find(bytes, offset, length) || this.#add(bytes, offset, length, true);
  }

  /** The same for what a peer says: 0 also where too many names are in use. */
  internPeers(bytes: Uint8Array, offset: number, length: number): number {
    if (length === 0) return 0;
    return this.#find(bytes, offset, length) || this.#add(bytes, offset, length, false);
  }

  /** The name's bytes without NUL; empty for 0 and for ids that were never given. */
  bytes(id: number): Uint8Array {
    return this.#names[id] ?? noName;
  }

  text(id: number): string {
    return Buffer.from(this.bytes(id)).toString('latin1');
  }

  #find(bytes: Uint8Array, offset: number, length: number): number {
    for (let id = 1; id < this.#names.length; id++) {
      if (equalAt(this.#names[id]!, bytes, offset, length)) return this.#given(id);
    }
    return 0;
  }

  #add(bytes: Uint8Array, offset: number, length: number, isKernels: boolean): number {
    this.#misses++;
    if (this.size >= mostNames && this.#misses > missesBetweenSweeps) this.#sweep();
    if (this.size >= mostNames && !isKernels) {
      this.#refused++;
      return 0;
    }
    const id = this.#free.pop() ?? this.#names.length;
    this.#names[id] = bytes.slice(offset, offset + length);
    return this.#given(id);
  }

  #given(id: number): number {
    this.#recent[this.#turn] = id;
    this.#turn = (this.#turn + 1) & (recentIds - 1);
    return id;
  }

  #sweep(): void {
    this.#misses = 0;
    const used = new Uint8Array(this.#names.length);
    const use = (id: number): void => {
      if (id < used.length) used[id] = 1;
    };
    for (const user of this.#users) user.eachName(use);
    this.#recent.forEach(use);
    this.#free = [];
    for (let id = this.#names.length - 1; id > 0; id--) {
      if (used[id] === 1) continue;
      this.#names[id] = noName;
      this.#free.push(id);
    }
  }
}

function equalAt(name: Uint8Array, bytes: Uint8Array, offset: number, length: number): boolean {
  if (name.length !== length) return false;
  for (let i = 0; i < length; i++) if (name[i] !== bytes[offset + i]) return false;
  return true;
}
