/** Listing and removing network namespaces, with the processes that live in them. */
import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, tryRun } from './command.js';
import { sleep } from './waitFor.js';

const labName = /^ks(\d+)x[0-9a-f]{4}-/;

export async function listNamespaces(): Promise<string[]> {
  const text = await run(['ip', 'netns', 'list']);
  return text
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '')
    .filter((name) => name !== '');
}

/**
 * Kills what runs inside until nothing does, then removes the name. A namespace that is gone is
 * fine.
 */
export async function removeNamespace(namespace: string): Promise<void> {
  for (let round = 0; round < 100; round++) {
    const pids = (await tryRun(['ip', 'netns', 'pids', namespace])).stdout
      .split('\n')
      .map(Number)
      .filter((pid) => pid > 1 && pid !== process.pid && !isZombie(pid));
    if (pids.length === 0) break;
    for (const pid of pids) killHard(pid);
    await sleep(20);
  }
  const result = await tryRun(['ip', 'netns', 'delete', namespace]);
  if (result.exitCode !== 0 && (await listNamespaces()).includes(namespace)) {
    throw new Error(`cannot remove ${namespace}: ${result.stderr}`);
  }
}

/**
 * Removes the labs (namespaces, processes in them, scratch files) whose test process no longer
 * lives.
 */
export async function removeStaleLabs(): Promise<string[]> {
  const stale = (await listNamespaces()).filter((name) => belongsToDeadRun(name));
  for (const namespace of stale) await removeNamespace(namespace);
  for (const entry of readdirSync(tmpdir())) {
    if (belongsToDeadRun(entry)) rmSync(join(tmpdir(), entry), { recursive: true, force: true });
  }
  return stale;
}

function belongsToDeadRun(name: string): boolean {
  const pid = labName.exec(name)?.[1];
  if (pid === undefined) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

function isZombie(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z');
  } catch {
    return true;
  }
}

function killHard(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
