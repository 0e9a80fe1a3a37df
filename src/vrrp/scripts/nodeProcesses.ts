/**
 * Real child processes, started as keepalived 2.2.7 starts scripts: a process group of their own,
 * nothing on stdin (but what they are given), stdout and stderr, umask 0177, the configured user,
 * no shell.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { isMainThread } from 'node:worker_threads';
import { errorText } from '../../base/errors.js';
import type { ScriptCommand } from '../settings.js';
import { chooseAccount, readAccountFiles } from './accounts.js';
import type { ProcessEnd, ProcessSpawner, StartedProcess } from './process.js';
import { insecureBecause, pathParts } from './scriptSecurity.js';

/** Files that a script makes are mode 0600, unless it sets its own mask. */
const scriptUmask = 0o177;
/** A preload or a field separator of the daemon's caller has no business in a script. */
const droppedVariables = ['IFS', 'LD_PRELOAD', 'LD_LIBRARY_PATH'];

export interface ScriptPolicy {
  readonly scriptUser?: { readonly user: string; readonly group?: string };
  readonly enableScriptSecurity: boolean;
}

const notStarted: StartedProcess = { signalGroup: () => undefined };

/** Starts children; `policy` is read at each start, so that a reload takes effect at once. */
export class NodeProcesses implements ProcessSpawner {
  readonly #policy: () => ScriptPolicy;

  constructor(policy: () => ScriptPolicy) {
    this.#policy = policy;
  }

  start(command: ScriptCommand, onEnd: (end: ProcessEnd) => void, input?: string): StartedProcess {
    const policy = this.#policy();
    const [file, ...args] = command.words;
    if (file === undefined) return refuse('empty command', onEnd);
    const own = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
    const account = chooseAccount(readAccountFiles(), command, policy.scriptUser, own);
    if ('refused' in account) return refuse(account.refused, onEnd);
    if (policy.enableScriptSecurity && account.uid === 0) {
      const reason = securityRefusal(file);
      if (reason !== undefined) return refuse(reason, onEnd);
    }
    const { environment = {} } = command;
    return startChild([file, ...args], account, { environment, input }, onEnd);
  }
}

interface Given {
  readonly environment: Readonly<Record<string, string>>;
  readonly input: string | undefined;
}

function startChild(
  [file, ...args]: readonly [string, ...string[]],
  account: { readonly uid: number; readonly gid: number },
  { environment, input }: Given,
  onEnd: (end: ProcessEnd) => void,
): StartedProcess {
  const before = setUmask(scriptUmask);
  try {
    const child = spawn(file, args, {
      detached: true,
      stdio: [input === undefined ? 'ignore' : 'pipe', 'ignore', 'ignore'],
      env: { ...scriptEnvironment(), ...environment },
      // Asking for the identity we already have would need a privilege for nothing.
      ...(account.uid === process.getuid?.() && account.gid === process.getgid?.() ? {} : account),
    });
    let ended = false;
    const end = (how: ProcessEnd): void => {
      if (!ended) onEnd(how);
      ended = true;
    };
    child.on('error', (error) => end({ kind: 'notStarted', because: error.message }));
    child.on('exit', (status, signal) => {
      if (signal !== null) end({ kind: 'signalled', signal });
      else end({ kind: 'exited', status: status ?? -1 });
    });
    // A child that does not read it, or has ended, has its reasons.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input ?? '');
    return { signalGroup: (signal) => signalGroup(child.pid, signal) };
  } catch (error) {
    return refuse(errorText(error), onEnd);
  } finally {
    if (before !== undefined) setUmask(before);
  }
}

/** Gives the one of before. It belongs to the process: other threads of it cannot set it. */
function setUmask(mask: number): number | undefined {
  return isMainThread ? process.umask(mask) : undefined;
}

function signalGroup(leader: number | undefined, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, constants.signals[signal]);
  } catch {
    // ESRCH: the group is gone, which is what was wanted.
  }
}

function refuse(because: string, onEnd: (end: ProcessEnd) => void): StartedProcess {
  queueMicrotask(() => onEnd({ kind: 'notStarted', because }));
  return notStarted;
}

function securityRefusal(file: string): string | undefined {
  if (!file.startsWith('/')) return `${file} is not an absolute path`;
  try {
    return insecureBecause(pathParts(file));
  } catch (error) {
    return errorText(error);
  }
}

function scriptEnvironment(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env).filter(([name]) => !droppedVariables.includes(name));
  return Object.fromEntries(entries);
}
