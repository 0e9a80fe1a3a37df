import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemTurns } from '../../../src/base/systemClock.js';
import {
  appearedHere,
  findConflicts,
  holdsLockFile,
  isKeepstate,
  type ProcessLook,
} from '../../../src/daemon/host/otherDaemons.js';
import { memoryFiles } from '../../config/loading.js';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'keepstate-daemon-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

const paths = {
  keepalived: '/etc/keepalived/keepalived.conf',
  conntrackd: '/etc/conntrackd/conntrackd.conf',
} as const;
const routes = { [paths.keepalived]: 'vrrp_instance A {\n}\n' };
const balances = { [paths.keepalived]: 'virtual_server 10.0.0.1 80 {\n}\n' };
const syncs = { [paths.conntrackd]: 'General {\n LockFile /run/other.lock\n}\nSync {\n}\n' };
const logs = { [paths.conntrackd]: 'General {\n}\nStats {\n}\n' };

interface Process {
  readonly title?: string;
  readonly uid?: number;
  /** Behind the program's name. */
  readonly words?: readonly string[];
  /** Inodes of its sockets, where it may be looked into. */
  readonly holds?: readonly number[];
}

/** A /proc with one process, 7, in our network namespace, and configurations. */
function machine(
  program: string,
  { title = program, uid = 0, words = [], holds = [] }: Process,
  files: Readonly<Record<string, string>> = {},
  tables: Readonly<Record<string, string>> = {},
): ProcessLook {
  const proc = join(directory, 'proc');
  rmSync(proc, { recursive: true, force: true });
  for (const pid of ['7', 'self']) {
    mkdirSync(join(proc, pid, 'ns'), { recursive: true });
    mkdirSync(join(proc, pid, 'fd'));
    symlinkSync('net:[1]', join(proc, pid, 'ns', 'net'));
  }
  mkdirSync(join(proc, 'self', 'net'));
  symlinkSync('socket:[4700]', join(proc, 'self', 'fd', '9'));
  for (const inode of holds) symlinkSync(`socket:[${inode}]`, join(proc, '7', 'fd', `${inode}`));
  writeFileSync(join(proc, '7', 'comm'), `${title}\n`);
  writeFileSync(join(proc, '7', 'status'), `Name:\t${title}\nUid:\t1\t${uid}\t1\t1\n`);
  writeFileSync(join(proc, '7', 'cmdline'), [`/usr/sbin/${program}`, ...words, ''].join('\0'));
  for (const [file, text] of Object.entries(tables)) {
    writeFileSync(join(proc, 'self', 'net', file), text);
  }
  return { proc, ports: { files: memoryFiles(files), hostName: 'fw1' } };
}

/** Of user 500; the second one is this process's own. */
const raw =
  '  1: 00000000:0070 00000000:0000 07 0:0 0:0 0 500 0 4711 2 0 0\n' +
  '  1: 00000000:0070 00000000:0000 07 0:0 0:0 0 0 0 4700 2 0 0\n';
const netlink = '0000000000000000 12  7 00000002 0 0 0 2 0 4712\n';

const both = ['keepalived', 'conntrackd'] as const;

