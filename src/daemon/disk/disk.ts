/**
 * The disk as a node's memory uses it: small files under a name, replaced as a whole. A port, so
 * that a node can live without a disk; the real one stands on base/regularFile.ts and never follows
 * or opens what is no regular file.
 */
import { existsSync, linkSync, mkdirSync, readFileSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { systemErrorCode } from '../../base/errors.js';
import {
  appendToFile,
  readRegularFile,
  replaceFile,
  replaceFileLater,
  type FileLimit,
  type FileText,
} from '../../base/regularFile.js';

/** What writes throws Node.js's system error; folders are made where they are missing. */
export interface Disk {
  /** Never throws. */
  read(path: string, limit: FileLimit): FileText;
  exists(path: string): boolean;
  /** `durable`: a loss of power does not undo it. */
  replace(path: string, text: string, options?: { readonly durable: boolean }): void;
  /**
   * As a durable `replace`, without waiting; where `isStale` in the end, the name stays as it is.
   */
  replaceLater(path: string, text: string, isStale: () => boolean): Promise<void>;
  append(path: string, text: string): void;
  /** False where the name exists already; from the first moment the file has its text. */
  createOnce(path: string, text: string): boolean;
  /** Names the present boot; undefined where the kernel does not tell it. */
  bootId(): string | undefined;
}

export const systemDisk: Disk = {
  read: readRegularFile,
  exists: existsSync,
  replace: (path, text, options) => {
    makeFolder(path);
    replaceFile(path, text, options);
  },
  replaceLater: async (path, text, isStale) => {
    makeFolder(path);
    await replaceFileLater(path, text, isStale);
  },
  append: (path, text) => {
    makeFolder(path);
    appendToFile(path, text);
  },
  createOnce: (path, text) => {
    makeFolder(path);
    const whole = `${path}.${process.pid}`;
    replaceFile(whole, text, { durable: true });
    try {
      linkSync(whole, path);
      return true;
    } catch (error) {
      if (systemErrorCode(error) === 'EEXIST' && existsSync(path)) return false;
      throw error;
    } finally {
      unlinkSync(whole);
    }
  },
  bootId: () => readBootId(),
};

/** undefined where the kernel does not tell it: no file is then known to be of this boot. */
export function readBootId(path = '/proc/sys/kernel/random/boot_id'): string | undefined {
  try {
    const text = readFileSync(path, 'utf8').trim();
    return text === '' ? undefined : text;
  } catch {
    return undefined;
  }
}

function makeFolder(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
}
