/**
 * Nice value and real-time policy per thread. Linux schedules threads, not processes:
 * setpriority(2) and chrt(1) with a thread's id change that thread alone. The main thread's id is
 * the process id.
 */
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { setPriority } from 'node:os';
import { errorText } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import type { ThreadScheduling } from '../../config/nodeSettings.js';

/** Ids of this process's threads. */
export function threadIds(): ReadonlySet<number> {
  return new Set(readdirSync('/proc/self/task').map(Number));
}

/** A refusal (missing CAP_SYS_NICE) is logged and changes nothing else. */
export function schedule(threadId: number, wanted: ThreadScheduling, logger: Logger): void {
  const { nice, realtime } = wanted;
  if (nice !== undefined) {
    try {
      setPriority(threadId, nice);
    } catch (error) {
      const reason = errorText(error);
      logger.log('warning', 'the nice value cannot be set', { threadId, nice, reason });
    }
  }
  if (realtime === undefined) return;
  const { policy, priority } = realtime;
  // Children of a real-time thread are ordinary again: SCHED_RESET_ON_FORK.
  const words = ['-R', `--${policy}`, '-p', String(priority), String(threadId)];
  execFile('chrt', words, (error) => {
    if (error === null) return;
    const reason = error.message.trim();
    logger.log('warning', 'real-time scheduling cannot be set', { threadId, policy, reason });
  });
}
