import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '../../../src/base/logger.js';
import { microseconds } from '../../../src/base/time.js';
import { RecordingFile } from '../../../src/daemon/disk/recordingFile.js';
import { replay } from '../../../src/vrrp/machine/recording.js';
import { instanceSettings, unitSettings } from '../../support/vrrp/settings.js';

describe('a recording', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'keepstate-recording-'));
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  async function recordStart(path: string): Promise<void> {
    const recording = new RecordingFile(path, silentLogger);
    const unit = 'A';
    const at = microseconds(1_000);
    recording.write({ unit, at, settings: unitSettings([instanceSettings({ name: 'A' })]) });
    recording.write({ unit, event: { kind: 'start', at, resumeMaster: false } });
    await recording.close();
  }

  test('can be replayed, and only its owner can read it', async () => {
    const path = join(directory, 'life.jsonl');
    await recordStart(path);
    const steps = [...replay(readFileSync(path, 'utf8').split('\n'))];
    expect(steps.map((step) => step.event.kind)).toEqual(['start']);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('goes on in the same file after a restart, as a new life', async () => {
    const path = join(directory, 'life.jsonl');
    await recordStart(path);
    await recordStart(path);
    const steps = [...replay(readFileSync(path, 'utf8').split('\n'))];
    expect(steps.map((step) => step.state)).toEqual([steps[0]?.state, steps[0]?.state]);
    expect(steps).toHaveLength(2);
  });

  test('in a directory that does not exist is refused with its path', () => {
    const path = join(directory, 'missing', 'life.jsonl');
    expect(() => new RecordingFile(path, silentLogger)).toThrow(path);
  });
});
