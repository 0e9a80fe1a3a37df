/** What goes wrong beside the daemon: the role stays, and is told as it is. */
import type { Host } from '../../lab/host.js';
import { keepstateCommand } from '../../lab/keepstateProgram.js';
import { Lab } from '../../lab/lab.js';
import { waitFor } from '../../lab/waitFor.js';
import { KeepstateNode } from '../../support/daemon/keepstateNode.js';

jest.setTimeout(300_000);

const instance = (more = ''): string => `vrrp_instance A {
  interface wan
  virtual_router_id 77
  version 3
  advert_int 0.2
  priority 100
  unicast_src_ip 10.4.0.1
  unicast_peer {
    10.4.0.2
  }
  virtual_ipaddress {
    10.4.0.9/24
  }
${more}}
`;

let lab: Lab;
let host: Host;

beforeEach(async () => {
  lab = await Lab.open();
  const [one, two] = (await lab.hosts('one', 'two')) as [Host, Host];
  await lab.link(
    { host: one, name: 'wan', addresses: ['10.4.0.1/24'] },
    { host: two, name: 'wan', addresses: ['10.4.0.2/24'] },
  );
  host = one;
});

afterEach(async () => {
  await lab.close();
});

async function master(config: string): Promise<KeepstateNode> {
  const node = new KeepstateNode(host, config);
  await node.start();
  await node.waitForRole('MASTER');
  return node;
}

test('a log file on a full disk and an init_file that cannot be written: it runs, and stops', async () => {
  const node = await master(
    `General {\n  LogFile /dev/full\n}\nvrrp_track_file flag {\n  file /proc/no/such/folder\n  init_file 0\n}\n` +
      instance('  track_file {\n    flag\n  }\n'),
  );
  expect(node.process.output).toContain('the log file cannot be written');
  expect(node.process.output).toContain('init_file: the tracked file cannot be written');
  expect((await node.ask({ verb: 'reload' })).kind).toBe('answer');
  node.process.signal('SIGTERM');
  expect((await node.process.exited()).code).toBe(0);
  expect(node.process.output).toContain('notice: stopped');
});

test('nobody reads its stderr any more: it stays MASTER', async () => {
  const node = new KeepstateNode(host, instance());
  const words = [
    ...keepstateCommand(),
    'run',
    '--config',
    node.configFile,
    '--control',
    node.controlPath,
  ];
  const shell = host.start([
    'sh',
    '-c',
    `${words.join(' ')} --log-level debug 2>&1 >/dev/null | true`,
  ]);
  await node.waitForStatus((status) => status.instances[0]?.state === 'MASTER', 'the role');
  expect((await node.ask({ verb: 'reload' })).kind).toBe('answer');
  const { pid } = await node.status();
  process.kill(pid, 'SIGHUP');
  expect((await node.status()).instances[0]?.state).toBe('MASTER');
  process.kill(pid, 'SIGTERM');
  await shell.exited();
});

test('its interface is renamed while it is up: FAULT without the VIP, until it has its name again', async () => {
  const node = await master(instance());
  await host.ip('link set wan name other');
  await node.waitForRole('FAULT');
  await waitFor(async () => !(await host.exec(['ip', 'address'])).includes('10.4.0.9'), {
    description: 'the VIP to leave',
  });
  await host.ip('link set other name wan');
  await node.waitForRole('MASTER');
});

test('release leaves the addresses of a daemon with another control socket, if it is named', async () => {
  const node = await master(instance());
  const words = [...keepstateCommand(), 'release', '--config', node.configFile];
  const released = await host.tryExec([...words, '--control', node.controlPath]);
  expect(released.stdout).toContain('a keepstate runs with this configuration');
  expect(released.exitCode).toBe(1);
  expect((await node.status()).instances[0]?.vips.every(({ present }) => present)).toBe(true);
});
