import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { IncumbentName } from '../../../src/config/nodeSettings.js';
import { enabledUnits, type EnabledUnit } from '../../../src/daemon/host/incumbentUnits.js';
import { memoryFiles } from '../../config/loading.js';

const both = ['keepalived', 'conntrackd'] as const;
let root: string;

/** `files`: configurations by their path. */
const enabled = (
  names: readonly IncumbentName[],
  files: Readonly<Record<string, string>> = {},
): readonly EnabledUnit[] =>
  enabledUnits(names, root, { files: memoryFiles(files), hostName: 'fw1' });

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'keepstate-units-'));
  unit('lib/systemd/system/keepalived.service');
  unit('lib/systemd/system/conntrackd.service');
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

function unit(path: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), '[Service]\n');
}

function link(path: string, target: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  symlinkSync(target, join(root, path));
}

test('units that are installed and disabled are not enabled', () => {
  expect(enabled(both)).toEqual([]);
});

test('a link among the wants or requires of any target enables one', () => {
  link('etc/systemd/system/multi-user.target.wants/conntrackd.service', '/lib/systemd/system/x');
  expect(enabled(both)).toEqual([
    {
      name: 'conntrackd',
      unit: 'conntrackd.service',
      link: join(root, 'etc/systemd/system/multi-user.target.wants/conntrackd.service'),
    },
  ]);
  link('run/systemd/system/network.target.requires/keepalived.service', '/lib/systemd/system/x');
  expect(enabled(both).map((one) => one.unit)).toEqual([
    'keepalived.service',
    'conntrackd.service',
  ]);
  expect(enabled(['keepalived'])).toHaveLength(1);
});

test('a masked unit is not started, whatever wants it', () => {
  link('etc/systemd/system/multi-user.target.wants/conntrackd.service', '/lib/systemd/system/x');
  link('etc/systemd/system/conntrackd.service', '/dev/null');
  expect(enabled(both)).toEqual([]);
});

test('a link that is left of a removed package enables nothing', () => {
  rmSync(join(root, 'lib/systemd/system/conntrackd.service'));
  link('etc/systemd/system/multi-user.target.wants/conntrackd.service', '/lib/systemd/system/x');
  expect(enabled(both)).toEqual([]);
});

test('a machine without systemd has none', () => {
  rmSync(root, { recursive: true });
  mkdirSync(root);
  expect(enabled(both)).toEqual([]);
});

describe('a unit that is enabled and does other work', () => {
  const keepalived = '/etc/keepalived/keepalived.conf';
  const conntrackd = '/etc/conntrackd/conntrackd.conf';

  beforeEach(() => {
    for (const name of both) {
      link(`etc/systemd/system/multi-user.target.wants/${name}.service`, `/lib/${name}.service`);
    }
  });
  const names = (files: Readonly<Record<string, string>>): readonly string[] =>
    enabled(both, files).map(({ name }) => name);

  test('balances load, logs or helps, and is no problem', () => {
    expect(names({ [keepalived]: 'virtual_server 10.0.0.1 80 {\n}\n' })).toEqual(['conntrackd']);
    expect(names({ [conntrackd]: 'Helper {\n}\nGeneral {\n}\n' })).toEqual(['keepalived']);
    expect(names({ [keepalived]: 'vrrp_instance A {\n}\n', [conntrackd]: 'Sync {\n}\n' })).toEqual(
      both,
    );
  });

  test('does not route where it is started with -C, or with another file', () => {
    const files = { [keepalived]: 'vrrp_instance A {\n}\n', '/etc/lvs.conf': 'SSL {\n}\n' };
    mkdirSync(join(root, 'etc/default'));
    const defaults = join(root, 'etc/default/keepalived');
    for (const [line, left] of [
      ['DAEMON_ARGS="-C"', ['conntrackd']],
      ['DAEMON_ARGS="-f /etc/lvs.conf"', ['conntrackd']],
      ['DAEMON_ARGS=""', both],
      ['# DAEMON_ARGS="-C"', both],
    ] as const) {
      writeFileSync(defaults, `${line}\n`);
      expect(names(files)).toEqual(left);
    }
  });
});
