/** A node shows itself over HTTP: the same as status, whoever asks, however they ask. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StatusAnswer } from '../../../src/control/statusAnswer.js';
import type { CommandResult } from '../../lab/command.js';
import type { Host } from '../../lab/host.js';
import { Lab } from '../../lab/lab.js';
import { waitFor } from '../../lab/waitFor.js';
import { KeepstateNode } from '../../support/daemon/keepstateNode.js';

jest.setTimeout(300_000);

const hostileRequests = 10_000;

const config = `http {
  listen 10.4.0.1 9642
  listen 127.0.0.1 9642
  unix @DIRECTORY@/http.sock
  allow 10.4.0.3/32 127.0.0.0/8
}
vrrp_instance A {
  interface wan
  virtual_router_id 77
  advert_int 0.2
  version 3
  virtual_ipaddress {
    10.4.0.9/24
  }
}
`;

/** Waits for the master that is under attack, and takes its role where adverts are missing. */
const standby = `vrrp_instance A {
  interface wan
  virtual_router_id 77
  priority 50
  advert_int 0.2
  version 3
  virtual_ipaddress {
    10.4.0.9/24
  }
}
`;

let lab: Lab;
let host: Host;
let other: Host;
let node: KeepstateNode;

beforeAll(async () => {
  lab = await Lab.open();
  [host, other] = (await lab.hosts('one', 'two')) as [Host, Host];
  await lab.link(
    { host, name: 'wan', addresses: ['10.4.0.1/24'] },
    { host: other, name: 'wan', addresses: ['10.4.0.2/24'] },
  );
  node = new KeepstateNode(host, config);
  await node.start();
  await node.waitForRole('MASTER');
  await node.process.waitForOutput('at=10.4.0.1:9642', { timeout: 60_000 });
});

afterAll(async () => {
  await lab.close();
});

function get(path: string, ...more: readonly string[]): Promise<CommandResult> {
  return host.tryExec(['curl', '-s', '-m', '20', ...more, `http://127.0.0.1:9642${path}`]);
}

test('metrics, status.json and status say the same', async () => {
  const status = await node.status();
  const shown = JSON.parse((await get('/status.json')).stdout) as StatusAnswer;
  const { role, since, reason, instances } = shown;
  expect({ role, since, reason }).toEqual({
    ...{ role: status.role, since: status.since, reason: status.reason },
  });
  const metrics = (await get('/metrics')).stdout;
  expect(metrics).toContain('keepstate_role{state="MASTER"} 1');
  expect(metrics).toContain(`keepstate_role_since_seconds ${Date.parse(since) / 1000}`);
  expect(metrics).toContain(`instance="${instances[0]?.name}"`);
  expect((await get('/metrics/keepalived')).stdout).toMatch(
    /keepalived_vrrp_state{iname="A",intf="wan",vrid="77",ip_address="10.4.0.9"} 2/,
  );
});

test('the page reads without JavaScript, under a strict policy', async () => {
  const { stdout } = await get('/', '-i');
  expect(stdout).toMatch(/Content-Security-Policy: default-src 'none'; script-src 'self'/);
  expect(stdout).toContain('X-Content-Type-Options: nosniff');
  expect(stdout).not.toMatch(/set-cookie/i);
  expect(stdout).toContain('<strong class="role MASTER">MASTER</strong>');
});

test('the page is told of a role change at once', async () => {
  const stream = host.start(['curl', '-s', '-N', '-m', '60', 'http://127.0.0.1:9642/view']);
  await stream.waitForOutput('data-role="MASTER"', { timeout: 60_000 });
  expect((await node.ask({ verb: 'maintenance', on: true, force: true })).kind).toBe('answer');
  await stream.waitForOutput('data-role="BACKUP"', { timeout: 60_000 });
  await node.ask({ verb: 'maintenance', on: false, force: false });
  await node.waitForRole('MASTER');
});

test('only the networks of allow are answered, and the socket is for root', async () => {
  const asked = (source: string): Promise<CommandResult> =>
    other.tryExec([
      'curl',
      '-s',
      '-m',
      '20',
      '--interface',
      source,
      'http://10.4.0.1:9642/healthz',
    ]);
  await other.exec(['ip', 'address', 'add', '10.4.0.3/24', 'dev', 'wan']);
  const refused = await asked('10.4.0.2');
  expect(refused.stdout).toBe('');
  expect(refused.exitCode).not.toBe(0);
  expect(await asked('10.4.0.3')).toMatchObject({ stdout: 'ok: MASTER\n', exitCode: 0 });
  const path = `${host.directory}/http.sock`;
  expect((await get('/healthz', '--unix-socket', path)).stdout).toBe('ok: MASTER\n');
  expect((await host.exec(['stat', '-c', '%a', path])).trim()).toBe('600');
});

