/**
 * Which units of keepalived and conntrackd systemd would start to do keepstate's work, read off the
 * links that `systemctl enable` makes and their configuration: no systemd need run. Only where this
 * process is in the network namespace in which systemd starts them.
 */
import { existsSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readRegularFile } from '../../base/regularFile.js';
import type { LoadPorts } from '../../config/loadPorts.js';
import { sameWork } from '../../config/incumbentWork.js';
import type { IncumbentName } from '../../config/nodeSettings.js';
import { systemLoadPorts } from '../../config/systemPorts.js';

export interface EnabledUnit {
  readonly name: IncumbentName;
  readonly unit: string;
  /** The link that makes systemd start it. */
  readonly link: string;
}

/** Where units stand, the first one that has a name wins (systemd.unit(5)). */
const unitFolders = [
  'etc/systemd/system',
  'run/systemd/system',
  'usr/local/lib/systemd/system',
  'usr/lib/systemd/system',
  'lib/systemd/system',
];

/** Of the programs `names`; `root` is another root folder in tests. */
export function enabledUnits(
  names: readonly IncumbentName[],
  root = '/',
  ports: LoadPorts = systemLoadPorts({ machine: false }),
): readonly EnabledUnit[] {
  const startable = names.filter((name) => isStartable(`${name}.service`, root));
  if (startable.length === 0) return [];
  const links = unitFolders.flatMap((folder) => wantsFolders(join(root, folder)));
  return startable.flatMap((name): EnabledUnit[] => {
    const unit = `${name}.service`;
    const link = links.map((folder) => join(folder, unit)).find(isLink);
    // A file that is missing today may be there at the next boot.
    if (link === undefined || sameWork(name, defaultWords(name, root), ports) === 'no') return [];
    return [{ name, unit, link }];
  });
}

/** DAEMON_ARGS of /etc/default, with which Debian's units start them. */
function defaultWords(name: IncumbentName, root: string): readonly string[] {
  const file = readRegularFile(join(root, 'etc/default', name), { bytes: 65_536 });
  const text = file.kind === 'text' ? file.text : '';
  const value = /^\s*DAEMON_ARGS=(['"]?)(.*?)\1\s*$/m.exec(text)?.[2] ?? '';
  return value.split(/\s+/).filter((word) => word !== '');
}

/** The unit is there and not masked (a link to /dev/null, or empty). */
function isStartable(unit: string, root: string): boolean {
  const found = unitFolders
    .map((folder) => join(root, folder, unit))
    .find((path) => isLink(path) || existsSync(path));
  if (found === undefined) return false;
  if (readLink(found) === '/dev/null') return false;
  // A link to a place below the other root dangles here.
  return root !== '/' || isFilled(found);
}

function isFilled(path: string): boolean {
  try {
    return statSync(path).size > 0;
  } catch {
    return false;
  }
}

/** `multi-user.target.wants` and the like. */
function wantsFolders(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => /\.(wants|requires|upholds)$/.test(name))
      .map((name) => join(folder, name));
  } catch {
    return [];
  }
}

function isLink(path: string): boolean {
  return readLink(path) !== undefined;
}

function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

/**
 * Whether units run elsewhere: this process is in a network namespace with a name (`ip netns`), or
 * in another one than process 1. What may not be asked (not root) counts as the same.
 */
export function isAwayFromUnits(): boolean {
  const own = readLink('/proc/self/ns/net');
  const first = readLink('/proc/1/ns/net');
  if (own !== undefined && first !== undefined && own !== first) return true;
  const inode = inodeOf('/proc/self/ns/net');
  const folder = '/run/netns';
  if (inode === undefined) return false;
  return namesIn(folder).some((name) => inodeOf(join(folder, name)) === inode);
}

function inodeOf(path: string): number | undefined {
  try {
    return statSync(path).ino;
  } catch {
    return undefined;
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
