/** The files that threads start from. */
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';

export type ThreadEntry = 'sync/worker/worker' | 'alert/alertThread' | 'http/thread';

/**
 * One file with all that the thread loads where scripts/bundle.cjs has made that, or else that of
 * its room: `.js` after the build, `.ts` where this file itself runs from source.
 */
export function threadFile(entry: ThreadEntry): string {
  const rooms = join(__dirname, '..');
  if (__filename.endsWith('.ts')) return join(rooms, `${entry}.ts`);
  const bundled = join(rooms, 'bundle', `${basename(entry)}.js`);
  return existsSync(bundled) ? bundled : join(rooms, `${entry}.js`);
}
