/**
 * keepalived's `process_name`: what ps, pidof and /proc/PID/comm say, for tools that look for it.
 */
import { writeFileSync } from 'node:fs';
import type { NodeSettings } from '../../config/nodeSettings.js';

/** Absent: the name that bin/keepstate has set. The kernel keeps 15 bytes; /proc may be hidden. */
export function nameProcess(
  { keepstate: { processName } }: Pick<NodeSettings, 'keepstate'>,
  path = '/proc/self/comm',
): void {
  if (processName === undefined) return;
  try {
    writeFileSync(path, processName);
  } catch {
    // A name changes nothing of what the daemon does.
  }
}
