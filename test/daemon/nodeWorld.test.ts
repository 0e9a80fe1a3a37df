import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Logger, LogLevel } from '../../src/base/logger.js';
import { silentLogger } from '../../src/base/logger.js';
import { systemClock } from '../../src/base/systemClock.js';
import {
  microseconds,
  seconds,
  type ArmedTimer,
  type Microseconds,
  type Timers,
} from '../../src/base/time.js';
import type { HistoryEntry } from '../../src/control/statusAnswer.js';
import { besideControl } from '../../src/daemon/disk/besideControl.js';
import { History } from '../../src/daemon/disk/history.js';
import { formatLine } from '../../src/daemon/log/log.js';
import { systemTurns } from '../../src/base/systemClock.js';
import {
  appearedHere,
  findConflicts,
  isKeepstate,
  runningHere,
} from '../../src/daemon/host/otherDaemons.js';
import { serviceEnvironment, ServiceManager } from '../../src/daemon/host/serviceManager.js';
import { RoleMemory } from '../../src/daemon/disk/roleMemory.js';
import {
  mastersWithin,
  nothingSaved,
  readBootId,
  StateFile,
} from '../../src/daemon/disk/stateFile.js';
import { syslogDatagram } from '../../src/daemon/log/syslog.js';
import { schedule, threadIds } from '../../src/daemon/host/scheduling.js';
import { RecordedLog } from '../support/base/recordedLog.js';
import { vrrpSettings } from '../support/vrrp/routerHarness.js';
import { instanceSettings } from '../support/vrrp/settings.js';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'keepstate-daemon-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

class RecordingLogger implements Logger {
  readonly lines: string[] = [];
  log(_level: LogLevel, message: string): void {
    this.lines.push(message);
  }
}

function entry(n: number): HistoryEntry {
  return {
    at: '2026-01-01T00:00:00.000Z',
    name: 'VI',
    kind: 'instance',
    from: 'BACKUP',
    to: n % 2 === 0 ? 'BACKUP' : 'MASTER',
    because: String(n),
  };
}

