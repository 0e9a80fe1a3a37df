/** Real processes, with the identity of the test. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runAlarm, variablesOf } from '../../src/alert/execSink.js';
import type { Delivery } from '../../src/alert/courier.js';
import { SystemTimers } from '../../src/base/systemClock.js';
import { seconds, type Timers } from '../../src/base/time.js';
import type { LimitedRun } from '../../src/vrrp/scripts/deadline.js';
import { NodeProcesses } from '../../src/vrrp/scripts/nodeProcesses.js';
import { problemAlarm, roleAlarm } from '../support/alert/alarms.js';
import { ManualTime } from '../support/base/manualTime.js';
import { waitFor } from '../lab/waitFor.js';

let folder: string;
const self = { user: String(process.getuid?.() ?? 0), group: String(process.getgid?.() ?? 0) };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ks-exec-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function script(text: string): string {
  const path = join(folder, 'alarm.sh');
  writeFileSync(path, `#!/bin/sh\ncd ${folder}\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}

function run(
  words: readonly string[],
  {
    timers = new SystemTimers(),
    secure = false,
    alarm = roleAlarm(7),
    running = new Set<LimitedRun>(),
  }: {
    timers?: Timers;
    secure?: boolean;
    alarm?: ReturnType<typeof roleAlarm>;
    running?: Set<LimitedRun>;
  } = {},
): Promise<Delivery> {
  const spawner = new NodeProcesses(() => ({ scriptUser: self, enableScriptSecurity: secure }));
  return runAlarm({ words }, alarm, { timers, spawner, running });
}

test('JSON on standard input, words in the environment, arguments as configured', async () => {
  const path = script('cat > got; echo "$1 $KEEPSTATE_ALERT_ID $KEEPSTATE_ALERT_TO" > words');
  expect(await run([path, 'an argument'])).toEqual({ kind: 'taken' });
  expect(JSON.parse(readFileSync(join(folder, 'got'), 'utf8'))).toEqual(roleAlarm(7));
  expect(readFileSync(join(folder, 'words'), 'utf8')).toBe('an argument id-7 MASTER\n');
});

test('a text that looks like shell stays a text', async () => {
  const alarm = roleAlarm(8, { name: '$(touch pwned); `touch pwned`\0x' });
  const path = script('printf %s "$KEEPSTATE_ALERT_NAME" > name');
  expect(await run([path], { alarm })).toEqual({ kind: 'taken' });
  expect(readFileSync(join(folder, 'name'), 'utf8')).toBe('$(touch pwned); `touch pwned`x');
  expect(existsSync(join(folder, 'pwned'))).toBe(false);
});

test('each alarm has its variables', () => {
  expect(variablesOf(problemAlarm(3, { subject: 'lan' }))).toEqual({
    KEEPSTATE_ALERT_ID: 'id-3',
    KEEPSTATE_ALERT_SEQUENCE: '3',
    KEEPSTATE_ALERT_KIND: 'problem',
    KEEPSTATE_ALERT_NODE: 'fw1',
    KEEPSTATE_ALERT_AT: '2026-01-01T00:00:00.000Z',
    KEEPSTATE_ALERT_TEXT: 'fw1: alarm 3',
    KEEPSTATE_ALERT_STATE: 'begun',
    KEEPSTATE_ALERT_CODE: 'late',
    KEEPSTATE_ALERT_SEVERITY: 'warning',
    KEEPSTATE_ALERT_SUBJECT: 'lan',
  });
});

test.each([
  ['exit 3', 'exited with status 3'],
  ['kill -9 $$', 'ended by SIGKILL'],
])('%s is refused', async (text, reason) => {
  expect(await run([script(text)])).toEqual({ kind: 'refused', reason });
});

test('one that reads nothing and floods its output is taken all the same', async () => {
  const long = roleAlarm(9, { because: 'x'.repeat(500_000) });
  expect(await run([script('head -c 5000000 /dev/zero')], { alarm: long })).toEqual({
    kind: 'taken',
  });
});

test('what is not there, and what others may replace, is refused', async () => {
  expect(await run([join(folder, 'none')])).toMatchObject({
    kind: 'refused',
    reason: expect.stringContaining('ENOENT') as string,
  });
  const path = script('exit 0');
  chmodSync(path, 0o777);
  expect(await run([path], { secure: true })).toEqual({
    kind: 'refused',
    reason: `not started: ${path} is writable by everybody`,
  });
});

test('one that hangs is ended with its group', async () => {
  const time = new ManualTime();
  const path = script("trap '' TERM\nsleep 1000 &\necho $! > child\nwait\nwait\nsleep 1000");
  const running = new Set<LimitedRun>();
  const delivery = run([path], { timers: time, running });
  const child = await waitFor(() => {
    const text = existsSync(join(folder, 'child'))
      ? readFileSync(join(folder, 'child'), 'utf8')
      : '';
    return text.endsWith('\n') ? Number(text) : undefined;
  });
  expect(running.size).toBe(1);
  await time.advance(seconds(33));
  expect(await delivery).toEqual({ kind: 'refused', reason: 'it was ended after 30 s' });
  expect(running.size).toBe(0);
  await waitFor(() => !isAlive(child), { description: 'its child to end' });
});

function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
