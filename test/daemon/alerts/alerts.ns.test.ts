/**
 * Alarms of a real daemon: kept, in order, told at least once; whoever is told may behave badly.
 */
import { appendFileSync, writeFileSync } from 'node:fs';
import { run } from '../../lab/command.js';
import type { Host } from '../../lab/host.js';
import { Lab } from '../../lab/lab.js';
import { waitFor } from '../../lab/waitFor.js';
import { alarmConfig, faultsOf, liveAlarms, untold } from '../../support/alert/alarmLife.js';
import { AlarmReceiver, type Manner } from '../../support/alert/alarmReceiver.js';
import { KeepstateNode } from '../../support/daemon/keepstateNode.js';
import type { StatusAnswer } from '../../../src/control/statusAnswer.js';

jest.setTimeout(600_000);

let lab: Lab;

beforeEach(async () => {
  lab = await Lab.open();
});

afterEach(async () => {
  await lab.close();
});

async function oneHost(): Promise<Host> {
  const [host, other] = (await lab.hosts('one', 'two')) as [Host, Host];
  await lab.link(
    { host, name: 'wan', addresses: ['10.4.0.1/24'] },
    { host: other, name: 'wan', addresses: ['10.4.0.2/24'] },
  );
  return host;
}

const hasProblem =
  (wanted: string) =>
  ({ problems }: StatusAnswer): boolean =>
    problems.some(({ code, ended }) => code === wanted && ended === undefined);

const has =
  (waiting: number) =>
  ({ alerts }: StatusAnswer): boolean =>
    alerts?.sinks.every((sink) => sink.waiting === waiting) === true;

test('role changes, the process killed between, the receiver away: each once, in order', async () => {
  const host = await oneHost();
  const kills = [5, 6, 11];
  const { webhook, exec, mails, history } = await liveAlarms(host, {
    roleChanges: 16,
    kills,
    away: { before: 4, milliseconds: 5_000 },
  });
  expect(webhook.length).toBeGreaterThan(32);
  expect(faultsOf(webhook, kills.length)).toEqual([]);
  expect(faultsOf(exec, kills.length)).toEqual([]);
  expect(untold(history, webhook)).toEqual([]);
  const ids = (text: string): string => /X-Keepstate-Alert: (\w+)/.exec(text)?.[1] ?? '';
  const mailed = webhook.filter(
    (alarm) => alarm.kind === 'role' && ['MASTER', 'BACKUP', 'FAULT'].includes(alarm.role.to),
  );
  const distinct = (all: readonly string[]): readonly string[] => [...new Set(all)];
  expect(distinct(mails.map(ids))).toEqual(distinct(mailed.map(({ id }) => id)));
  expect(mails[0]).toContain('Subject: [fw1] VRRP Instance A - Entering BACKUP state');
});

test.each<Manner>(['hang', '500', 'flood', 'redirect'])(
  'a webhook that answers %s delays nothing, is named, and gets everything in the end',
  async (manner) => {
    const host = await oneHost();
    const receiver = new AlarmReceiver(host);
    await receiver.start(manner);
    const node = new KeepstateNode(
      host,
      alarmConfig(receiver, [`webhook ${receiver.url}`, 'on role']),
    );
    await node.start();
    const before = await node.waitForRole('MASTER');
    await waitFor(() => receiver.requests > 0, { description: 'an attempt' });
    // Three attempts of one that hangs take more than half a minute.
    if (manner !== 'hang') await node.waitForStatus(hasProblem('alert-failing'), 'alert-failing');
    const after = await node.status();
    expect(after.since).toBe(before.since);
    expect(receiver.alarms).toEqual([]);
    receiver.behave('200');
    const status = await node.waitForStatus(has(0), 'everything to be told');
    expect(faultsOf(receiver.alarms, 0)).toEqual([]);
    expect(hasProblem('alert-failing')(await node.status()) && manner !== 'hang').toBe(false);
    expect(status.alerts?.sinks.map(({ name }) => name)).toEqual([
      'webhook http://127.0.0.1:8099',
      'mail 127.0.0.1',
    ]);
    await node.stop();
  },
);

test('a full disk and a damaged queue: told all the same, and named', async () => {
  const host = await oneHost();
  const receiver = new AlarmReceiver(host);
  await receiver.start();
  const state = `${host.directory}/state`;
  await run(['mkdir', '-p', state]);
  await run(['mount', '-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', state]);
  try {
    const node = new KeepstateNode(
      host,
      alarmConfig(receiver, [`webhook ${receiver.url}`, 'on role problem']),
    );
    await node.start();
    await node.waitForRole('MASTER');
    await node.waitForStatus(has(0), 'the start to be told');
    await host.tryExec(['dd', 'if=/dev/zero', `of=${state}/full`, 'bs=4k']);
    await node.ask({ verb: 'maintenance', on: true, force: true });
    await node.waitForRole('BACKUP');
    await node.waitForStatus(hasProblem('alert-not-kept'), 'alert-not-kept');
    await waitFor(() =>
      receiver.alarms.some(({ text }) => text.includes('is BACKUP, it was MASTER')),
    );
    await run(['rm', `${state}/full`]);
    await node.waitForStatus((status) => !hasProblem('alert-not-kept')(status), 'its end');
    await node.ask({ verb: 'maintenance', on: false, force: true });
    await node.waitForRole('MASTER');
    await node.waitForStatus(has(0), 'everything to be told');
    await node.process.kill();
    const told = receiver.alarms.length;
    expect(faultsOf(receiver.alarms, 0)).toEqual([]);
    appendFileSync(`${state}/alarms.0.jsonl`, '{"version":1\n\0\0garbage\n');
    writeFileSync(`${state}/alarms.places.json`, 'garbage');
    await node.start();
    await node.waitForRole('MASTER');
    await node.waitForStatus(hasProblem('alert-not-kept'), 'the damage to be named');
    await node.waitForStatus(has(0), 'everything to be told');
    // Nobody knows what was taken: all of it is told again, under its ids.
    const again = receiver.alarms.slice(told);
    expect(again.slice(0, told)).toEqual(receiver.alarms.slice(0, told));
    expect(again.length).toBeGreaterThan(told);
    await node.stop();
  } finally {
    await run(['umount', '-l', state]);
  }
});

test('a sink that a reload adds is told what comes, and one that stays nothing twice', async () => {
  const host = await oneHost();
  const receiver = new AlarmReceiver(host);
  await receiver.start();
  const first = [`webhook ${receiver.url}`, 'on role'];
  const node = new KeepstateNode(host, alarmConfig(receiver, first));
  await node.start();
  await node.waitForRole('MASTER');
  await node.waitForStatus(has(0), 'the start to be told');
  const before = receiver.alarms.length;
  node.writeConfig(alarmConfig(receiver, [...first, `webhook ${receiver.url}?second`]));
  expect((await node.ask({ verb: 'reload' })).kind).toBe('answer');
  await node.ask({ verb: 'maintenance', on: true, force: true });
  await node.waitForRole('BACKUP');
  await node.waitForStatus(
    (status) => status.alerts?.sinks.length === 3 && has(0)(status),
    'both to be told',
  );
  const since = receiver.alarms.slice(before).map(({ sequence }) => sequence);
  const numbers = [...new Set(since)];
  expect(since.length).toBe(2 * numbers.length);
  expect(Math.min(...numbers)).toBe(before + 1);
  const text = (await node.cli('status')).stdout;
  expect(text).toMatch(/webhook http:\/\/127\.0\.0\.1:8099 +0 +\d+ +0 +takes alarms/);
  await node.stop();
});
