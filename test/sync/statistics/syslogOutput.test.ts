/** Ended connections as records of syslog. */
import { EAGAIN, ECONNREFUSED } from '../../../src/base/errno.js';
import { milliseconds } from '../../../src/base/time.js';
import { SyslogOutput } from '../../../src/sync/statistics/syslogOutput.js';
import { ManualTime } from '../../support/base/manualTime.js';
import { ManualTurns } from '../../support/base/manualTurns.js';

function output(facility = 'local3') {
  const time = new ManualTime();
  const turns = new ManualTurns();
  const sent: string[] = [];
  const state = { errno: 0 };
  const sendSyslog = (datagram: Uint8Array): number => {
    if (state.errno === 0) sent.push(Buffer.from(datagram).toString());
    return state.errno;
  };
  const syslog = new SyslogOutput(facility, { clock: time, timers: time, turns, sendSyslog });
  return { time, turns, sent, state, syslog };
}

test('a line is a datagram of priority info in the facility', async () => {
  const { syslog, turns, sent } = output();
  syslog.write('icmp     1 src=127.0.0.1');
  await turns.runAll();
  // local3 is 19: 19 * 8 + 6, as conntrackd 1.4.7 sends it.
  expect(sent).toEqual([`<158>keepstate[${process.pid}]: icmp     1 src=127.0.0.1`]);
  expect(syslog.status).toEqual({
    kind: 'syslog',
    target: 'local3',
    written: 1,
    lost: 0,
    waiting: 0,
  });
});

test('many lines go out in several turns, so that events are read in between', async () => {
  const { syslog, turns, sent } = output();
  for (let i = 0; i < 200; i++) syslog.write(String(i));
  expect(await turns.runAll()).toBe(4);
  expect(sent).toHaveLength(200);
  expect(sent.at(-1)).toMatch(/: 199$/);
});

test('a daemon that reads slowly is waited for, bounded', async () => {
  const { syslog, turns, time, sent, state } = output();
  state.errno = EAGAIN;
  for (let i = 0; i < 9_000; i++) syslog.write(String(i));
  await turns.runAll();
  expect(syslog.status).toMatchObject({ written: 0, lost: 808, waiting: 8_192 });
  state.errno = 0;
  await time.advance(milliseconds(20));
  await turns.runAll();
  expect(sent).toHaveLength(8_192);
  expect(syslog.status).toMatchObject({ written: 8_192, waiting: 0 });
});

test('without a daemon lines are lost and counted', async () => {
  const { syslog, turns, state } = output();
  state.errno = ECONNREFUSED;
  syslog.write('a');
  await turns.runAll();
  expect(syslog.status).toMatchObject({ written: 0, lost: 1, waiting: 0 });
  expect(syslog.status.reason).toContain('ECONNREFUSED');
  state.errno = 0;
  syslog.write('b');
  await turns.runAll();
  expect(syslog.status.failingSince).toBeUndefined();
});

test('the end sends what is taken at once', () => {
  const { syslog, sent } = output('daemon');
  syslog.write('a');
  syslog.close();
  expect(sent).toEqual([`<30>keepstate[${process.pid}]: a`]);
});
