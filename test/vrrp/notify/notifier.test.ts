import { execFileSync } from 'node:child_process';
import { closeSync, constants, existsSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, type Logger } from '../../../src/base/logger.js';
import { milliseconds, seconds } from '../../../src/base/time.js';
import { openFifo } from '../../../src/vrrp/notify/fifo.js';
import { Notifier, type NotifyState } from '../../../src/vrrp/notify/notifier.js';
import { longestQueue } from '../../../src/vrrp/notify/serialRunner.js';
import { FakeProcesses } from '../../support/vrrp/fakeProcesses.js';
import { ManualTime } from '../../support/base/manualTime.js';
import { vrrpSettings } from '../../support/vrrp/routerHarness.js';
import { instanceSettings } from '../../support/vrrp/settings.js';

const command = (text: string): { words: string[] } => ({ words: text.split(' ') });
const everything = {
  priorityChanges: false,
  master: command('/master'),
  backup: command('/backup'),
  generic: command('/any x'),
};

function setUp(notify: object = everything): {
  time: ManualTime;
  spawner: FakeProcesses;
  notifier: Notifier;
  tell: (state: NotifyState) => void;
  /** What was logged as a warning. */
  lines: string[];
} {
  const time = new ManualTime();
  const spawner = new FakeProcesses();
  const instance = instanceSettings({ notify: { priorityChanges: false, ...notify } });
  const lines: string[] = [];
  const logger: Logger = {
    log: (level, message) => {
      if (level === 'warning') lines.push(message);
    },
  };
  const ports = { spawner, timers: time, logger };
  const notifier = new Notifier(ports, vrrpSettings([instance]));
  const tell = (state: NotifyState): void =>
    notifier.tell({ kind: 'INSTANCE', name: 'A', state, priority: 100 });
  return { time, spawner, notifier, tell, lines };
}

test('scripts of one instance run one at a time, in order, with keepalived’s arguments', () => {
  const { spawner, tell } = setUp();
  tell('BACKUP');
  tell('MASTER');
  expect(spawner.lines).toEqual(['/backup']);
  for (let i = 0; i < 3; i++) spawner.started[i]?.end({ kind: 'exited', status: 0 });
  expect(spawner.lines).toEqual([
    '/backup',
    '/any x INSTANCE A BACKUP 100',
    '/master',
    '/any x INSTANCE A MASTER 100',
  ]);
});

test('scripts have the reason in their environment, those of the state and the generic one', () => {
  const { spawner, notifier } = setUp();
  const because = 'target WAN is unreachable from this node only';
  notifier.tell({ kind: 'INSTANCE', name: 'A', state: 'BACKUP', priority: 100, because });
  notifier.tell({ kind: 'INSTANCE', name: 'A', state: 'MASTER', priority: 100 });
  for (let i = 0; i < 3; i++) spawner.started[i]?.end({ kind: 'exited', status: 0 });
  expect(spawner.started.map(({ environment }) => environment)).toEqual([
    { KEEPSTATE_REASON: because },
    { KEEPSTATE_REASON: because },
    undefined,
    undefined,
  ]);
});

test('a state that was told is not told again', () => {
  const { spawner, tell } = setUp();
  spawner.endsWith = 0;
  tell('BACKUP');
  tell('BACKUP');
  expect(spawner.lines).toEqual(['/backup']);
});

test('a script that hangs is ended when a newer state waits, so that the last state is delivered', async () => {
  const { time, spawner, tell } = setUp({ generic: command('/any') });
  tell('BACKUP');
  await time.advance(seconds(600));
  expect(spawner.started[0]?.signals).toEqual([]);
  tell('MASTER');
  await time.advance(seconds(59));
  expect(spawner.started[0]?.signals).toEqual([]);
  await time.advance(seconds(3));
  expect(spawner.started[0]?.signals).toEqual(['SIGTERM', 'SIGKILL']);
  spawner.started[0]?.end({ kind: 'signalled', signal: 'SIGKILL' });
  expect(spawner.lines.at(-1)).toBe('/any INSTANCE A MASTER 100');
});