describe('a process that may do what keepstate does', () => {
  test.each<[string, string, Process, Record<string, string>, Record<string, string>, boolean]>([
    ['routes by its configuration', 'keepalived', {}, routes, {}, true],
    ['routes under another title (process_name)', 'keepalived', { title: 'gw' }, routes, {}, true],
    ['only balances load', 'keepalived', {}, balances, {}, false],
    ['only checks, -C', 'keepalived', { words: ['-n', '-C'] }, routes, {}, false],
    ['only checks, -lnC', 'keepalived', { words: ['-lnC'] }, routes, {}, false],
    [
      'has a file of its own that balances',
      'keepalived',
      { words: ['-f', '/lvs'] },
      { ...routes, '/lvs': '' },
      {},
      false,
    ],
    [
      'has a file of its own that routes',
      'keepalived',
      { words: ['--use-file=/gw'] },
      { ...balances, '/gw': 'vrrp_instance A {\n}\n' },
      {},
      true,
    ],
    ['has a file that nobody can find', 'keepalived', { words: ['-f', 'lvs'] }, balances, {}, true],
    ['routes still by a file of before', 'keepalived', { holds: [4711] }, balances, { raw }, true],
    ['balances beside our own VRRP sockets', 'keepalived', {}, balances, { raw }, false],
    ['only has the name', 'keepalived', {}, {}, { raw }, false],
    ['is a user that only has the name', 'keepalived', { uid: 501 }, routes, { raw }, false],
    ['is a user with VRRP sockets', 'keepalived', { uid: 500 }, routes, { raw }, true],
    ['is a user with VRRP sockets and no file', 'keepalived', { uid: 500 }, {}, { raw }, true],
    ['replicates by its configuration', 'conntrackd', { words: ['-d'] }, syncs, {}, true],
    ['only logs', 'conntrackd', { words: ['-d'] }, logs, { netlink }, false],
    ['is a client', 'conntrackd', { words: ['-s'] }, syncs, {}, false],
    [
      'is a client with a file',
      'conntrackd',
      { words: ['-C', paths.conntrackd, '-i'] },
      syncs,
      {},
      false,
    ],
    ['hears events, and no file says more', 'conntrackd', {}, {}, { netlink }, true],
    ['hears nothing, and has no file', 'conntrackd', {}, {}, {}, false],
    [
      'is a user that hears nothing',
      'conntrackd',
      { uid: 500 },
      syncs,
      { netlink: netlink.replace('2 0', '0 0') },
      false,
    ],
    ['is a user that hears events', 'conntrackd', { uid: 500 }, syncs, { netlink }, true],
  ])('%s: %s', async (_what, program, process_, files, tables, isConflict) => {
    const look = machine(program, process_, files, tables);
    expect(findConflicts(both, look).length > 0).toBe(isConflict);
    // Looked for later, in pieces, the answer is the same.
    expect((await appearedHere(both, systemTurns, look)).length > 0).toBe(isConflict);
  });

  test('is no conflict where keepstate does other work', () => {
    expect(findConflicts(['conntrackd'], machine('keepalived', {}, routes))).toEqual([]);
  });

  test('on this machine is not this process', () => {
    expect(findConflicts([])).toEqual([]);
    expect(isKeepstate(2 ** 30)).toBe(false);
  });
});

test('a conntrackd has the lock file that its configuration names', () => {
  const other = machine('conntrackd', {}, syncs);
  expect(holdsLockFile('/run/other.lock', other)).toBe(true);
  expect(holdsLockFile('/var/lock/conntrack.lock', other)).toBe(false);
  expect(holdsLockFile('/var/lock/conntrack.lock', machine('conntrackd', {}, logs))).toBe(true);
  expect(holdsLockFile('/var/lock/conntrack.lock', machine('conntrackd', {}))).toBe(true);
  expect(holdsLockFile('/var/lock/conntrack.lock', machine('keepalived', {}))).toBe(false);
});

test('counts as keepstate only as a daemon of a trusted user', () => {
  const words = ['/usr/bin/keepstate', 'run'];
  expect(isKeepstate(7, machine('node', { words }))).toBe(true);
  expect(isKeepstate(7, machine('node', { words, uid: 500 }))).toBe(false);
  expect(isKeepstate(7, machine('node', { words: ['keepstate', 'status'] }))).toBe(false);
});

test('a process whose namespace is not shown is here where a netlink socket of its own is', () => {
  const header = 'sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode\n';
  const row = (pid: number): string => `00 0 ${pid} 00000000 0 0 0 2 0 4711\n`;
  const hidden = (netlink: string): ProcessLook => {
    const look = machine('keepalived', {}, routes, { netlink: header + netlink });
    rmSync(join(look.proc, '7', 'ns', 'net'));
    return look;
  };
  expect(findConflicts(['keepalived'], hidden(row(8)))).toEqual([]);
  expect(findConflicts(['keepalived'], hidden(row(7)))).toMatchObject([{ program: { pid: 7 } }]);
});