describe('history', () => {
  const path = (): string => join(directory, 'state', 'history.jsonl');
  const causes = (history: History): string[] => history.entries().map((one) => one.because);

  test('keeps the newest, in memory and over a restart', () => {
    const history = new History(path(), 3, silentLogger);
    for (let n = 0; n < 20; n++) history.add(entry(n));
    expect(causes(history)).toEqual(['17', '18', '19']);
    expect(causes(new History(path(), 3, silentLogger))).toEqual(['17', '18', '19']);
    expect(history.entries(1).map((one) => one.because)).toEqual(['19']);
    expect(history.entries(0)).toEqual([]);
  });

  test('its file stays bounded', () => {
    const history = new History(path(), 3, silentLogger);
    for (let n = 0; n < 100; n++) history.add(entry(n));
    expect(readFileSync(path(), 'utf8').split('\n').length).toBeLessThanOrEqual(7);
  });

  test('an entry is completed later, on disk too, and told again', () => {
    const history = new History(path(), 9, silentLogger);
    const told: HistoryEntry[] = [];
    history.subscribe((one) => {
      told.push(one);
      return true;
    });
    history.add(entry(1));
    history.add(entry(2));
    history.amend((one) => one.to === 'MASTER', { flowsCommitted: 7 });
    history.amend((one) => one.to === 'FAULT', { flowsCommitted: 8 });
    expect(history.entries()[0]?.flowsCommitted).toBe(7);
    expect(new History(path(), 9, silentLogger).entries()[0]?.flowsCommitted).toBe(7);
    expect(told.map((one) => one.flowsCommitted)).toEqual([undefined, undefined, 7]);
  });

  test('lines that a crash cut short are skipped', () => {
    new History(path(), 9, silentLogger).add(entry(1));
    writeFileSync(path(), `${readFileSync(path(), 'utf8')}{"at":"2026`);
    expect(causes(new History(path(), 9, silentLogger))).toEqual(['1']);
  });

  test('what is no transition is skipped and counted: it would break who reads it', () => {
    const good = JSON.stringify(entry(1));
    const bad = [
      '{"at":null,"name":"VI","to":"MASTER"}',
      'null',
      '7',
      good.replace('"because":"1"', '"because":{}'),
      good.replace('2026-01-01', 'some day'),
      good.replace('}', ',"takeoverMs":"x"}'),
    ];
    mkdirSync(join(directory, 'state'));
    writeFileSync(path(), [...bad, good, ''].join('\n'));
    const log = new RecordedLog();
    expect(causes(new History(path(), 9, log))).toEqual(['1']);
    expect(log.fields).toEqual([{ path: path(), lines: bad.length }]);
  });

  test('of a file that is too long the newest lines are kept, and the next entry makes it short', () => {
    const line = `${JSON.stringify(entry(1))}\n`;
    mkdirSync(join(directory, 'state'));
    writeFileSync(path(), line.repeat(2 ** 21 / line.length));
    const history = new History(path(), 3, silentLogger);
    expect(causes(history)).toEqual(['1', '1', '1']);
    history.add(entry(2));
    expect(readFileSync(path(), 'utf8').split('\n').length).toBe(4);
  });

  test.each([
    ['a pipe', () => execFileSync('mkfifo', [path()])],
    ['a device', () => symlinkSync('/dev/zero', path())],
    ['a folder', () => mkdirSync(path())],
  ])('%s in its place is neither read nor written, and said', (_what, put) => {
    mkdirSync(join(directory, 'state'));
    put();
    const log = new RecordedLog();
    const history = new History(path(), 3, log);
    history.add(entry(1));
    expect(causes(history)).toEqual(['1']);
    expect(log.lines).toEqual([
      'warning: the history of earlier runs cannot be read',
      'warning: the history cannot be written',
    ]);
  });

  test('a listener that has gone is forgotten; a disk that refuses is told once', () => {
    writeFileSync(join(directory, 'file'), '');
    const logger = new RecordingLogger();
    const history = new History(join(directory, 'file', 'history'), 9, logger);
    let calls = 0;
    history.subscribe(() => {
      calls++;
      return false;
    });
    history.add(entry(1));
    history.add(entry(2));
    expect(calls).toBe(1);
    expect(logger.lines).toEqual(['the history cannot be written']);
    expect(causes(history)).toEqual(['1', '2']);
  });
});

describe('state file', () => {
  test('is read back; anything else means that nothing is known', () => {
    const path = join(directory, 'run', 'role.json');
    const file = new StateFile(path, silentLogger, { loss: 'all', durable: true });
    expect(file.read()).toEqual(nothingSaved);
    const state = { bootId: 'b', maintenance: true, units: { G1: microseconds(5) } };
    file.write(state);
    expect(file.read()).toEqual(state);
    for (const text of ['', '{', '7', 'null', '{"units":{"G1":"x"}}']) {
      writeFileSync(path, text);
      expect(file.read()).toEqual(nothingSaved);
    }
  });

  test.each([
    ['a pipe', (path: string) => execFileSync('mkfifo', [path])],
    ['a device', (path: string) => symlinkSync('/dev/zero', path)],
  ])('%s in its place counts as absent, is said once, and is replaced', (_what, put) => {
    const path = join(directory, 'role.json');
    put(path);
    const log = new RecordedLog();
    const file = new StateFile(path, log, { loss: 'all', durable: false });
    expect(file.read()).toEqual(nothingSaved);
    expect(file.read()).toEqual(nothingSaved);
    expect(log.lines).toEqual(['warning: a state file cannot be read and counts as absent']);
    const state = { bootId: 'b', maintenance: true, units: {} };
    expect(file.write(state)).toBeUndefined();
    expect(file.read()).toEqual(state);
  });

  test('a unit resumes within the patience of its peers, in the same boot', () => {
    const saved = { bootId: 'b', maintenance: false, units: { G1: seconds(10), G2: seconds(1) } };
    const patience = (unit: string) => (unit === 'gone' ? undefined : seconds(3));
    const at = (now: number, boot = 'b') => [...mastersWithin(saved, boot, seconds(now), patience)];
    expect(at(12)).toEqual(['G1']);
    expect(at(13)).toEqual([]);
    expect(at(12, 'another')).toEqual([]);
    // A clock that went backwards is another boot in disguise.
    expect(at(9)).toEqual([]);
  });

  test('a boot that has no name knows no file as its own', () => {
    const bootId = readBootId(join(directory, 'no-such-file'));
    expect(bootId).toBeUndefined();
    for (const written of ['', 'unknown', 'b']) {
      const saved = { bootId: written, maintenance: false, units: { G1: seconds(10) } };
      expect([...mastersWithin(saved, bootId, seconds(11), () => seconds(3))]).toEqual([]);
    }
  });
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
  memory.forget();
  expect([...memory.awaited(vrrp, now)]).toEqual([]);
});

