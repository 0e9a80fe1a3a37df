/** `control_read_group`: real users of a real group ask, change nothing, and lock nobody out. */
import { chmodSync, existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { CommandResult } from '../../lab/command.js';
import type { Host } from '../../lab/host.js';
import { keepstateCommand } from '../../lab/keepstateProgram.js';
import { Lab } from '../../lab/lab.js';
import { KeepstateNode } from '../../support/daemon/keepstateNode.js';

jest.setTimeout(300_000);

/** Of each Debian machine. Who is in the group by a list, who by the account, and who is not. */
const group = 'games';
const [member, gamesUser, stranger] = ['nobody', 'games', 'daemon'] as const;

const config = (name: string): string => `global_defs {
  node_name fw1
  control_read_group ${name}
}
vrrp_instance A {
  interface lan
  virtual_router_id 7
  version 3
  advert_int 0.1
  virtual_ipaddress {
    192.0.2.9/24
  }
}
Stats {
  LogFile @DIRECTORY@/ended.log
}
General {
  LockFile @DIRECTORY@/lock
  UNIX {
    Path @DIRECTORY@/ctl
  }
}
`;

let lab: Lab;
let host: Host;
let node: KeepstateNode;
let readers: string;

beforeAll(async () => {
  lab = await Lab.open();
  host = await lab.host('a');
  await host.ip(
    'link add lan type veth peer name far',
    'link set lan up',
    'link set far up',
    'addr add 192.0.2.1/24 dev lan',
  );
  node = new KeepstateNode(host, config(group));
  await node.start();
  await node.waitForRole('MASTER');
  readers = `${host.directory}/run/read.sock`;
  // As /run/keepstate is: everybody may go in.
  for (let path = readers; path.startsWith('/tmp/ks'); path = dirname(path)) {
    if (statSync(path).isDirectory()) chmodSync(path, 0o755);
  }
});

afterAll(async () => {
  await lab.close();
});

/** As this user, in its own group and in `groups`. */
function as(user: string, groups: string, words: readonly string[]): Promise<CommandResult> {
  const supplementary = groups === '' ? '--clear-groups' : `--groups=${groups}`;
  return host.tryExec([
    ...['setpriv', `--reuid=${user}`, `--regid=${user === 'nobody' ? 'nogroup' : user}`],
    ...[supplementary, '--', ...words],
  ]);
}

const keepstate = (user: string, groups: string, ...words: string[]): Promise<CommandResult> =>
  as(user, groups, [...keepstateCommand(), ...words, '--control', node.controlPath]);

test('the socket is for the group alone', () => {
  const { mode, gid, uid } = statSync(readers);
  expect([mode & 0o777, gid, uid]).toEqual([0o660, 60, 0]);
  expect(statSync(node.controlPath).mode & 0o777).toBe(0o600);
});

test.each([
  ['status', 'fw1 is MASTER since'],
  ['status --json', '"role": "MASTER"'],
  ['status --nagios', 'KEEPSTATE OK: fw1 is MASTER'],
  ['top', 'fw1 is MASTER since'],
  ['history', 'instance A: '],
  ['stats', 'cache stats'],
])('a member may ask for %s', async (words, text) => {
  for (const [user, groups] of [
    [member, group],
    [gamesUser, ''],
  ] as const) {
    const { stdout, stderr } = await keepstate(user, groups, ...words.split(' '));
    expect(`${stdout}${stderr}`).toContain(text);
  }
});

test.each([
  'failover --force',
  'maintenance on --force',
  'acknowledge --all',
  'reload',
  'sync flush',
])('a member may not %s, neither by the program nor by its own words', async (words) => {
  const before = await node.status();
  const { exitCode, stderr } = await keepstate(member, group, ...words.split(' '));
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining('no permission')]);
  const [verb = ''] = words.split(' ');
  const request = {
    ...{ keepstate: 1, id: 1, verb: verb === 'sync' ? 'sync' : verb, action: 'flush' },
    ...{ force: true, on: true, all: true },
  };
  const raw = await as(member, group, [
    '/usr/bin/python3',
    '-c',
    rawPython,
    readers,
    JSON.stringify(request),
  ]);
  expect(raw.stdout).toContain('"code":"read-only"');
  const after = await node.status();
  expect([after.since, after.maintenance]).toEqual([before.since, before.maintenance]);
});

