/**
 * Child processes as a port: what scripts, notify and FIFO readers need, and nothing of
 * child_process.
 */
import type { ScriptCommand } from '../settings.js';

/** How a child ended. `notStarted`: unknown user, missing file, refused by script security. */
export type ProcessEnd =
  | { readonly kind: 'exited'; readonly status: number }
  | { readonly kind: 'signalled'; readonly signal: string }
  | { readonly kind: 'notStarted'; readonly because: string };

export interface StartedProcess {
  /**
   * To the whole process group, also after its leader has ended; a group that is gone is no error.
   */
  signalGroup(signal: 'SIGTERM' | 'SIGKILL'): void;
}

/**
 * `onEnd` is called exactly once, never before `start` returned. `input` is what the child
 * reads; without it there is nothing to read.
 */
export interface ProcessSpawner {
  start(command: ScriptCommand, onEnd: (end: ProcessEnd) => void, input?: string): StartedProcess;
}

/** For logs and status: `exited with status 1`. */
export function describeEnd(end: ProcessEnd): string {
  switch (end.kind) {
    case 'exited':
      return `exited with status ${end.status}`;
    case 'signalled':
      return `ended by ${end.signal}`;
    case 'notStarted':
      return `not started: ${end.because}`;
  }
}
