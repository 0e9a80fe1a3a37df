import { milliseconds, seconds } from '../../src/base/time.js';
import { Looker } from '../../src/http/looker.js';
import { ManualTime } from '../support/base/manualTime.js';
import { sampleView } from '../support/http/sampleView.js';

const json = JSON.stringify(sampleView());

function lookerIn(time: ManualTime): { readonly looker: Looker; readonly asked: number[] } {
  const asked: number[] = [];
  const looker = new Looker({ clock: time, timers: time, ask: (id) => asked.push(id) });
  return { looker, asked };
}

test('clients at the same time share one look, later ones get a new one', async () => {
  const time = new ManualTime();
  const { looker, asked } = lookerIn(time);
  const [first, second] = [looker.look(), looker.look()];
  expect(asked).toEqual([1]);
  looker.answered(1, json);
  expect(await first).toBe(await second);
  expect((await looker.look()).view.status.node).toBe('fw1');
  expect(asked).toEqual([1]);
  await time.advance(milliseconds(201));
  const third = looker.look();
  expect(asked).toEqual([1, 2]);
  looker.answered(2, json);
  await third;
});

test('a look that does not come is an error, its late answer is dropped', async () => {
  const time = new ManualTime();
  const { looker, asked } = lookerIn(time);
  const first = looker.look().catch((error: unknown) => error);
  await time.advance(seconds(2));
  expect(await first).toEqual(new Error('the daemon did not answer within 2 s'));
  const second = looker.look();
  looker.answered(1, '{"status":{"node":"old"}}');
  looker.answered(2, json);
  expect((await second).view.status.node).toBe('fw1');
  expect(asked).toEqual([1, 2]);
});

test('what happened before a client asked stands in the look that he gets', async () => {
  const time = new ManualTime();
  const { looker, asked } = lookerIn(time);
  const first = looker.look();
  looker.outdate();
  const [second, third] = [looker.look(), looker.look()];
  expect(asked).toEqual([1]);
  looker.answered(1, json);
  expect((await first).view.status.node).toBe('fw1');
  await time.advance(milliseconds(0));
  expect(asked).toEqual([1, 2]);
  looker.answered(2, json.replaceAll('"fw1"', '"new"'));
  expect((await second).view.status.node).toBe('new');
  expect(await third).toBe(await second);
  looker.outdate();
  const fourth = looker.look();
  expect(asked).toEqual([1, 2, 3]);
  looker.answered(3, json);
  await fourth;
});
