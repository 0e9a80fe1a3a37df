/** The packages of this build: equal bytes, and a program that runs where it was unpacked. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from '../lab/host.js';
import { Lab } from '../lab/lab.js';
import { run, tryRun } from '../lab/command.js';
import { waitFor } from '../lab/waitFor.js';
import { makePackages } from './makePackages.js';

describe('the packages', () => {
  let lab: Lab;
  let host: Host;

  beforeAll(async () => {
    lab = await Lab.open();
    host = await lab.host('pkg');
    await host.ip(
      'link set lo up',
      'link add lan type veth peer name lan2',
      'addr add 10.0.0.1/24 dev lan',
      'link set lan up',
      'link set lan2 up',
    );
  });

  afterAll(() => lab.close());

  const folder = (name: string): string => {
    const path = host.path(name);
    mkdirSync(path);
    return path;
  };
  const sumOf = (path: string): string =>
    createHash('sha256').update(readFileSync(path)).digest('hex');

  test('two runs give equal bytes', async () => {
    const [one, two] = [folder('one'), folder('two')];
    for (const output of [one, two]) {
      await makePackages(output, { version: '0.0.7', only: ['nodejs', 'tgz'] });
    }
    for (const name of ['keepstate-nodejs_0.0.7_amd64.deb', 'keepstate-0.0.7.tgz']) {
      expect(sumOf(join(one, name))).toBe(sumOf(join(two, name)));
    }
  });

  test('the unpacked package runs with an empty PATH and becomes MASTER', async () => {
    const output = folder('deb');
    await makePackages(output, { version: '0.0.7', only: ['deb'] });
    const root = folder('root');
    await run(['dpkg-deb', '--extract', join(output, 'keepstate_0.0.7_amd64.deb'), root]);
    const program = join(root, 'usr/bin/keepstate');
    const bare = (...words: readonly string[]): Promise<string> =>
      host.exec(['/usr/bin/env', '-i', 'PATH=', program, ...words]);
    expect((await bare('--version')).trim()).toBe('0.0.7');
    const control = host.path('control.sock');
    const config = host.file(
      'node.conf',
      `global_defs {\n control_socket ${control}\n state_directory ${folder('state')}\n}\nvrrp_instance A {\n interface lan\n virtual_router_id 5\n priority 255\n virtual_ipaddress {\n  10.0.0.9/24\n }\n}\n`,
    );
    const daemon = host.start([
      ...['/usr/bin/env', '-i', 'PATH=', program, 'run', '--config', config],
    ]);
    await waitFor(() => host.hasAddress('10.0.0.9'), { description: 'the virtual address' });
    expect(readFileSync(`/proc/${daemon.pid}/comm`, 'utf8')).toBe('keepstate\n');
    const status = await tryRun([...host.enter, program, 'status', '--control', control]);
    expect(status.stdout).toContain('MASTER');
  });
});
