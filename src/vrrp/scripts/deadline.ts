/**
 * A child with a time limit: SIGTERM to its process group, SIGKILL two seconds later (keepalived
 * 2.2.7).
 */
import { seconds, type Microseconds, type Timers } from '../../base/time.js';
import type { ScriptCommand } from '../settings.js';
import type { ProcessEnd, ProcessSpawner } from './process.js';

const killAfterTerm = seconds(2);

/**
 * `timedOut`: the limit was reached; a script that catches SIGTERM still counts by its exit status.
 */
export interface LimitedEnd {
  readonly end: ProcessEnd;
  readonly timedOut: boolean;
}

export interface LimitedRun {
  /** Ends the group early, in the same two steps. `onEnd` is still called. */
  terminate(): void;
  /** SIGKILL at once. */
  kill(): void;
}

/** Runs `command`; without `limit` it may take for ever, until `terminate`. */
export function runWithDeadline(
  ports: { readonly spawner: ProcessSpawner; readonly timers: Timers },
  command: ScriptCommand,
  limit: Microseconds | undefined,
  onEnd: (result: LimitedEnd) => void,
  input?: string,
): LimitedRun {
  let timedOut = false;
  let isEnding = false;
  const ended = (end: ProcessEnd): void => {
    limitTimer?.cancel();
    onEnd({ end, timedOut });
  };
  const child = ports.spawner.start(command, ended, input);
  const terminate = (): void => {
    if (isEnding) return;
    isEnding = true;
    child.signalGroup('SIGTERM');
    // Also when the leader is gone by then: its children may have stayed.
    ports.timers.after(killAfterTerm, () => child.signalGroup('SIGKILL'));
  };
  const limitTimer =
    limit === undefined
      ? undefined
      : ports.timers.after(limit, () => {
          timedOut = true;
          terminate();
        });
  return { terminate, kill: () => child.signalGroup('SIGKILL') };
}
