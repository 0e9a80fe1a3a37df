import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '../../../src/base/logger.js';
import { RoleMemory } from '../../../src/daemon/disk/roleMemory.js';
import { stateFolder } from '../../../src/daemon/disk/stateFolder.js';
import { RecordedLog } from '../../support/base/recordedLog.js';

const released = join(__dirname, '../../vectors/state-25dc65a');
let directory: string;
let state: string;
let log: RecordedLog;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'keepstate-folder-'));
  state = join(directory, 'state');
  log = new RecordedLog();
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

const folderOf = (control: string): string => stateFolder(state, control, log);

test('a daemon alone keeps its state in the directory itself, and owns it from then on', () => {
  expect(folderOf('/run/a.sock')).toBe(state);
  expect(folderOf('/run/a.sock')).toBe(state);
  expect(readdirSync(state)).toEqual(['owner']);
  expect(readFileSync(join(state, 'owner'), 'utf8')).toBe('/run/a.sock\n');
  expect(log.lines).toEqual([]);
});

test('two clusters that share a directory share neither maintenance nor history', () => {
  const memory = (control: string): RoleMemory =>
    new RoleMemory(join(directory, control), stateFolder(state, control, log), silentLogger);
  memory('/run/a/control.sock').setMaintenance(true);
  const other = memory('/run/b/control.sock');
  expect(other.maintenance).toBe(false);
  other.setMaintenance(true);
  memory('/run/a/control.sock').setMaintenance(false);
  expect(memory('/run/b/control.sock').maintenance).toBe(true);
  expect(memory('/run/a/control.sock').maintenance).toBe(false);
  expect(log.lines).toEqual([
    'warning: state_directory belongs to another keepstate',
    'info: state_directory belongs to another keepstate',
  ]);
  expect(log.fields[0]).toMatchObject({ owner: '/run/a/control.sock' });
});

test('files of 25dc65a are taken over by the first who starts, once, and it is said', () => {
  mkdirSync(state);
  for (const name of ['state.json', 'history.jsonl']) {
    copyFileSync(join(released, name), join(state, name));
  }
  expect(folderOf('/run/a.sock')).toBe(state);
  expect(new RoleMemory(join(directory, 'a.sock'), state, silentLogger).maintenance).toBe(true);
  expect(folderOf('/run/a.sock')).toBe(state);
  expect(log.lines).toEqual(['notice: state of an earlier version is taken over']);
  expect(log.fields[0]).toEqual({ directory: state, files: 'state.json, history.jsonl' });
  expect(folderOf('/run/b.sock')).not.toBe(state);
});

test('sockets of one name in different folders have different folders', () => {
  folderOf('/run/a/control.sock');
  const names = ['/run/b/control.sock', '/run/c/control.sock'].map(folderOf);
  expect(new Set(names).size).toBe(2);
  expect(names[0]).toMatch(/state\/control\.sock-[0-9a-f]{8}$/);
});

test('a mark that cannot be read or written keeps nobody from starting', () => {
  writeFileSync(state, 'in the way');
  expect(folderOf('/run/a.sock')).toBe(state);
  expect(log.lines).toEqual(["warning: state_directory cannot be marked as this node's own"]);
  rmSync(state);
  mkdirSync(state);
  execFileSync('mkfifo', [join(state, 'owner')]);
  expect(folderOf('/run/a.sock')).toBe(state);
  expect(existsSync(join(state, `owner.${process.pid}`))).toBe(false);
});