test('who is not in the group is told what everybody is told', async () => {
  const { exitCode, stderr } = await keepstate(stranger, '', 'status');
  expect([exitCode, stderr]).toEqual([
    2,
    `keepstate: no permission to use ${node.controlPath}\n  remedy: run this as root\n`,
  ]);
});

test('64 streams and 200 half requests of one user: another one and root go on', async () => {
  const holder = host.start([
    ...['setpriv', `--reuid=${member}`, '--regid=nogroup', `--groups=${group}`, '--'],
    ...['/usr/bin/python3', '-u', '-c', holdPython, readers],
  ]);
  await holder.waitForOutput('held', { timeout: 60_000 });
  const [streams = 0, refused = 0] = (/held (\d+) (\d+)/.exec(holder.output) ?? [])
    .slice(1)
    .map(Number);
  expect(streams).toBe(16);
  expect(refused).toBe(48);
  expect((await keepstate(gamesUser, '', 'status', '--json')).exitCode).toBe(0);
  expect((await node.cli('status', '--json')).exitCode).toBe(0);
  const follower = host.start([
    ...['setpriv', `--reuid=${gamesUser}`, `--regid=${gamesUser}`, '--clear-groups', '--'],
    ...[...keepstateCommand(), 'events', '--json', '--control', node.controlPath],
  ]);
  const rootFollower = host.start([
    ...[...keepstateCommand(), 'events', '--json', '--control', node.controlPath],
  ]);
  // Again, for one that came a moment later.
  const hasHeard = (): boolean =>
    [follower, rootFollower].every(({ output }) => output.includes('"to":"MASTER"'));
  for (let i = 0; i < 60 && !hasHeard(); i++) {
    await node.ask({ verb: 'maintenance', on: true, force: true });
    await node.ask({ verb: 'maintenance', on: false, force: false });
    await node.waitForRole('MASTER');
  }
  expect(hasHeard()).toBe(true);
  for (const one of [holder, follower, rootFollower]) await one.stop();
  expect((await keepstate(member, group, 'status', '--json')).exitCode).toBe(0);
});

test('a group that is not there is a problem; a reload mends it, and takes the socket away', async () => {
  node.writeConfig(config('no-such-group'));
  expect((await node.ask({ verb: 'reload' })).kind).toBe('answer');
  const { problems } = await node.waitForStatus(
    (one) => one.problems.some(({ code }) => code === 'readers-refused'),
    'readers-refused',
  );
  expect(problems.map(({ text }) => text)).toContain(
    "control_read_group no-such-group: there is no group 'no-such-group' in /etc/group",
  );
  expect(existsSync(readers)).toBe(false);
  node.writeConfig(config(group));
  expect((await node.ask({ verb: 'reload' })).kind).toBe('answer');
  expect((await keepstate(member, group, 'status')).exitCode).toBe(0);
  node.writeConfig(config(group).replace(`control_read_group ${group}`, ''));
  expect((await node.ask({ verb: 'reload' })).kind).toBe('answer');
  expect(existsSync(readers)).toBe(false);
});

const rawPython = `
import socket, sys
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.sendall(sys.argv[2].encode() + b'\\n')
print(s.recv(65536).decode())
`;

const holdPython = `
import socket, sys, time
def open_():
    s = socket.socket(socket.AF_UNIX); s.settimeout(20); s.connect(sys.argv[1]); return s
streams, refused, kept = 0, 0, []
for _ in range(64):
    s = open_(); s.sendall(b'{"keepstate":1,"id":1,"verb":"events"}\\n')
    answer = s.recv(65536)
    if b'subscribed' in answer: streams += 1; kept.append(s)
    elif b'busy' in answer: refused += 1
for _ in range(200):
    try: s = open_(); s.sendall(b'{"keepst'); kept.append(s)
    except OSError: pass
print('held', streams, refused, flush=True)
time.sleep(600)
`;
