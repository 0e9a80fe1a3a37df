/**
 * Which other programs do keepstate's work in this network namespace. Anybody can give a process
 * any name, so a name only says whom to look at: what it does is judged by its user, its
 * configuration and its sockets.
 */
import { readdirSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { readRegularFile } from '../../base/regularFile.js';
import type { Turns } from '../../base/time.js';
import { isTrustedUser } from '../../base/trustedUser.js';
import type { LoadPorts } from '../../config/loadPorts.js';
import { lockFileOf, sameWork } from '../../config/incumbentWork.js';
import type { IncumbentName } from '../../config/nodeSettings.js';
import { systemLoadPorts } from '../../config/systemPorts.js';
import { hasNetlinkSocket, hearsNetfilter, socketsOf, vrrpSockets } from './incumbentSockets.js';

export interface RunningProgram {
  readonly pid: number;
  readonly name: IncumbentName;
}

/** Where processes and their configurations are looked up. */
export interface ProcessLook {
  readonly proc: string;
  readonly ports: LoadPorts;
}

const systemProcesses = (): ProcessLook => ({
  proc: '/proc',
  ports: systemLoadPorts({ machine: false }),
});

/** Those of `names` that do the same work in this process's network namespace. */
function runningHere(
  names: readonly IncumbentName[],
  look: ProcessLook = systemProcesses(),
): readonly RunningProgram[] {
  return pidsOf(look).flatMap((pid) => judge(pid, names, look));
}

/** Read in one piece; then other work has its turn. */
const processesAtOnce = 16;

/** The same without holding the thread up: there may be thousands of processes. */
export async function appearedHere(
  names: readonly IncumbentName[],
  turns: Turns,
  look: ProcessLook = systemProcesses(),
): Promise<readonly RunningProgram[]> {
  const found: RunningProgram[] = [];
  for (const [i, pid] of pidsOf(look).entries()) {
    if (i % processesAtOnce === processesAtOnce - 1) {
      await new Promise<void>((resolve) => {
        turns.next(resolve);
      });
    }
    found.push(...judge(pid, names, look));
  }
  return found;
}

/** Whether a conntrackd runs whose LockFile is, or may be, `path`. */
export function holdsLockFile(path: string, look: ProcessLook = systemProcesses()): boolean {
  return pidsOf(look).some((pid) => {
    if (nameOf(pid, ['conntrackd'], look) === undefined) return false;
    const own = lockFileOf(wordsOf(pid, look).slice(1), look.ports);
    return own === undefined || own === path;
  });
}

/**
 * Whether `pid` is a running keepstate daemon of root's or of this process's user (its command line
 * says so). Asked only for a LockFile of 0.1.0, which did not lock it.
 */
export function isKeepstate(pid: number, look: ProcessLook = systemProcesses()): boolean {
  const words = wordsOf(pid, look);
  const runs = words.includes('run') && words.some((word) => word.includes('keepstate'));
  return runs && isTrustedUser(userOf(pid, look));
}

export interface Conflict {
  readonly program: RunningProgram;
  readonly remedy: string;
}

/** conntrackd and keepalived, where they do what the configuration makes keepstate do. */
export function findConflicts(
  wanted: readonly IncumbentName[],
  look: ProcessLook = systemProcesses(),
): readonly Conflict[] {
  if (wanted.length === 0) return [];
  const running = runningHere(wanted, look);
  return wanted.flatMap((name) => {
    const program = running.find((one) => one.name === name);
    return program === undefined ? [] : [{ program, remedy: `systemctl disable --now ${name}` }];
  });
}

function pidsOf({ proc }: ProcessLook): readonly number[] {
  return readdirSync(proc)
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid !== process.pid);
}

function judge(
  pid: number,
  names: readonly IncumbentName[],
  look: ProcessLook,
): readonly RunningProgram[] {
  const name = nameOf(pid, names, look);
  if (name === undefined) return [];
  const does = name === 'keepalived' ? doesVrrp(pid, look) : doesSync(pid, look);
  return does ? [{ pid, name }] : [];
}

/**
 * By its title or its command line (keepalived's process_name changes the title), in this network
 * namespace, of a user that can be the program's.
 */
function nameOf(
  pid: number,
  names: readonly IncumbentName[],
  look: ProcessLook,
): IncumbentName | undefined {
  const { proc } = look;
  const title = readText(`${proc}/${pid}/comm`)?.trim();
  const program = basename(wordsOf(pid, look)[0] ?? '');
  const name = names.find((one) => one === title || one === program);
  if (name === undefined) return undefined;
  if (!isInThisNamespace(pid, look)) return undefined;
  return isGenuine(name, pid, look) ? name : undefined;
}

/** A process with more capabilities than this one does not show its namespace, but its sockets. */
function isInThisNamespace(pid: number, { proc }: ProcessLook): boolean {
  const namespace = readLink(`${proc}/${pid}/ns/net`);
  if (namespace === undefined) return hasNetlinkSocket(pid, proc);
  return namespace === readLink(`${proc}/self/ns/net`);
}

/** With capabilities and a user of its own it holds a socket that needs one in this namespace. */
function isGenuine(name: IncumbentName, pid: number, look: ProcessLook): boolean {
  const uid = userOf(pid, look);
  if (isTrustedUser(uid)) return true;
  return name === 'keepalived' ? hasVrrpSocket(uid, look) : hearsNetfilter(pid, look.proc);
}

function doesVrrp(pid: number, look: ProcessLook): boolean {
  switch (sameWork('keepalived', wordsOf(pid, look).slice(1), look.ports)) {
    case 'yes':
    case 'unreadable':
      return true;
    case 'missing':
      return hasVrrpSocket(userOf(pid, look), look);
    case 'no': {
      // The file may have changed since it was read; not every process may be looked into.
      const own = socketsOf(pid, look.proc);
      return vrrpSockets(look.proc).some(({ inode }) => own.has(inode));
    }
  }
}

function doesSync(pid: number, look: ProcessLook): boolean {
  switch (sameWork('conntrackd', wordsOf(pid, look).slice(1), look.ports)) {
    case 'yes':
    case 'unreadable':
      return true;
    case 'missing':
      return hearsNetfilter(pid, look.proc);
    case 'no':
      return false;
  }
}

function hasVrrpSocket(uid: number | undefined, { proc }: ProcessLook): boolean {
  return vrrpSockets(proc).some((socket) => socket.uid === uid);
}

/** Effective user id. */
function userOf(pid: number, { proc }: ProcessLook): number | undefined {
  const uid = /^Uid:\s+\d+\s+(\d+)/m.exec(readText(`${proc}/${pid}/status`) ?? '')?.[1];
  return uid === undefined ? undefined : Number(uid);
}

function wordsOf(pid: number, { proc }: ProcessLook): readonly string[] {
  return (readText(`${proc}/${pid}/cmdline`) ?? '').split('\0').filter((word) => word !== '');
}

function readText(path: string): string | undefined {
  // Processes end while we look.
  const file = readRegularFile(path, { bytes: 1_048_576 });
  return file.kind === 'text' ? file.text : undefined;
}

function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