test('maintenance that cannot be saved says so, until it can', () => {
  const logger = new RecordingLogger();
  const state = join(directory, 'state');
  writeFileSync(state, 'in the way');
  const memory = new RoleMemory(join(directory, 'control.sock'), state, logger);
  memory.setMaintenance(true);
  memory.setMaintenance(true);
  expect(memory.maintenanceUnsaved).toMatch(/EEXIST|ENOTDIR/);
  expect(logger.lines).toEqual([
    'the state cannot be saved: a restart will not know of maintenance and problems',
  ]);
  rmSync(state);
  memory.setMaintenance(true);
  expect(memory.maintenanceUnsaved).toBeUndefined();
  expect(new RoleMemory(join(directory, 'control.sock'), state, logger).maintenance).toBe(true);
});

test('two daemons with their sockets in one folder share no file', () => {
  expect(besideControl('/run/keepstate/control.sock', 'role.json')).toBe(
    '/run/keepstate/role.json',
  );
  expect(besideControl('/run/keepstate/a.sock', 'role.json')).toBe('/run/keepstate/a.role.json');
});

/** A /proc with one process, 7, in our network namespace. */
function fakeProc(
  name: string,
  uid: number,
  sockets: Readonly<Record<string, string>> = {},
): string {
  const proc = join(directory, 'proc');
  for (const pid of ['7', 'self']) {
    mkdirSync(join(proc, pid, 'ns'), { recursive: true });
    symlinkSync('net:[1]', join(proc, pid, 'ns', 'net'));
  }
  mkdirSync(join(proc, 'self', 'net'));
  writeFileSync(join(proc, '7', 'comm'), `${name}\n`);
  writeFileSync(join(proc, '7', 'status'), `Name:\t${name}\nUid:\t1\t${uid}\t1\t1\n`);
  writeFileSync(join(proc, '7', 'cmdline'), '/usr/bin/node\0/usr/bin/keepstate\0run\0');
  for (const [file, text] of Object.entries(sockets)) {
    writeFileSync(join(proc, 'self', 'net', file), text);
  }
  return proc;
}

describe('a process that bears the name of what keepstate replaces', () => {
  const raw = '  1: 00000000:0070 00000000:0000 07 0:0 0:0 0 500 0 4711 2 0 0\n';
  const netlink = '0000000000000000 12  7 00000002 0 0 0 2 0 4712\n';

  test.each([
    ['root runs it', 'keepalived', 0, {}, true],
    ['anybody runs it', 'keepalived', 500, {}, false],
    ['a user runs it who holds a raw VRRP socket', 'keepalived', 500, { raw }, true],
    ['anybody runs it beside a VRRP socket of another user', 'keepalived', 501, { raw }, false],
    ['root runs it', 'conntrackd', 0, {}, true],
    ['anybody runs it', 'conntrackd', 500, { raw }, false],
    ['it hears conntrack events', 'conntrackd', 500, { netlink }, true],
    [
      'its socket is in no group',
      'conntrackd',
      500,
      { netlink: netlink.replace('2 0', '0 0') },
      false,
    ],
  ] as const)('%s: %s, user %d', async (_what, name, uid, sockets, isGenuine) => {
    const proc = fakeProc(name, uid, sockets);
    expect(runningHere(name, proc).length > 0).toBe(isGenuine);
    // Looked for later, in pieces, the answer is the same.
    expect(await appearedHere(['keepalived', 'conntrackd'], systemTurns, proc)).toEqual(
      runningHere(name, proc),
    );
  });

  test('counts as keepstate only as a daemon of a trusted user', () => {
    expect(isKeepstate(7, fakeProc('node', 0))).toBe(true);
    rmSync(join(directory, 'proc'), { recursive: true });
    expect(isKeepstate(7, fakeProc('node', 500))).toBe(false);
    writeFileSync(join(directory, 'proc/7/cmdline'), '/usr/bin/node\0keepstate\0status\0');
    expect(isKeepstate(7, join(directory, 'proc'))).toBe(false);
  });
});

