/**
 * The disk of a simulated machine. What is below /run, and what was not written durably, is gone
 * after a loss of power.
 */
import type { FileText } from '../../../src/base/regularFile.js';
import type { Disk } from '../../../src/daemon/disk/disk.js';

interface File {
  readonly text: string;
  /** What a loss of power leaves of it. */
  readonly lasting: string | undefined;
}

export class MemoryDisk {
  readonly #files = new Map<string, File>();

  /** For one boot and one process: `later` calls back in its thread, unless that has ended. */
  portOf(bootId: string, later: (done: () => void) => void): Disk {
    return {
      read: (path) => this.#read(path),
      exists: (path) => this.#files.has(path),
      replace: (path, text, options) => {
        this.#write(path, text, options?.durable === true);
      },
      replaceLater: (path, text, isStale) =>
        new Promise((resolve) => {
          later(() => {
            if (!isStale()) this.#write(path, text, true);
            resolve();
          });
        }),
      append: (path, text) => {
        this.#write(path, (this.#files.get(path)?.text ?? '') + text, false);
      },
      createOnce: (path, text) => {
        if (this.#files.has(path)) return false;
        this.#write(path, text, true);
        return true;
      },
      bootId: () => bootId,
    };
  }

  losePower(): void {
    for (const [path, { lasting }] of [...this.#files]) {
      if (lasting === undefined) this.#files.delete(path);
      else this.#files.set(path, { text: lasting, lasting });
    }
  }

  #read(path: string): FileText {
    const file = this.#files.get(path);
    return file === undefined
      ? { kind: 'missing' }
      : { kind: 'text', text: file.text, isCut: false };
  }

  #write(path: string, text: string, isDurable: boolean): void {
    const isVolatile = path.startsWith('/run/');
    const before = this.#files.get(path)?.lasting;
    this.#files.set(path, { text, lasting: isVolatile ? undefined : isDurable ? text : before });
  }
}