test('hostile clients: bounded, the others are answered, and no advert is missed', async () => {
  const backup = new KeepstateNode(other, standby);
  await backup.start();
  await backup.waitForAdverts(2, ['A']);
  const hostile = host.file('hostile.py', hostilePython);
  const before = await node.status();
  const { stdout, exitCode } = await host.tryExec(['python3', hostile, String(hostileRequests)], {
    timeoutMilliseconds: 280_000,
  });
  expect([exitCode, stdout.trim()]).toEqual([0, 'done']);
  await waitFor(async () => (await get('/healthz')).stdout === 'ok: MASTER\n', {
    description: 'an honest client to be answered',
    timeout: 60_000,
  });
  const after = await node.status();
  expect(after.since).toBe(before.since);
  expect((await backup.history()).map(({ to }) => to)).not.toContain('MASTER');
  await backup.stop();
  // Half a second late, and the role was in danger (docs/problems.md).
  const codes = [...after.problems, ...after.endedProblems].map(({ code }) => code);
  expect(codes).not.toContain('late');
  expect(after.rssBytes - before.rssBytes).toBeLessThan(100 * 1_048_576);
  expect(
    await get('/', '-X', 'POST', '-d', 'x=y', '-o', '/dev/null', '-w', '%{http_code}'),
  ).toMatchObject({ stdout: '413' });
});

test('a port that is taken is a problem until it is free', async () => {
  const taker = host.start(['python3', '-c', takerPython]);
  await taker.waitForOutput('taken', { timeout: 60_000 });
  node.writeConfig(config.replace('listen 127.0.0.1 9642', 'listen 127.0.0.1 9643'));
  expect((await node.ask({ verb: 'reload' })).kind).toBe('answer');
  await node.waitForStatus(
    ({ problems }) => problems.some(({ code }) => code === 'http-refused'),
    'http-refused',
  );
  taker.signal('SIGTERM');
  await taker.exited();
  await node.waitForStatus(
    ({ problems }) =>
      problems.every(({ code, ended }) => code !== 'http-refused' || ended !== undefined),
    'the port to be served',
  );
  expect((await host.tryExec(['curl', '-s', 'http://127.0.0.1:9643/healthz'])).stdout).toBe(
    'ok: MASTER\n',
  );
});

test("the other systems' lines of docs/monitoring.md do what they are there for", async () => {
  const page = readFileSync(join(__dirname, '../../../docs/monitoring.md'), 'utf8');
  const rows = [
    ...page.matchAll(/^\| (Nagios|check_mk|Zabbix).*?`.*?\/usr\/bin\/keepstate (.*?)`/gm),
  ];
  const commands = new Map(rows.map(([, system = '', words = '']) => [system, words.split(' ')]));
  expect([...commands.keys()]).toEqual(['Nagios', 'check_mk', 'Zabbix']);
  for (const system of ['Nagios', 'check_mk']) {
    const { stdout, exitCode } = await node.cli(...(commands.get(system) ?? []));
    expect(stdout).toMatch(/^KEEPSTATE (OK|WARNING|CRITICAL): .*\|.+\n$/);
    expect(exitCode).toBe(['OK', 'WARNING', 'CRITICAL'].indexOf(stdout.split(/[ :]/)[1] ?? ''));
  }
  const { stdout } = await node.cli(...(commands.get('Zabbix') ?? []));
  expect(JSON.parse(stdout)).toMatchObject({ role: 'MASTER' });
});

const takerPython = `
import signal, socket
s = socket.socket(); s.bind(('127.0.0.1', 9643)); s.listen()
print('taken', flush=True)
signal.pause()
`;

/** Long, slow, half and broken requests, many at once; each is to end or to be cut. */
const hostilePython = `
import socket, sys
def open_():
    s = socket.socket(); s.settimeout(20); s.connect(('127.0.0.1', 9642)); return s
held = [open_() for _ in range(100)]
for i, s in enumerate(held):
    s.sendall((b'GET /metr', b'\\x00\\xff' * 50, b'GET / HTTP/1.1\\r\\nX: ')[i % 3])
def send(data):
    try:
        s = open_(); s.sendall(data)
        while s.recv(65536): pass
        s.close()
    except OSError: pass
for i in range(int(sys.argv[1])):
    send((
        b'GET /' + b'a' * 20000 + b' HTTP/1.1\\r\\n\\r\\n',
        b'GET / HTTP/1.1\\r\\nHost: x\\r\\n' + b'X: y\\r\\n' * 5000 + b'\\r\\n',
        b'POST / HTTP/1.1\\r\\nHost: x\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\nffffffff\\r\\n',
        b'\\x16\\x03\\x01\\x02\\x00\\x01\\x00',
        b'GET http://x/ HTTP/1.0\\r\\n\\r\\n',
        b'GET /%00..%2f HTTP/1.0\\r\\n\\r\\n',
        b'GET //[ HTTP/1.0\\r\\n\\r\\n',
    )[i % 7])
print('done')
`;
