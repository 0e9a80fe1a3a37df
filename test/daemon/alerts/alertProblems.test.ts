import { alertProblems } from '../../../src/daemon/alerts/alertProblems.js';

const quiet = {
  sinks: [],
  notKept: undefined,
  unsaved: 0,
  damage: undefined,
  hasLostLately: false,
  died: undefined,
};

const hook = { name: 'webhook https://a', waiting: 12, taken: 3, lost: 0, failures: 2 };

function found(view: Partial<Parameters<typeof alertProblems>[0]>): string[] {
  return alertProblems({ ...quiet, ...view }).map(({ code, text }) => `${code}: ${text}`);
}

test('nothing, where alarms are taken', () => {
  expect(found({ sinks: [hook, { ...hook, lost: 4 }] })).toEqual([]);
});

test('a sink that refused three times', () => {
  const failing = { ...hook, failures: 3, reason: 'it answers 500' };
  expect(found({ sinks: [failing] })).toEqual([
    'alert-failing: webhook https://a takes no alarms, 12 wait: it answers 500',
  ]);
  expect(alertProblems({ ...quiet, sinks: [failing] })[0]).toMatchObject({
    ...{ code: 'alert-failing', severity: 'warning', subject: 'webhook https://a' },
  });
});

test('alarms that were lost', () => {
  expect(found({ sinks: [hook, { ...hook, lost: 4 }], hasLostLately: true })).toEqual([
    'alert-lost: 4 alarms were never told to webhook https://a',
  ]);
  expect(
    alertProblems({ ...quiet, sinks: [{ ...hook, lost: 4 }], hasLostLately: true })[0]?.code,
  ).toBe('alert-lost');
});

test('a queue that is not written, or was damaged', () => {
  expect(found({ notKept: 'no space left', unsaved: 7, damage: 'x' })).toEqual([
    'alert-not-kept: the queue of alarms cannot be written: no space left; 7 are in memory alone',
  ]);
  expect(alertProblems({ ...quiet, damage: 'alarms.0.jsonl: 3 lines' })).toMatchObject([
    { code: 'alert-not-kept', text: expect.stringContaining('alarms.0.jsonl: 3 lines') as string },
  ]);
});

test('nobody tells: the thread died', () => {
  expect(found({ died: 'out of memory' })).toEqual([
    'alert-failing: nobody is told: the alert thread died: out of memory',
  ]);
});
