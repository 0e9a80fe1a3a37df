import { HourSamples } from '../../src/http/samples.js';
import { sampleStatus, withoutSync } from '../support/http/sampleView.js';

function at(received: number) {
  const status = sampleStatus();
  const { sync } = status;
  if (sync === undefined) throw new Error('the sample has no sync');
  return { ...status, sync: { ...sync, events: { ...sync.events, received } } };
}

test('events become a rate; a sync engine that began anew has none', () => {
  const samples = new HourSamples();
  samples.add(at(100), 0);
  samples.add(at(600), 10_000);
  samples.add(at(5), 20_000);
  samples.add(at(25), 30_000);
  const rates = samples.all.map(({ eventsPerSecond }) => eventsPerSecond);
  expect(rates).toEqual([undefined, 50, undefined, 2]);
});

test('an hour is kept, not more', () => {
  const samples = new HourSamples();
  for (let i = 0; i < 500; i++) samples.add(at(i), i * 10_000);
  expect(samples.all).toHaveLength(360);
  expect(samples.all.at(-1)?.at).toBe(4_990_000);
});

test('a node that replicates nothing has no charts', () => {
  const samples = new HourSamples();
  samples.add(withoutSync(sampleStatus()), 0);
  expect(samples.all).toEqual([]);
});