test('a script that cannot start does not hold up the next', () => {
  const { spawner, tell } = setUp();
  tell('MASTER');
  spawner.started[0]?.end({ kind: 'notStarted', because: 'no such file' });
  expect(spawner.lines).toEqual(['/master', '/any x INSTANCE A MASTER 100']);
});

test('hundreds of flaps do not queue up hundreds of scripts, and the last state is among those run', () => {
  const { spawner, tell } = setUp({ generic: command('/any') });
  for (let i = 0; i < 500; i++) tell(i % 2 === 0 ? 'MASTER' : 'BACKUP');
  // Each end starts the next: the list grows while it is walked.
  for (const started of spawner.started) {
    started.end({ kind: 'exited', status: 0 });
  }
  expect(spawner.started.length).toBeLessThanOrEqual(longestQueue + 1);
  expect(spawner.lines.at(-1)).toBe('/any INSTANCE A BACKUP 100');
});

test('an instance that a reload removed reports FAULT unless it has notify_deleted', () => {
  const { spawner, tell } = setUp({ generic: command('/any') });
  tell('DELETED');
  expect(spawner.lines).toEqual(['/any INSTANCE A FAULT 100']);
  const other = setUp({ generic: command('/any'), deleted: command('/deleted') });
  other.spawner.endsWith = 0;
  other.tell('DELETED');
  expect(other.spawner.lines[0]).toBe('/deleted');
  const bare = setUp({ generic: command('/any'), reportsDeleted: true });
  bare.tell('DELETED');
  expect(bare.spawner.lines).toEqual(['/any INSTANCE A DELETED 100']);
});

test('nothing is told before it may be, and then all of it in order', async () => {
  const spawner = new FakeProcesses();
  spawner.endsWith = 0;
  let begin: () => void = () => undefined;
  const mayBegin = new Promise<void>((resolve) => (begin = resolve));
  const instance = instanceSettings({ notify: everything });
  const ports = { spawner, timers: new ManualTime(), logger: silentLogger };
  const notifier = new Notifier(ports, vrrpSettings([instance]), mayBegin);
  for (const state of ['BACKUP', 'MASTER'] as const) {
    notifier.tell({ kind: 'INSTANCE', name: 'A', state, priority: 100 });
  }
  await Promise.resolve();
  expect(spawner.lines).toEqual([]);
  begin();
  await new Promise((resolve) => setImmediate(resolve));
  expect(spawner.lines.map((line) => line.split(' ')[0])).toEqual([
    '/backup',
    '/any',
    '/master',
    '/any',
  ]);
});

test('stop waits a second for notify_stop and then ends it', async () => {
  const { time, spawner, notifier, tell } = setUp({ stop: command('/stop') });
  tell('STOP');
  const stopped = notifier.stop();
  await time.advance(milliseconds(900));
  expect(spawner.started[0]?.signals).toEqual([]);
  await time.advance(milliseconds(200));
  await stopped;
  expect(spawner.started[0]?.signals).toEqual(['SIGTERM']);
});

test('notify_stop is started although an older script runs on, and what is ended is said', async () => {
  const { time, spawner, notifier, tell, lines } = setUp({
    master: command('/master'),
    backup: command('/backup'),
    stop: command('/stop'),
  });
  for (const state of ['MASTER', 'BACKUP', 'STOP'] as const) tell(state);
  const stopped = notifier.stop();
  expect(spawner.lines).toEqual(['/master']);
  await time.advance(milliseconds(600));
  expect(spawner.started[0]?.signals).toEqual(['SIGTERM']);
  spawner.started[0]?.end({ kind: 'signalled', signal: 'SIGTERM' });
  expect(spawner.lines).toEqual(['/master', '/stop']);
  await time.advance(milliseconds(1_000));
  await stopped;
  expect(lines).toEqual([
    'notify script is not run: the daemon stops',
    'notify script holds up later states and is ended',
    'notify script ended',
    'notify script is ended: the daemon stops',
  ]);
});

