import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { enabledUnits } from '../../../src/daemon/host/incumbentUnits.js';

const both = ['keepalived', 'conntrackd'];
let root: string;

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
  expect(enabledUnits(both, root)).toEqual([]);
});

test('a link among the wants or requires of any target enables one', () => {
  link('etc/systemd/system/multi-user.target.wants/conntrackd.service', '/lib/systemd/system/x');
  expect(enabledUnits(both, root)).toEqual([
    {
      unit: 'conntrackd.service',
      link: join(root, 'etc/systemd/system/multi-user.target.wants/conntrackd.service'),
    },
  ]);
  link('run/systemd/system/network.target.requires/keepalived.service', '/lib/systemd/system/x');
  expect(enabledUnits(both, root).map((one) => one.unit)).toEqual([
    'keepalived.service',
    'conntrackd.service',
  ]);
  expect(enabledUnits(['keepalived'], root)).toHaveLength(1);
});

test('a masked unit is not started, whatever wants it', () => {
  link('etc/systemd/system/multi-user.target.wants/conntrackd.service', '/lib/systemd/system/x');
  link('etc/systemd/system/conntrackd.service', '/dev/null');
  expect(enabledUnits(both, root)).toEqual([]);
});

test('a link that is left of a removed package enables nothing', () => {
  rmSync(join(root, 'lib/systemd/system/conntrackd.service'));
  link('etc/systemd/system/multi-user.target.wants/conntrackd.service', '/lib/systemd/system/x');
  expect(enabledUnits(both, root)).toEqual([]);
});

test('a machine without systemd has none', () => {
  rmSync(root, { recursive: true });
  mkdirSync(root);
  expect(enabledUnits(both, root)).toEqual([]);
});
