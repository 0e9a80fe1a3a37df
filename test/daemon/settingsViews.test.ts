import { coordinatorSettings } from '../../src/daemon/settingsViews.js';
import { instanceText, load } from '../config/loading.js';

/** Whether the role of this configuration is taken from a living MASTER. */
function preempts(text: string): boolean {
  const { settings } = load(text);
  if (settings === undefined) throw new Error('not loaded');
  return coordinatorSettings(settings).preempts;
}

const second = (lines: string): string =>
  instanceText(lines).replace('A {', 'B {').replace('_id 7', '_id 8').replace('2.1/', '2.2/');
const sync =
  'Sync {\nMode FTFW {\n}\nUDP {\nIPv4_address 10.9.0.1\nIPv4_Destination_Address 10.9.0.2\nPort 3780\nInterface eth1\n}\n}\n';

test('nopreempt of the instance that drives the sync engine counts, that of another does not', () => {
  expect(preempts(instanceText() + sync)).toBe(true);
  expect(preempts(instanceText('nopreempt') + sync)).toBe(false);
  const bound = 'conntrack_sync\nnopreempt';
  expect(preempts(instanceText(bound) + second('') + sync)).toBe(false);
  expect(preempts(instanceText('conntrack_sync') + second('nopreempt') + sync)).toBe(true);
});

test('without replication any instance that preempts counts', () => {
  expect(preempts(instanceText('nopreempt') + second(''))).toBe(true);
  expect(preempts(instanceText('nopreempt') + second('nopreempt'))).toBe(false);
});
