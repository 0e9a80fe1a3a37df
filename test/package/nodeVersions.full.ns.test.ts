/**
 * The tarball for npm, and tests of this checkout, on each release of Node.js that is supported.
 */
import { mkdirSync, readFileSync, realpathSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run, tryRun } from '../lab/command.js';
import type { Host } from '../lab/host.js';
import { Lab } from '../lab/lab.js';
import { repositoryRoot } from '../lab/runTypescript.js';
import { waitFor } from '../lab/waitFor.js';
import { makePackages } from './makePackages.js';
import { nodeMajors, nodeProgram } from './nodeVersions.js';

jest.setTimeout(1_800_000);

const version = '0.0.7';

describe.each(nodeMajors)('Node.js %d', (major) => {
  let lab: Lab;
  let host: Host;
  let path: string;
  let prefix: string;

  beforeAll(async () => {
    lab = await Lab.open();
    host = await lab.host(`node${major}`);
    await host.ip(
      'link add lan type veth peer name lan2',
      'addr add 10.0.0.1/24 dev lan',
      'link set lan up',
      'link set lan2 up',
    );
    const bin = host.path('bin');
    mkdirSync(bin);
    symlinkSync(nodeProgram(major), join(bin, 'node'));
    path = `${bin}:${process.env['PATH'] ?? ''}`;
    prefix = host.path('prefix');
    mkdirSync(prefix);
    await makePackages(host.directory, { version, only: ['tgz'] });
  });

  afterAll(() => lab.close());

  const npm = join(
    dirname(realpathSync(process.execPath)),
    '../lib/node_modules/npm/bin/npm-cli.js',
  );
  const keepstate = (...words: string[]): readonly string[] => [
    join(prefix, 'bin/keepstate'),
    ...words,
  ];

  test('npm install -g into an empty prefix needs no network and no compiler', async () => {
    expect(
      (await run(['node', '--version'], { env: { PATH: path } })).startsWith(`v${major}.`),
    ).toBe(true);
    const words = ['install', '-g', '--prefix', prefix, '--offline', '--no-audit', '--no-fund'];
    const archive = join(host.directory, `keepstate-${version}.tgz`);
    await host.exec(['node', npm, ...words, archive], {
      env: { PATH: path, CC: '/bin/false', CXX: '/bin/false' },
    });
    expect(await run(keepstate('--version'), { env: { PATH: path } })).toBe(`${version}\n`);
  });

  test('doctor and run work', async () => {
    const control = host.path('control.sock');
    const state = host.path('state');
    const config = host.file(
      'node.conf',
      `global_defs {\n control_socket ${control}\n state_directory ${state}\n}\nvrrp_instance A {\n interface lan\n virtual_router_id 5\n priority 255\n virtual_ipaddress {\n  10.0.0.9/24\n }\n}\n`,
    );
    const doctor = await host.tryExec(keepstate('doctor', '--config', config, '--json'), {
      env: { PATH: path },
    });
    expect(Array.isArray(JSON.parse(doctor.stdout))).toBe(true);
    const daemon = host.start(keepstate('run', '--config', config), { env: { PATH: path } });
    await waitFor(() => host.hasAddress('10.0.0.9'), { description: 'the virtual address' });
    expect(readFileSync(`/proc/${daemon.pid}/comm`, 'utf8')).toBe('keepstate\n');
    const status = await tryRun([...host.enter, ...keepstate('status', '--control', control)], {
      env: { PATH: path },
    });
    expect(status.stdout).toContain('MASTER');
  });

  test.each([
    // The program alone has no headers beside it, which building the addon asks for.
    ['unit', 'test/(base|net/(?!native/nodeGyp)|conntrack/codec|vrrp/machine|config/settings)'],
    ['namespace', 'test/(net/socket|daemon/cluster/vrrpPair)'],
  ])('%s tests pass', async (project, pattern) => {
    const words = [
      '--ci',
      '--maxWorkers=1',
      '--selectProjects',
      project,
      '--testPathPatterns',
      pattern,
    ];
    const jest = join(repositoryRoot, 'node_modules/.bin/jest');
    const done = await tryRun(['node', jest, ...words], {
      env: { PATH: path, KEEPSTATE_FULL: '' },
      timeoutMilliseconds: 1_200_000,
    });
    expect(done.stderr).toMatch(/Tests: +(\d+ skipped, )?\d+ passed/);
    expect(done.exitCode).toBe(0);
  });
});
