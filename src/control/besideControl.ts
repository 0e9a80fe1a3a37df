/** The files and sockets that belong to a control socket: in its folder, and no other daemon's. */
import { basename, dirname, join } from 'node:path';

/**
 * `name` beside control.sock; beside any other socket `<its name>.name`, since two daemons may
 * share a folder.
 */
export function besideControl(controlPath: string, name: string): string {
  const own = basename(controlPath, '.sock');
  return join(dirname(controlPath), own === 'control' ? name : `${own}.${name}`);
}
