/** Files that released versions have left on disk stay understood. */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seconds } from '../../../src/base/time.js';
import { History } from '../../../src/daemon/disk/history.js';
import { RoleMemory } from '../../../src/daemon/disk/roleMemory.js';
import { mastersWithin, StateFile } from '../../../src/daemon/disk/stateFile.js';
import { RecordedLog } from '../../support/base/recordedLog.js';

const released = join(__dirname, '../../vectors/state-25dc65a');
const bootId = 'a802b005-302e-4313-9092-05c2ef12ba87';

let directory: string;
let log: RecordedLog;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'keepstate-released-'));
  log = new RecordedLog();
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

describe('files of 25dc65a', () => {
  test('role.json: who was MASTER, and when it advertised last', () => {
    const file = new StateFile(join(released, 'role.json'), log, { loss: '', durable: false });
    const saved = file.read();
    expect(saved).toMatchObject({ bootId, maintenance: false, units: { G1: 773_877_103 } });
    const patience = () => seconds(3);
    expect([...mastersWithin(saved, bootId, seconds(775), patience)]).toEqual(['G1']);
    expect(log.lines).toEqual([]);
  });

  test('state.json: a node that was in maintenance stays so', () => {
    const state = join(directory, 'state');
    mkdirSync(state);
    copyFileSync(join(released, 'state.json'), join(state, 'state.json'));
    const memory = new RoleMemory(join(directory, 'control.sock'), state, log);
    expect(memory.maintenance).toBe(true);
    expect(log.lines).toEqual([]);
  });

  test('history.jsonl: every transition, with what its takeover committed', () => {
    const path = join(directory, 'history.jsonl');
    copyFileSync(join(released, 'history.jsonl'), path);
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    const { length } = lines;
    const entries = new History(path, 100, log).entries();
    expect(length).toBe(12);
    expect(entries).toEqual(lines.map((line): unknown => JSON.parse(line)));
    expect(entries.at(-1)).toMatchObject({ name: 'G1', to: 'MASTER', takeoverMs: 24.929 });
    expect(log.lines).toEqual([]);
  });
});
