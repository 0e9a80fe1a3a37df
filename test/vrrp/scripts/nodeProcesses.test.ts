import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock, SystemTimers } from '../../../src/base/systemClock.js';
import { milliseconds } from '../../../src/base/time.js';
import { runWithDeadline } from '../../../src/vrrp/scripts/deadline.js';
import { NodeProcesses, type ScriptPolicy } from '../../../src/vrrp/scripts/nodeProcesses.js';
import { describeEnd, type ProcessEnd } from '../../../src/vrrp/scripts/process.js';
import { waitFor } from '../../lab/waitFor.js';

describe('real children', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'keepstate-scripts-'));
    chmodSync(directory, 0o777);
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const root = { words: [], user: 'root', group: 'root' };

  function run(words: readonly string[], policy: Partial<ScriptPolicy> = {}): Promise<ProcessEnd> {
    const spawner = new NodeProcesses(() => ({ enableScriptSecurity: false, ...policy }));
    return new Promise((resolve) => spawner.start({ ...root, words }, resolve));
  }

  function script(text: string): string {
    const path = join(directory, 'script');
    writeFileSync(path, `#!/bin/sh\n${text}\n`);
    chmodSync(path, 0o755);
    return path;
  }

  test('get their words as they are, without a shell in between', async () => {
    const path = script(`printf '%s|' "$@" > ${directory}/out`);
    expect(await run([path, 'a b', '$HOME', ';'])).toEqual({ kind: 'exited', status: 0 });
    expect(readFileSync(join(directory, 'out'), 'utf8')).toBe('a b|$HOME|;|');
  });

  test('lead a process group of their own, with umask 0177 and no output of ours', async () => {
    const path = script(
      `{ umask; ps -o pgid= -p $$; echo $$; readlink /proc/$$/fd/1; } > ${directory}/out 2>&1`,
    );
    expect(describeEnd(await run([path]))).toBe('exited with status 0');
    const [mask, group, pid] = readFileSync(join(directory, 'out'), 'utf8').split('\n');
    expect(mask).toBe('0177');
    expect(group?.trim()).toBe(pid);
    writeFileSync(join(directory, 'ours'), '');
    expect(statSync(join(directory, 'ours')).mode & 0o044).toBe(0o044);
  });

  test('have what they are told beside the variables of the daemon', async () => {
    const path = script(`printf '%s|%s' "$KEEPSTATE_REASON" "\${PATH:+set}" > ${directory}/out`);
    const spawner = new NodeProcesses(() => ({ enableScriptSecurity: false }));
    const environment = { KEEPSTATE_REASON: 'target WAN is unreachable' };
    await new Promise((resolve) => spawner.start({ ...root, words: [path], environment }, resolve));
    expect(readFileSync(join(directory, 'out'), 'utf8')).toBe('target WAN is unreachable|set');
  });

  test('run as the user and group that were asked for', async () => {
    const path = script(`id -u > ${directory}/out; id -g >> ${directory}/out`);
    const spawner = new NodeProcesses(() => ({ enableScriptSecurity: false }));
    const end = await new Promise((resolve) =>
      spawner.start({ words: [path], user: '1234', group: '1235' }, resolve),
    );
    expect(end).toEqual({ kind: 'exited', status: 0 });
    expect(readFileSync(join(directory, 'out'), 'utf8')).toBe('1234\n1235\n');
  });

  test('that do not exist, or have an unknown user, end as not started', async () => {
    expect(await run([join(directory, 'missing')])).toMatchObject({ kind: 'notStarted' });
    const spawner = new NodeProcesses(() => ({ enableScriptSecurity: false }));
    const end = await new Promise((resolve) =>
      spawner.start({ words: ['/bin/true'], user: 'primary' }, resolve),
    );
    expect(end).toEqual({ kind: 'notStarted', because: "script user 'primary' does not exist" });
  });

  test('are refused under script security where others can replace them', async () => {
    const path = script('exit 0');
    chmodSync(path, 0o777);
    const end = await run([path], { enableScriptSecurity: true });
    expect(describeEnd(end)).toContain('writable by everybody');
  });

  test('that hang are killed with their whole group', async () => {
    const path = script(
      `trap '' TERM\nsleep 1000 &\necho $! > ${directory}/child\nsleep 1000\nsleep 1000`,
    );
    const spawner = new NodeProcesses(() => ({ enableScriptSecurity: false }));
    const timers = new SystemTimers(systemClock);
    const ended = new Promise((resolve) =>
      runWithDeadline({ spawner, timers }, { ...root, words: [path] }, milliseconds(300), resolve),
    );
    expect(await ended).toEqual({ end: { kind: 'signalled', signal: 'SIGKILL' }, timedOut: true });
    const child = Number(readFileSync(join(directory, 'child'), 'utf8'));
    await waitFor(() => !isAlive(child));
  }, 20_000);
});

function isAlive(pid: number): boolean {
  try {
    const [, state = ''] = /\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
    return state !== 'Z';
  } catch {
    return false;
  }
}
