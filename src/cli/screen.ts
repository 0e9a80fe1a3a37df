/**
 * A terminal that a command draws on anew each time, in the terminal's second screen, and gives
 * back as it was: at q, Ctrl-C, a signal or an error. Ctrl-Z stops the command and `fg` draws
 * again.
 */
import { writeSync } from 'node:fs';
import { clipPainted, screenLookOf, type Look } from './terminal.js';

/** xterm's control sequences. */
const enter = '\u001b[?1049h\u001b[?25l';
const leave = '\u001b[?25h\u001b[?1049l';
const home = '\u001b[H';
const endOfLine = '\u001b[K';
const belowIsEmpty = '\u001b[J';

const endingSignals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

type Terminal = Pick<NodeJS.WriteStream, 'columns' | 'rows' | 'write' | 'on' | 'off'> & {
  readonly fd: number;
};
type Keyboard = Pick<NodeJS.ReadStream, 'isTTY' | 'on' | 'off' | 'resume' | 'pause' | 'unref'> & {
  setRawMode?: (on: boolean) => unknown;
};

export class Screen {
  readonly #terminal: Terminal;
  readonly #keyboard: Keyboard;
  readonly #resized: () => void;
  #resolveLeft: () => void = () => undefined;
  #isLeft = false;
  #isShown = false;
  /** Until somebody wants to leave. */
  readonly left = new Promise<void>((resolve) => {
    this.#resolveLeft = resolve;
  });

  /** `resized`: draw again, please. Both streams are terminals, the keyboard perhaps not. */
  constructor(terminal: Terminal, keyboard: Keyboard, resized: () => void) {
    this.#terminal = terminal;
    this.#keyboard = keyboard;
    this.#resized = resized;
    for (const signal of endingSignals) process.on(signal, this.#left);
    process.on('SIGCONT', this.#continued);
    // Whatever ends the process: nobody is left with a dead terminal.
    process.on('exit', this.#restore);
    terminal.on('resize', this.#resized);
    keyboard.on('data', this.#typed);
    this.#show();
  }

  get look(): Look & { readonly rows: number } {
    return screenLookOf(this.#terminal, process.env);
  }

  get isLeft(): boolean {
    return this.#isLeft;
  }

  /**
   * A terminal adds the carriage returns. Lines beyond the last row and columns beyond the last one
   * are cut off.
   */
  draw(text: string): void {
    const { columns, rows } = this.look;
    const lines = text.replace(/\n$/, '').split('\n').slice(0, rows);
    const shown = lines.map((line) => `${clipPainted(line, columns)}${endOfLine}`);
    this.#terminal.write(`${home}${shown.join('\n')}${belowIsEmpty}`);
  }

  close(): void {
    this.#restore();
    for (const signal of endingSignals) process.off(signal, this.#left);
    process.off('SIGCONT', this.#continued);
    process.off('exit', this.#restore);
    this.#terminal.off('resize', this.#resized);
    this.#keyboard.off('data', this.#typed);
    this.#keyboard.pause();
  }

  readonly #left = (): void => {
    this.#isLeft = true;
    this.#resolveLeft();
  };

  readonly #typed = (bytes: Buffer): void => {
    for (const key of bytes.toString('latin1')) {
      if (key === 'q' || key === 'Q' || key === '\u0003') this.#left();
      if (key === '\u001a') {
        this.#restore();
        process.kill(process.pid, 'SIGSTOP');
      }
    }
  };

  readonly #continued = (): void => {
    this.#show();
    this.#resized();
  };

  #show(): void {
    if (this.#isShown) return;
    this.#isShown = true;
    // Without it a key would wait for Enter, and be echoed.
    if (this.#keyboard.isTTY) this.#keyboard.setRawMode?.(true);
    this.#keyboard.resume();
    this.#terminal.write(enter);
  }

  readonly #restore = (): void => {
    if (!this.#isShown) return;
    this.#isShown = false;
    try {
      if (this.#keyboard.isTTY) this.#keyboard.setRawMode?.(false);
      // Now, and not in a turn of a loop that may not come.
      writeSync(this.#terminal.fd, leave);
    } catch {
      // The terminal is gone: there is nothing to give back.
    }
  };
}
