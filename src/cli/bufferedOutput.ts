/**
 * Standard output for long listings: lines are gathered into large writes, a slow reader is waited
 * for, and a reader that went away (`| head`) ends the listing quietly.
 */
const flushBytes = 65_536;

export class BufferedOutput {
  readonly #stream: NodeJS.WritableStream;
  #pending: string[] = [];
  #pendingLength = 0;
  #isGone = false;

  constructor(stream: NodeJS.WritableStream) {
    this.#stream = stream;
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      this.#isGone = true;
    });
  }

  /** True after the reader closed its end. */
  get isGone(): boolean {
    return this.#isGone;
  }

  readonly write = (text: string): void => {
    this.#pending.push(text);
    this.#pendingLength += text.length;
    if (this.#pendingLength >= flushBytes) this.flush();
  };

  flush(): void {
    if (this.#pendingLength === 0 || this.#isGone) return;
    this.#stream.write(this.#pending.join(''));
    this.#pending = [];
    this.#pendingLength = 0;
  }

  /** Resolves when everything was handed to the kernel, or the reader went away. */
  async end(): Promise<void> {
    this.flush();
    if (this.#isGone) return;
    await new Promise<void>((resolve) => {
      this.#stream.write('', () => resolve());
    });
  }
}