describe('other programs', () => {
  test('are found by name in this network namespace, this process is not', () => {
    expect(runningHere('no-such-program')).toEqual([]);
    expect(runningHere('node').map((one) => one.pid)).not.toContain(process.pid);
    expect(isKeepstate(2 ** 30)).toBe(false);
    expect(findConflicts(false, false)).toEqual([]);
  });
});

class ManualTimers implements Timers {
  armed: (() => void)[] = [];
  after(_delay: number, callback: (due: never) => void): ArmedTimer {
    const ring = (): void => (callback as () => void)();
    this.armed.push(ring);
    return { cancel: () => (this.armed = this.armed.filter((one) => one !== ring)) };
  }
  ringAll(): void {
    for (const ring of this.armed.splice(0)) ring();
  }
}

describe('service manager', () => {
  test('is told readiness, a changed status once, and signs of life only while VRRP runs', () => {
    const sent: string[] = [];
    const timers = new ManualTimers();
    const service = new ServiceManager((text) => sent.push(text), timers, {
      watchdog: seconds(9),
    });
    let isAlive = true;
    service.ready('VI MASTER', () => isAlive);
    service.status('VI MASTER');
    service.status('VI BACKUP');
    timers.ringAll();
    isAlive = false;
    timers.ringAll();
    service.stopping();
    expect(timers.armed).toEqual([]);
    expect(sent).toEqual([
      'READY=1\nSTATUS=VI MASTER',
      'WATCHDOG=1',
      'STATUS=VI BACKUP',
      'WATCHDOG=1',
      'STOPPING=1',
    ]);
  });

  test('the watchdog period counts only for this process', () => {
    expect(serviceEnvironment({ WATCHDOG_USEC: '9000000', WATCHDOG_PID: '7' }, 7).watchdog).toBe(
      9_000_000,
    );
    expect(serviceEnvironment({ WATCHDOG_USEC: '9000000', WATCHDOG_PID: '8' }, 7).watchdog).toBe(
      undefined,
    );
    expect(serviceEnvironment({}, 7).watchdog).toBe(undefined);
  });
});

describe('log lines', () => {
  test('have time, level, a constant message and fields; what needs it is quoted', () => {
    const fields = { instance: 'VI', because: 'priority 0', nothing: undefined, n: 3 };
    expect(formatLine('T', 'notice', 'Entering MASTER STATE', fields)).toBe(
      'T notice: Entering MASTER STATE instance=VI because="priority 0" n=3',
    );
    expect(formatLine('T', 'error', 'two\nlines', { a: 'x\ny' })).toBe(
      'T error: two lines a="x\\ny"',
    );
  });

  test('syslog gets facility and severity in one number', () => {
    const record = { level: 'warning', message: 'm', fields: { a: 1 } } as const;
    expect(syslogDatagram(record, 'local0', 9)).toBe('<132>keepstate[9]: m a=1');
    expect(syslogDatagram(record, 'unknown', 9)).toBe('<28>keepstate[9]: m a=1');
  });
});

describe('scheduling', () => {
  test('knows the threads of this process, and a refusal is a log line', () => {
    expect(threadIds().has(process.pid)).toBe(true);
    const logger = new RecordingLogger();
    schedule(2 ** 22 + 1, { nice: 1 }, logger);
    expect(logger.lines).toEqual(['the nice value cannot be set']);
  });
});
