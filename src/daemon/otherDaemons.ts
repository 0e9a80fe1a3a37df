/** Which other programs run in this network namespace: keepstate must not run beside what it replaces. */
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';

export interface RunningProgram {
  readonly pid: number;
  readonly name: string;
}

/** Processes named `name` that share this process's network namespace, itself excluded. */
export function runningHere(name: string, proc = '/proc'): readonly RunningProgram[] {
  const own = readLink(`${proc}/self/ns/net`);
  return readdirSync(proc).flatMap((entry) => {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) return [];
    if (readText(`${proc}/${entry}/comm`)?.trim() !== name) return [];
    return readLink(`${proc}/${entry}/ns/net`) === own ? [{ pid, name }] : [];
  });
}

/** Whether `pid` is alive and runs keepstate (its command line says so). */
export function isKeepstate(pid: number, proc = '/proc'): boolean {
  return readText(`${proc}/${pid}/cmdline`)?.includes('keepstate') ?? false;
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

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Processes end while we look.
    return undefined;
  }
}

function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
