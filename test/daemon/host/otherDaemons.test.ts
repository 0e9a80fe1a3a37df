import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemTurns } from '../../../src/base/systemClock.js';
import {
  appearedHere,
  findConflicts,
  isKeepstate,
  runningHere,
} from '../../../src/daemon/host/otherDaemons.js';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'keepstate-daemon-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

/** A /proc with one process, 7, in our network namespace. */
function fakeProc(
  name: string,
  uid: number,
  sockets: Readonly<Record<string, string>> = {},
): string {
  const proc = join(directory, 'proc');
  for (const pid of ['7', 'self']) {
    mkdirSync(join(proc, pid, 'ns'), { recursive: true });
    symlinkSync('net:[1]', join(proc, pid, 'ns', 'net'));
  }
  mkdirSync(join(proc, 'self', 'net'));
  writeFileSync(join(proc, '7', 'comm'), `${name}\n`);
  writeFileSync(join(proc, '7', 'status'), `Name:\t${name}\nUid:\t1\t${uid}\t1\t1\n`);
  writeFileSync(join(proc, '7', 'cmdline'), '/usr/bin/node\0/usr/bin/keepstate\0run\0');
  for (const [file, text] of Object.entries(sockets)) {
    writeFileSync(join(proc, 'self', 'net', file), text);
  }
  return proc;
}

describe('a process that bears the name of what keepstate replaces', () => {
  const raw = '  1: 00000000:0070 00000000:0000 07 0:0 0:0 0 500 0 4711 2 0 0\n';
  const netlink = '0000000000000000 12  7 00000002 0 0 0 2 0 4712\n';

  test.each([
    ['root runs it', 'keepalived', 0, {}, true],
    ['anybody runs it', 'keepalived', 500, {}, false],
    ['a user runs it who holds a raw VRRP socket', 'keepalived', 500, { raw }, true],
    ['anybody runs it beside a VRRP socket of another user', 'keepalived', 501, { raw }, false],
    ['root runs it', 'conntrackd', 0, {}, true],
    ['anybody runs it', 'conntrackd', 500, { raw }, false],
    ['it hears conntrack events', 'conntrackd', 500, { netlink }, true],
    [
      'its socket is in no group',
      'conntrackd',
      500,
      { netlink: netlink.replace('2 0', '0 0') },
      false,
    ],
  ] as const)('%s: %s, user %d', async (_what, name, uid, sockets, isGenuine) => {
    const proc = fakeProc(name, uid, sockets);
    expect(runningHere(name, proc).length > 0).toBe(isGenuine);
    // Looked for later, in pieces, the answer is the same.
    expect(await appearedHere(['keepalived', 'conntrackd'], systemTurns, proc)).toEqual(
      runningHere(name, proc),
    );
  });

  test('counts as keepstate only as a daemon of a trusted user', () => {
    expect(isKeepstate(7, fakeProc('node', 0))).toBe(true);
    rmSync(join(directory, 'proc'), { recursive: true });
    expect(isKeepstate(7, fakeProc('node', 500))).toBe(false);
    writeFileSync(join(directory, 'proc/7/cmdline'), '/usr/bin/node\0keepstate\0status\0');
    expect(isKeepstate(7, join(directory, 'proc'))).toBe(false);
  });
});

describe('other programs', () => {
  test('are found by name in this network namespace, this process is not', () => {
    expect(runningHere('no-such-program')).toEqual([]);
    expect(runningHere('node').map((one) => one.pid)).not.toContain(process.pid);
    expect(isKeepstate(2 ** 30)).toBe(false);
    expect(findConflicts(false, false)).toEqual([]);
  });
});
