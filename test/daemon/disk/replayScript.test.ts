/**
 * `npm run replay -- FILE`: four machines in one recording, in order; what is decided otherwise
 * now is shown.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '../../../src/base/logger.js';
import { MachineRecorder } from '../../../src/base/machineRecord.js';
import { microseconds, seconds } from '../../../src/base/time.js';
import { initialAgreement } from '../../../src/agreement/agreementState.js';
import { agreementStep } from '../../../src/agreement/machine.js';
import { coordinatorStep } from '../../../src/coordinator/step.js';
import { initialCoordinator } from '../../../src/coordinator/vocabulary.js';
import { RecordingFile } from '../../../src/daemon/disk/recordingFile.js';
import { roleStep } from '../../../src/sync/role/machine.js';
import { initialRole } from '../../../src/sync/role/roleState.js';
import { repositoryRoot, typescriptCommand } from '../../lab/runTypescript.js';
import { agreementSettings } from '../../support/agreement/settings.js';
import { roleSettings } from '../../support/sync/roleConformance.js';
import { instanceSettings, unitSettings } from '../../support/vrrp/settings.js';

const at = microseconds(1_000);

describe('a recording', () => {
  let directory: string;
  let path: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'keepstate-replay-'));
    path = join(directory, 'life.jsonl');
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  function replay(): { readonly status: number | null; readonly lines: readonly string[] } {
    const [command = '', ...args] = typescriptCommand('scripts/replay.ts');
    const { status, stdout, stderr } = spawnSync(command, [...args, path], {
      cwd: repositoryRoot,
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    return { status, lines: stdout.trim().split('\n') };
  }

  async function record(withMachines: boolean): Promise<void> {
    const file = new RecordingFile(path, silentLogger);
    file.write({ unit: 'A', at, settings: unitSettings([instanceSettings({ name: 'A' })]) });
    if (withMachines) recordMachines((line) => file.write(line));
    file.write({ unit: 'A', event: { kind: 'start', at, resumeMaster: false } });
    await file.close();
  }

  /** As the runners write them. */
  function recordMachines(write: (line: object) => void): void {
    const deadlines = { commitDeadline: seconds(1), commitLimit: seconds(10) };
    const settings = { ...deadlines, preemptSyncTimeout: seconds(30), preempts: true };
    const coordinator = new MachineRecorder('coordinator', write);
    coordinator.begin(initialCoordinator, settings);
    const ready = { kind: 'workerReady', at } as const;
    coordinator.step(ready, settings, coordinatorStep(initialCoordinator, ready, settings).actions);
    const role = new MachineRecorder('role', write);
    role.begin(initialRole, roleSettings);
    const command = { kind: 'becomeFault', epoch: 1, at } as const;
    role.step(command, roleSettings, roleStep(initialRole, command, roleSettings).actions);
    const agreement = new MachineRecorder('agreement', write);
    agreement.begin(initialAgreement, agreementSettings);
    const begun = { kind: 'role', role: 'BACKUP', at } as const;
    const { actions } = agreementStep(initialAgreement, begun, agreementSettings);
    agreement.step(begun, agreementSettings, actions);
  }

  test('of VRRP, coordinator, role and agreement is lived again in order, and nothing differs', async () => {
    await record(true);
    const { status, lines } = replay();
    expect(lines.filter((line) => line.startsWith('{')).map((line) => line.slice(0, 50))).toEqual([
      expect.stringMatching(/^\{"machine":"coordinator","event":\{"kind":"worker/),
      expect.stringMatching(/^\{"machine":"role","event":\{"kind":"becomeFault/),
      expect.stringMatching(/^\{"machine":"agreement","event":\{"kind":"role/),
      expect.stringMatching(/^\{"unit":"A","event":\{"kind":"start"/),
    ]);
    expect(lines).toContain('  = role FAULT, epoch 1');
    expect(lines).toContain('  = agreement BACKUP, term 0');
    expect(status).toBe(0);
  });

  test('whose actions are others now shows both, and exits with 1', async () => {
    await record(true);
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.replace('{"kind":"endMastership"}', '{"kind":"beginMastership"}'));
    const { status, lines } = replay();
    expect(lines).toContain('  {"kind":"endMastership"}');
    expect(lines).toContain('  recorded: {"kind":"beginMastership"}');
    expect(status).toBe(1);
  });

  test('of 0.1.0 has VRRP alone', async () => {
    await record(false);
    const { status, lines } = replay();
    expect(lines[0]).toMatch(/^\{"unit":"A"/);
    expect(status).toBe(0);
  });
});
