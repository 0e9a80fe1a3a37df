/** Why the command ends without doing, or before finishing, what was asked. */

/** conntrack(8): errors of the command line are 2, all others 1. */
export const exitCode = { done: 0, failed: 1, usage: 2 } as const;

/** Thrown inside the command and caught by `runConntrack`; `text` is for a person. */
export class Refusal extends Error {
  readonly exitCode: number;

  constructor(code: number, text: string) {
    super(text);
    this.exitCode = code;
  }
}

/** The command line is wrong: the line that names the help follows. */
export function usage(text: string): Refusal {
  return new Refusal(exitCode.usage, text);
}

export function failure(text: string): Refusal {
  return new Refusal(exitCode.failed, text);
}
