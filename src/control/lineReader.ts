/** Cuts a byte stream into lines of bounded length; a longer line ends the stream. */

export class LineReader {
  readonly #limit: number;
  #parts: Buffer[] = [];
  #length = 0;

  constructor(limitBytes: number) {
    this.#limit = limitBytes;
  }

  /** Complete lines without their newline, or `overflow` once a line exceeds the limit. */
  push(chunk: Buffer): readonly string[] | 'overflow' {
    const lines: string[] = [];
    let rest = chunk;
    for (let end = rest.indexOf(0x0a); end >= 0; end = rest.indexOf(0x0a)) {
      if (this.#length + end > this.#limit) return 'overflow';
      lines.push(Buffer.concat([...this.#parts, rest.subarray(0, end)]).toString('utf8'));
      this.#parts = [];
      this.#length = 0;
      rest = rest.subarray(end + 1);
    }
    if (this.#length + rest.length > this.#limit) return 'overflow';
    if (rest.length > 0) this.#parts.push(rest);
    this.#length += rest.length;
    return lines;
  }
}
