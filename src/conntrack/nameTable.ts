/**
 * Helper names and security contexts as small numbers: a gateway knows a handful of them, so records hold
 * an id and no flow owns a string. Ids start at 1; 0 means "none". One instance per thread, shared by all
 * tables and codecs of that thread.
 */

/** Beyond this a name is refused (id 0): the peer or the kernel would have to invent names endlessly. */
const mostNames = 256;

export class NameTable {
  readonly #names: Uint8Array[] = [new Uint8Array(0)];

  /** Id of the `length` bytes at `offset`, which exclude any NUL; 0 for an empty name or a full table. */
  intern(bytes: Uint8Array, offset: number, length: number): number {
    if (length === 0) return 0;
    for (let id = 1; id < this.#names.length; id++) {
      if (equalAt(this.#names[id]!, bytes, offset, length)) return id;
    }
    if (this.#names.length > mostNames) return 0;
    this.#names.push(bytes.slice(offset, offset + length));
    return this.#names.length - 1;
  }

  internText(text: string): number {
    const bytes = Buffer.from(text, 'latin1');
    return this.intern(bytes, 0, bytes.length);
  }

  /** The name's bytes without NUL; empty for 0 and for ids that were never given. */
  bytes(id: number): Uint8Array {
    return this.#names[id] ?? this.#names[0]!;
  }

  text(id: number): string {
    return Buffer.from(this.bytes(id)).toString('latin1');
  }
}

function equalAt(name: Uint8Array, bytes: Uint8Array, offset: number, length: number): boolean {
  if (name.length !== length) return false;
  for (let i = 0; i < length; i++) if (name[i] !== bytes[offset + i]) return false;
  return true;
}
