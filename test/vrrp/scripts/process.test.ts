import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock, SystemTimers } from '../../../src/base/systemClock.js';
import { milliseconds } from '../../../src/base/time.js';
import { chooseAccount, findGroup, findUser } from '../../../src/vrrp/scripts/accounts.js';
import { runWithDeadline } from '../../../src/vrrp/scripts/deadline.js';
import { NodeProcesses, type ScriptPolicy } from '../../../src/vrrp/scripts/nodeProcesses.js';
import { describeEnd, type ProcessEnd } from '../../../src/vrrp/scripts/process.js';
import { insecureBecause, type PathPart } from '../../../src/vrrp/scripts/scriptSecurity.js';
import { nodeFiles } from '../../../src/vrrp/tracking/fileTracker.js';
import { procTable } from '../../../src/vrrp/tracking/processTracker.js';
import { waitFor } from '../../lab/waitFor.js';

const files = {
  passwd:
    'root:x:0:0:root:/root:/bin/sh\nkeepalived_script:x:900:901::/:/bin/false\nu:x:7:8::/:/x\n',
  group: 'root:x:0:\nstaff:x:50:\n',
};

describe('accounts', () => {
  test('names and numbers of the files are found, other numbers are taken as they are', () => {
    expect(findUser(files.passwd, 'u')).toEqual({ uid: 7, gid: 8 });
    expect(findUser(files.passwd, '7')).toEqual({ uid: 7, gid: 8 });
    expect(findUser(files.passwd, '4711')).toEqual({ uid: 4711, gid: 4711 });
    expect(findUser(files.passwd, 'nobody')).toBeUndefined();
    expect(findGroup(files.group, 'staff')).toBe(50);
  });

  test('a script’s own user comes first, then script_user, then keepalived_script, then root', () => {
    const command = { words: ['/x'] };
    const scriptUser = { user: 'u', group: 'staff' };
    expect(chooseAccount(files, { ...command, user: 'root' }, scriptUser)).toEqual({
      uid: 0,
      gid: 0,
    });
    expect(chooseAccount(files, command, scriptUser)).toEqual({ uid: 7, gid: 50 });
    expect(chooseAccount(files, command, undefined)).toEqual({ uid: 900, gid: 901 });
    expect(chooseAccount({ ...files, passwd: '' }, command, undefined)).toEqual({ uid: 0, gid: 0 });
    expect(chooseAccount(files, { ...command, user: 'primary' }, undefined)).toEqual({
      refused: "script user 'primary' does not exist",
    });
  });
});

describe('script security', () => {
  const part = (overrides: Partial<PathPart>): PathPart => ({
    path: '/x',
    uid: 0,
    gid: 0,
    mode: 0o755,
    isDirectory: false,
    ...overrides,
  });

  test.each([
    [{}, undefined],
    [{ uid: 1000 }, '/x belongs to user 1000'],
    [{ mode: 0o757 }, '/x is writable by everybody'],
    [{ mode: 0o775, gid: 50 }, '/x is writable by group 50'],
    [{ mode: 0o775 }, undefined],
    [{ mode: 0o1777, isDirectory: true }, undefined],
    [{ mode: 0o777, isDirectory: true }, '/x is writable by everybody'],
  ])('%j gives %j', (overrides, expected) => {
    expect(insecureBecause([part({}), part(overrides)])).toBe(expected);
  });
});

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

  test('are seen in the table of processes', () => {
    const own = [...procTable.list()].find((one) => one.argv()[0] === process.argv0);
    expect(own).toBeDefined();
  });

  test('a file is watched through its directory, across replacement and re-creation', async () => {
    const seen: string[] = [];
    let hasEnded = false;
    const stop = nodeFiles.watchDirectory(
      directory,
      (name) => void seen.push(name),
      () => (hasEnded = true),
    );
    writeFileSync(join(directory, 'f.new'), '1');
    execFileSync('mv', [join(directory, 'f.new'), join(directory, 'f')]);
    await waitFor(() => seen.includes('f'));
    stop();
    expect(hasEnded).toBe(false);
    let isMissing = false;
    nodeFiles.watchDirectory(
      join(directory, 'none'),
      () => undefined,
      () => (isMissing = true),
    );
    expect(isMissing).toBe(true);
    expect(nodeFiles.read(join(directory, 'none'))).toBeUndefined();
    expect(existsSync(join(directory, 'f'))).toBe(true);
  });
});

function isAlive(pid: number): boolean {
  try {
    const [, state = ''] = /\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
    return state !== 'Z';
  } catch {
    return false;
  }
}
