/**
 * What both exporters for keepalived do, on a running keepstate: the version, the numbers of the
 * signals, the pid file, and each field that they read in the three dumps. A field that they cannot
 * read ends the scrape.
 */
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from '../../lab/host.js';
import { keepstateCommand } from '../../lab/keepstateProgram.js';
import { Lab } from '../../lab/lab.js';
import type { ManagedProcess } from '../../lab/managedProcess.js';
import { repositoryRoot } from '../../lab/runTypescript.js';
import { waitFor } from '../../lab/waitFor.js';
import { readData, readScripts, readStats } from '../../support/vrrp/exporterDumps.js';

jest.setTimeout(300_000);

let lab: Lab;
let host: Host;
let daemon: ManagedProcess;
const at = (...names: string[]): string => join(host.directory, ...names);

beforeAll(async () => {
  lab = await Lab.open();
  host = await lab.host('a');
  await host.ip(
    'link add lan type veth peer name far',
    'link set lan up',
    'link set far up',
    'addr add 192.0.2.1/24 dev lan',
  );
  for (const name of ['bin', 'run', 'state', 'tmp']) mkdirSync(at(name));
  symlinkSync(join(repositoryRoot, 'bin/keepstate'), at('bin/keepalived'));
  const config = host.file(
    'keepalived.conf',
    `global_defs {
  state_directory ${at('state')}
  pid_file ${at('run/keepalived.pid')}
}
vrrp_script check {
  script "/bin/true"
  interval 1
}
vrrp_script fails {
  script "/bin/false"
  interval 1
  weight -10
}
vrrp_instance A {
  interface lan
  virtual_router_id 7
  advert_int 1
  garp_master_delay 0.5
  virtual_ipaddress {
    192.0.2.9/24
    192.0.2.10/24 dev lan
  }
  virtual_ipaddress_excluded {
    192.0.2.11/24
  }
  track_script {
    check
    fails
  }
}
vrrp_instance B {
  interface absent
  virtual_router_id 8
}
`,
  );
  daemon = host.start(
    [...keepstateCommand(), ...['run', '--config', config, '--control', at('run/control.sock')]],
    { env: { TMPDIR: at('tmp') } },
  );
  await daemon.waitForOutput('keepstate runs', { timeout: 60_000 });
});

afterAll(async () => {
  await lab.close();
});

/** By the name keepalived, found in PATH by a shell, as exporters call it. */
const keepalived = (words: string) =>
  host.tryExec(['bash', '-c', `PATH=${at('bin')}:$PATH; keepalived ${words}`]);

/** Signals as an exporter does and gives the dump that comes. */
async function dump(word: string, name: string): Promise<string> {
  const number = Number((await keepalived(`--signum=${word}`)).stdout.trim());
  const pid = Number(readFileSync(at('run/keepalived.pid'), 'utf8').replace(/\n$/, ''));
  expect([Number.isInteger(number), Number.isInteger(pid)]).toEqual([true, true]);
  await host.exec(['rm', '-f', at('tmp', name)]);
  await host.exec(['kill', `-${number}`, String(pid)]);
  return waitFor(
    () => {
      try {
        return readFileSync(at('tmp', name), 'utf8');
      } catch {
        return undefined;
      }
    },
    { description: name, timeout: 60_000 },
  );
}

test('the version is one that they know, with JSON', async () => {
  const { stderr, exitCode } = await keepalived('-v');
  expect(exitCode).toBe(0);
  expect(/v(\d+\.\d+\.\d+)/.exec(stderr)?.[1]).toBe('2.2.7');
  expect((await keepalived('--version')).stderr).toContain('--enable-json');
});

test('keepalived.data: each instance and script, field by field', async () => {
  const suits = (text: string): boolean => readScripts(text).some(({ status }) => status === 'BAD');
  const text = await waitFor(
    async () => {
      const given = await dump('DATA', 'keepalived.data');
      return suits(given) && given.includes('State = MASTER') ? given : undefined;
    },
    { description: 'a MASTER and a script that failed', timeout: 60_000 },
  );
  expect(readData(text)).toEqual([
    {
      ...{ name: 'A', state: 2, wantState: 2, interface: 'lan', garpDelay: 0, vrid: 7 },
      vips: [
        { address: '192.0.2.9/24', device: 'lan' },
        { address: '192.0.2.10/24', device: 'lan' },
      ],
      lastTransition: expect.any(Number) as number,
    },
    {
      ...{ name: 'B', state: 3, wantState: 3, interface: 'absent', garpDelay: 5, vrid: 8 },
      ...{ vips: [], lastTransition: expect.any(Number) as number },
    },
  ]);
  const scripts = readScripts(text);
  expect(scripts.map(({ name, status }) => [name, status])).toEqual([
    ['check', 'GOOD'],
    ['fails', 'BAD'],
  ]);
  for (const { state } of scripts) expect(state).toMatch(/^(idle|running)$/);
});

const counters = {
  Advertisements: ['Received', 'Sent'],
  'Packet Errors': ['Length', 'TTL', 'Invalid Type', 'Advertisement Interval', 'Address List'],
  'Authentication Errors': ['Invalid Type', 'Type Mismatch', 'Failure'],
  'Priority Zero': ['Received', 'Sent'],
};

test('keepalived.stats: each of the fourteen counters is a whole number', async () => {
  const stats = readStats(await dump('STATS', 'keepalived.stats'));
  expect([...stats.keys()]).toEqual(['A', 'B']);
  for (const found of stats.values()) {
    const names = Object.entries(counters).flatMap(([section, keys]) =>
      keys.map((key) => `${section}/${key}`),
    );
    for (const name of [...names, 'Became master', 'Released master']) {
      expect([name, Number.isInteger(found.get(name))]).toEqual([name, true]);
    }
  }
  expect(stats.get('A')?.get('Became master')).toBe(1);
});

test('keepalived.json: whole numbers where they want them, and text of three words for a VIP', async () => {
  const list = JSON.parse(await dump('JSON', 'keepalived.json')) as readonly {
    readonly data: Readonly<Record<string, unknown>>;
    readonly stats: Readonly<Record<string, unknown>>;
  }[];
  expect(list).toHaveLength(2);
  for (const { data, stats } of list) {
    for (const name of ['vrid', 'state', 'wantstate', 'garp_delay']) {
      expect([name, Number.isInteger(data[name])]).toEqual([name, true]);
    }
    for (const name of ['iname', 'ifp_ifname']) expect(typeof data[name]).toBe('string');
    expect(typeof data['last_transition']).toBe('number');
    for (const vip of (data['vips'] ?? []) as string[]) {
      expect(vip.split(' ').length).toBeGreaterThanOrEqual(3);
    }
    expect(Object.values(stats).length).toBeGreaterThanOrEqual(14);
    for (const value of Object.values(stats)) expect(Number.isInteger(value)).toBe(true);
  }
  expect(list[0]?.data['evips']).toEqual([expect.stringContaining('192.0.2.11/24')]);
  expect(list[1]?.data['evips']).toBeUndefined();
});

test('the pid file goes with the daemon', async () => {
  await daemon.stop();
  await expect(host.exec(['test', '-e', at('run/keepalived.pid')])).rejects.toThrow();
});
