import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '../../../src/base/logger.js';
import { systemClock } from '../../../src/base/systemClock.js';
import { microseconds, seconds, type Microseconds } from '../../../src/base/time.js';
import { RoleMemory } from '../../../src/daemon/disk/roleMemory.js';
import { readBootId } from '../../../src/daemon/disk/disk.js';
import { StateFile } from '../../../src/daemon/disk/stateFile.js';
import type { RolePicture } from '../../../src/vrrp/status/rolePicture.js';
import { RecordedLog } from '../../support/base/recordedLog.js';
import { vrrpSettings } from '../../support/vrrp/routerHarness.js';
import { instanceSettings } from '../../support/vrrp/settings.js';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'keepstate-daemon-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

test('peers are told of a MASTER that is gone as long as the slowest of them may still wait', () => {
  const now = systemClock.now();
  const ago = (time: Microseconds): Microseconds => microseconds(now - time);
  const vrrp = vrrpSettings([instanceSettings({ name: 'A' }), instanceSettings({ name: 'B' })]);
  const file = new StateFile(join(directory, 'role.json'), silentLogger, {
    loss: 'all',
    durable: false,
  });
  const units = { A: ago(seconds(3.5)), B: ago(seconds(4.1)) };
  file.write({ bootId: readBootId() ?? '', maintenance: false, units });
  const memory = new RoleMemory(join(directory, 'control.sock'), directory, silentLogger);
  // Three adverts of a second, and the skew of priority 0.
  expect([...memory.awaited(vrrp, now)]).toEqual(['A']);
  expect([...memory.resumable(vrrp, now)]).toEqual([]);
  memory.forget({ heard: {} });
  expect([...memory.awaited(vrrp, now)]).toEqual([]);
});

test('maintenance that cannot be saved says so, until it can', () => {
  const logger = new RecordedLog();
  const state = join(directory, 'state');
  writeFileSync(state, 'in the way');
  const memory = new RoleMemory(join(directory, 'control.sock'), state, logger);
  memory.setMaintenance(true);
  memory.setMaintenance(true);
  expect(memory.maintenanceUnsaved).toMatch(/EEXIST|ENOTDIR/);
  expect(logger.lines).toEqual([
    'warning: the state cannot be saved: a restart will not know of maintenance and problems',
  ]);
  rmSync(state);
  memory.setMaintenance(true);
  expect(memory.maintenanceUnsaved).toBeUndefined();
  expect(new RoleMemory(join(directory, 'control.sock'), state, logger).maintenance).toBe(true);
});

describe('a hold on preemption that is to outlive a restart', () => {
  const open = (): RoleMemory =>
    new RoleMemory(join(directory, 'control.sock'), directory, silentLogger);
  const roles = (state: 'MASTER' | 'BACKUP'): RolePicture => ({
    instances: [
      {
        ...{ unit: 'A', vrid: 5, effectivePriority: 100, lastAdvertSent: microseconds(1) },
        ...{ masterHeard: undefined, master: undefined },
      },
    ],
    units: [{ name: 'A', state, since: microseconds(0) }],
  });

  test('is known to the next life, also after a clean stop', () => {
    const memory = open();
    expect(memory.holds).toBe(false);
    memory.setHold(true);
    memory.save(roles('BACKUP'), { heard: {} });
    memory.forget({ heard: {} });
    expect(open().holds).toBe(true);
  });

  test('ends where it is released, and with the role', () => {
    open().setHold(true);
    open().setHold(false);
    expect(open().holds).toBe(false);
    const memory = open();
    memory.setHold(true);
    memory.save(roles('MASTER'), { heard: {} });
    expect(memory.holds).toBe(false);
    expect(open().holds).toBe(false);
  });

  test('ends with the boot', () => {
    const file = new StateFile(join(directory, 'role.json'), silentLogger, {
      ...{ loss: 'all', durable: false },
    });
    file.write({ bootId: 'another', maintenance: false, units: {}, holds: true });
    expect(open().holds).toBe(false);
  });
});
