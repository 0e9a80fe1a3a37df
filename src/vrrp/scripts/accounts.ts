/**
 * Users and groups of the local account files, passwd(5) and group(5). Directory services are not
 * asked: a lookup over the network must never stand in the way of an advertisement.
 */
import { readFileSync } from 'node:fs';
import type { ScriptCommand } from '../settings.js';

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** `refused` says which name is unknown. */
export type AccountChoice = Account | { readonly refused: string };

export interface AccountFiles {
  readonly passwd: string;
  readonly group: string;
}

/** Numbers are taken as they are; a name that is not in the file gives undefined. */
export function findUser(passwd: string, user: string): Account | undefined {
  for (const line of passwd.split('\n')) {
    const [name, , uid, gid] = line.split(':');
    if (uid === undefined || gid === undefined) continue;
    if (name === user || uid === user) return { uid: Number(uid), gid: Number(gid) };
  }
  return /^\d+$/.test(user) ? { uid: Number(user), gid: Number(user) } : undefined;
}

/** Gives the number of a group. */
export function findGroup(group: string, wanted: string): number | undefined {
  for (const line of group.split('\n')) {
    const [name, , gid] = line.split(':');
    if (gid !== undefined && (name === wanted || gid === wanted)) return Number(gid);
  }
  return /^\d+$/.test(wanted) ? Number(wanted) : undefined;
}

/**
 * Whom a script runs as: its own user, else `script_user`, else user keepalived_script where it
 * exists, else root (keepalived 2.2.7). `own`: who the daemon is, where that is not root.
 */
export function chooseAccount(
  files: AccountFiles,
  command: ScriptCommand,
  scriptUser: { readonly user: string; readonly group?: string } | undefined,
  own: Account = { uid: 0, gid: 0 },
): AccountChoice {
  const user = command.user ?? scriptUser?.user;
  const group = command.user === undefined ? scriptUser?.group : command.group;
  if (user === undefined) {
    return findUser(files.passwd, 'keepalived_script') ?? own;
  }
  const account = findUser(files.passwd, user);
  if (account === undefined) return { refused: `script user '${user}' does not exist` };
  if (group === undefined) return account;
  const gid = findGroup(files.group, group);
  if (gid === undefined) return { refused: `script group '${group}' does not exist` };
  return { uid: account.uid, gid };
}

/** Reads this host's files; a missing file counts as empty. */
export function readAccountFiles(): AccountFiles {
  return { passwd: readOrEmpty('/etc/passwd'), group: readOrEmpty('/etc/group') };
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // A host without account files has no names to offer: only numbers work then.
    return '';
  }
}
