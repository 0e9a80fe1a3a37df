/**
 * Files that hold a key: regular, root's, readable by root alone, and opened without following a
 * link, so that what is judged is what is read.
 */
import { closeSync, constants, fstatSync, writeFileSync } from 'node:fs';
import { systemErrorCode } from './errors.js';
import { fileErrorText, openRegular, readDescriptor, type FileText } from './regularFile.js';

/** Twice as long as any key is written. */
const longest = 1_024;

/** Reads a key file. Never throws and never waits; `reason` is for a person. */
export function readSecretFile(path: string): FileText {
  return withOpened(path, (descriptor) => {
    const reason = openness(descriptor);
    if (reason !== undefined) return { kind: 'unreadable', reason };
    return readDescriptor(descriptor, { bytes: longest });
  });
}

/** Why a file is no place for a key; undefined where it is one. Never throws. */
export function whyNotSecret(path: string): string | undefined {
  const found = withOpened(path, (descriptor) => {
    const reason = openness(descriptor);
    return reason === undefined ? { kind: 'missing' } : { kind: 'unreadable', reason };
  });
  return found.kind === 'unreadable' ? found.reason : undefined;
}

/** Makes a file of mode 0600 that was not there before. Throws Node.js's system error. */
export function createSecretFile(path: string, text: string): void {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const descriptor = openRegular(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    writeFileSync(descriptor, text, { flush: true });
  } finally {
    closeSync(descriptor);
  }
}

function withOpened(path: string, look: (descriptor: number) => FileText): FileText {
  let descriptor: number | undefined;
  try {
    descriptor = openRegular(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    return look(descriptor);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return { kind: 'missing' };
    return { kind: 'unreadable', reason: fileErrorText(error) };
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function openness(descriptor: number): string | undefined {
  const { uid, mode } = fstatSync(descriptor);
  if (uid !== 0) return `it belongs to user ${uid}, not to root`;
  if ((mode & 0o077) === 0) return undefined;
  return `its mode is ${(mode & 0o777).toString(8).padStart(4, '0')}: others can use it`;
}
