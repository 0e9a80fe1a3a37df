/**
 * Which other programs run in this network namespace: keepstate must not run beside what it
 * replaces. Anybody can give a process any name, so a name counts only for a process of root or of
 * this process's user, or of a user that holds what only the real program can hold.
 */
import { readdirSync, readlinkSync } from 'node:fs';
import { readRegularFile } from '../../base/regularFile.js';
import { isTrustedUser } from '../../base/trustedUser.js';
import type { Turns } from '../../base/time.js';

export interface RunningProgram {
  readonly pid: number;
  readonly name: string;
}

/**
 * Processes named `name` that share this process's network namespace, impostors and itself
 * excluded.
 */
export function runningHere(name: string, proc = '/proc'): readonly RunningProgram[] {
  const own = readLink(`${proc}/self/ns/net`);
  return readdirSync(proc).flatMap((entry) => {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) return [];
    if (readText(`${proc}/${entry}/comm`)?.trim() !== name) return [];
    if (readLink(`${proc}/${entry}/ns/net`) !== own) return [];
    return isGenuine(name, pid, proc) ? [{ pid, name }] : [];
  });
}

/** Read in one piece; then other work has its turn. */
const processesAtOnce = 16;

/**
 * The same for several names, without holding the thread up: there may be thousands of processes.
 */
export async function appearedHere(
  names: readonly string[],
  turns: Turns,
  proc = '/proc',
): Promise<readonly RunningProgram[]> {
  const own = readLink(`${proc}/self/ns/net`);
  const found: RunningProgram[] = [];
  const pids = readdirSync(proc).map(Number).filter(Number.isInteger);
  for (const [i, pid] of pids.entries()) {
    if (i % processesAtOnce === processesAtOnce - 1) {
      await new Promise<void>((resolve) => {
        turns.next(resolve);
      });
    }
    if (pid === process.pid) continue;
    const name = readText(`${proc}/${pid}/comm`)?.trim() ?? '';
    if (!names.includes(name) || readLink(`${proc}/${pid}/ns/net`) !== own) continue;
    if (isGenuine(name, pid, proc)) found.push({ pid, name });
  }
  return found;
}

/**
 * Whether `pid` is a running keepstate daemon of root's or of this process's user (its command line
 * says so). Asked only for a LockFile of 0.1.0, which did not lock it.
 */
export function isKeepstate(pid: number, proc = '/proc'): boolean {
  const words = readText(`${proc}/${pid}/cmdline`)?.split('\0') ?? [];
  const runs = words.includes('run') && words.some((word) => word.includes('keepstate'));
  return runs && isTrustedUser(userOf(pid, proc));
}

export interface Conflict {
  readonly program: RunningProgram;
  readonly remedy: string;
}

/** conntrackd and keepalived, where the configuration makes keepstate do their work. */
export function findConflicts(hasSync: boolean, hasVrrp: boolean): readonly Conflict[] {
  const wanted = [...(hasVrrp ? ['keepalived'] : []), ...(hasSync ? ['conntrackd'] : [])];
  return wanted.flatMap((name) =>
    runningHere(name)
      .slice(0, 1)
      .map((program) => ({
        program,
        remedy: `systemctl disable --now ${name}`,
      })),
  );
}

function isGenuine(name: string, pid: number, proc: string): boolean {
  const uid = userOf(pid, proc);
  if (isTrustedUser(uid)) return true;
  // With capabilities and a user of its own. Both kinds of socket need a capability in this
  // namespace.
  if (name === 'keepalived') return uid !== undefined && hasVrrpSocket(uid, proc);
  return name === 'conntrackd' && hearsNetfilter(pid, proc);
}

/** Effective user id. */
function userOf(pid: number, proc: string): number | undefined {
  const uid = /^Uid:\s+\d+\s+(\d+)/m.exec(readText(`${proc}/${pid}/status`) ?? '')?.[1];
  return uid === undefined ? undefined : Number(uid);
}

/**
 * A raw socket of protocol 112 (0x70): `sl local:PROTOCOL remote st tx:rx tr:tm retrnsmt uid ...`
 * (proc_pid_net(5)).
 */
function hasVrrpSocket(uid: number, proc: string): boolean {
  const lines = ['raw', 'raw6'].flatMap(
    (file) => readText(`${proc}/self/net/${file}`)?.split('\n') ?? [],
  );
  return lines.some((line) => {
    const fields = line.trim().split(/\s+/);
    return fields[1]?.endsWith(':0070') === true && Number(fields[7]) === uid;
  });
}

/** A netlink socket of NETLINK_NETFILTER (12) in some group: `sk Eth Pid Groups ...`. */
function hearsNetfilter(pid: number, proc: string): boolean {
  const lines = readText(`${proc}/self/net/netlink`)?.split('\n') ?? [];
  return lines.some((line) => {
    const [, protocol, port, groups = '0'] = line.trim().split(/\s+/);
    return Number(protocol) === 12 && Number(port) === pid && Number.parseInt(groups, 16) !== 0;
  });
}

function readText(path: string): string | undefined {
  // Processes end while we look.
  const file = readRegularFile(path, { bytes: 4 * 1_048_576 });
  return file.kind === 'text' ? file.text : undefined;
}

function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