describe('the FIFO', () => {
  let directory: string;
  beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'keepstate-fifo-'))));
  afterEach(() => rmSync(directory, { recursive: true }));

  function read(path: string): string {
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const buffer = Buffer.alloc(65_536);
    const length = readSync(descriptor, buffer);
    closeSync(descriptor);
    return buffer.toString('utf8', 0, length);
  }

  test('learns of a lower priority that a MASTER heard, also where no script is named for it', () => {
    const path = join(directory, 'fifo');
    const ports = { spawner: new FakeProcesses(), timers: new ManualTime(), logger: silentLogger };
    const settings = { ...vrrpSettings([instanceSettings({})]), notifyFifo: { path } };
    const notifier = new Notifier(ports, settings);
    notifier.lowerPriorityReceived('A', 100);
    expect(read(path)).toBe('INSTANCE "A" MASTER_RX_LOWER_PRI 100\n');
    return notifier.stop();
  });

  test('gets one line per event in order, without waiting for any script', async () => {
    const path = join(directory, 'fifo');
    const spawner = new FakeProcesses();
    const instance = instanceSettings({ notify: { ...everything, priorityChanges: true } });
    const settings = vrrpSettings([instance], {
      notifyFifo: { path, script: command('/reader -v') },
    });
    const time = new ManualTime();
    const notifier = new Notifier({ spawner, timers: time, logger: silentLogger }, settings);
    notifier.tell({ kind: 'INSTANCE', name: 'A', state: 'BACKUP', priority: 100 });
    notifier.tell({ kind: 'INSTANCE', name: 'A', state: 'MASTER', priority: 100 });
    notifier.tell({ kind: 'GROUP', name: 'G', state: 'MASTER', priority: 0 });
    notifier.priorityChanged('A', 'MASTER', 90);
    expect(spawner.lines[0]).toBe(`/reader -v ${path}`);
    expect(read(path)).toBe(
      'INSTANCE "A" BACKUP 100\nINSTANCE "A" MASTER 100\nGROUP "G" MASTER 0\n' +
        'INSTANCE "A" MASTER_PRIORITY 90\n',
    );
    const stopped = notifier.stop();
    await time.advance(seconds(2));
    await stopped;
    expect(existsSync(path)).toBe(false);
  });

  test('that nobody reads fills up and loses lines, but never waits', () => {
    const path = join(directory, 'full');
    const sink = openFifo({ path }, silentLogger);
    for (let i = 0; i < 10_000; i++) sink.write('INSTANCE "A" MASTER 100\n');
    expect(read(path).length).toBeGreaterThan(60_000);
    sink.close();
  });

  test('stays with root where the user of its line does not exist', () => {
    const path = join(directory, 'given');
    const warnings: string[] = [];
    const logger = { log: (_level: string, message: string) => void warnings.push(message) };
    openFifo({ path, owner: { user: 'nobody-of-this-name' } }, logger).close();
    expect(warnings).toEqual(['notify FIFO stays with root']);
  });

  test('that somebody else removed does not stop the stop', () => {
    const path = join(directory, 'gone');
    const sink = openFifo({ path }, silentLogger);
    rmSync(path);
    sink.close();
    expect(existsSync(path)).toBe(false);
  });

  test('that was there before stays, and a plain file is refused', () => {
    const path = join(directory, 'theirs');
    execFileSync('mkfifo', [path]);
    openFifo({ path }, silentLogger).close();
    expect(existsSync(path)).toBe(true);
    const plain = join(directory, 'plain');
    execFileSync('touch', [plain]);
    const errors: string[] = [];
    openFifo({ path: plain }, { log: (_level, message) => void errors.push(message) }).write('x');
    expect(errors).toEqual(['notify FIFO cannot be used']);
  });
});
