/**
 * Errors sorted by where they happened. Each has a stable `code` for programs, `fields` for logs
 * and an optional `cause`. An expected refusal is a value, not one of these.
 */

export type ErrorFields = Readonly<Record<string, string | number | boolean | undefined>>;

export class KeepstateError extends Error {
  readonly code: string;
  readonly fields: ErrorFields;

  constructor(code: string, message: string, fields: ErrorFields = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.code = code;
    this.fields = fields;
  }
}

/** Bytes from a peer or the kernel are wrong: count them, limit the log rate, never crash. */
export class DecodeError extends KeepstateError {}

/** The kernel refused an operation. `errno` is positive, as in errno(3). */
export class KernelError extends KeepstateError {
  readonly operation: string;
  readonly errno: number;

  constructor(operation: string, errno: number, message: string, fields: ErrorFields = {}) {
    super('kernel', `${operation}: ${message}`, { ...fields, errno });
    this.operation = operation;
    this.errno = errno;
  }
}

/** Something between threads, or over the control socket, is not what the protocol allows. */
export class BoundaryError extends KeepstateError {}

/** Our own mistake: carries the stack, the supervisor acts. */
export class BugError extends KeepstateError {
  constructor(message: string, fields: ErrorFields = {}, cause?: unknown) {
    super('bug', message, fields, cause);
  }
}

/** What an unknown thrown value says, for logs and answers. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** As `errorText`, with the stack where there is one. */
export function errorStack(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/**
 * The `code` of a Node.js system error (`ENOENT`), whichever realm it was made in; undefined for
 * anything else.
 */
export function systemErrorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
