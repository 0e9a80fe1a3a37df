import { backup, summary } from '../support/coordinator/coordinatorLife.js';

test('a report of an older epoch is ignored', () => {
  const life = backup();
  life.becomes('MASTER');
  const old = life.state.epoch;
  life.becomes('BACKUP');
  life.becomes('MASTER');
  expect(life.feed({ kind: 'committed', epoch: old, summary })).toEqual([]);
  expect(life.state.takeover?.vips).toBe('held');
});
