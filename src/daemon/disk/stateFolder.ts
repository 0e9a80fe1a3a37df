/**
 * Where a daemon keeps its state: in `state_directory`, or, where that belongs to another keepstate
 * of this machine, in a folder of its own below it. Daemons of one machine are told apart by their
 * control sockets: two of them cannot have one. A file `owner` names the control socket to which
 * state.json and history.jsonl belong. Files of a version that wrote no `owner` (25dc65a) belong to
 * the first who starts.
 */
import { createHash } from 'node:crypto';
import { basename, join } from 'node:path';
import type { Logger } from '../../base/logger.js';
import { fileErrorText } from '../../base/regularFile.js';
import { systemDisk, type Disk } from './disk.js';

/**
 * The folder of state.json and history.jsonl for the daemon with this control socket; claims what
 * nobody owns.
 */
export function stateFolder(
  directory: string,
  controlPath: string,
  logger: Logger,
  disk: Disk = systemDisk,
): string {
  const path = join(directory, 'owner');
  const owner = ownerOf(path, disk) ?? claim(path, directory, controlPath, { logger, disk });
  if (owner === undefined || owner === controlPath) return directory;
  const own = join(directory, folderName(controlPath));
  const isFirst = !disk.exists(own);
  logger.log(isFirst ? 'warning' : 'info', 'state_directory belongs to another keepstate', {
    owner,
    used: own,
    ...(isFirst ? { ifThisIsTheSameNode: `remove ${path}` } : {}),
  });
  return own;
}

/** The control socket that is written in the file; undefined where there is none. */
function ownerOf(path: string, disk: Disk): string | undefined {
  const file = disk.read(path, { bytes: 4_096 });
  if (file.kind !== 'text') return undefined;
  const text = file.text.trim();
  return text === '' ? undefined : text;
}

/**
 * Who owns the directory now; undefined where that cannot be written, which is then said with the
 * first state.
 */
function claim(
  path: string,
  directory: string,
  controlPath: string,
  { logger, disk }: { readonly logger: Logger; readonly disk: Disk },
): string | undefined {
  try {
    // Another daemon may be faster.
    if (!disk.createOnce(path, `${controlPath}\n`)) return ownerOf(path, disk);
  } catch (error) {
    logger.log('warning', "state_directory cannot be marked as this node's own", {
      path,
      reason: fileErrorText(error),
    });
    return undefined;
  }
  const earlier = ['state.json', 'history.jsonl'].filter((name) =>
    disk.exists(join(directory, name)),
  );
  if (earlier.length > 0) {
    logger.log('notice', 'state of an earlier version is taken over', {
      directory,
      files: earlier.join(', '),
    });
  }
  return controlPath;
}

/** Readable, and different for different sockets: `b.sock-1a2b3c4d`. */
function folderName(controlPath: string): string {
  const digest = createHash('sha256').update(controlPath).digest('hex').slice(0, 8);
  return `${basename(controlPath)
    .replace(/[^\w.-]/g, '_')
    .slice(0, 60)}-${digest}`;
}
