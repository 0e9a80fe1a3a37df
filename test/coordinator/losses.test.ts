import { backup, kinds, master, posted } from '../support/coordinator/coordinatorLife.js';

test('with the worker down the VIPs come up at once', () => {
  const life = backup();
  life.feed({ kind: 'workerDown', because: 'killed' });
  const actions = life.becomes('MASTER');
  expect(kinds(actions)).toContain('releaseVips');
  expect(posted(actions)).toEqual([]);
});

test('the worker dying during the commit lets the VIPs up', () => {
  const life = backup();
  life.becomes('MASTER');
  expect(kinds(life.feed({ kind: 'workerDown', because: 'killed' }))).toContain('releaseVips');
});

test('another master is told to the worker once per role change', () => {
  const life = master();
  life.becomes('BACKUP');
  expect(posted(life.feed({ kind: 'otherMasterHeard' }))).toEqual(['otherMasterHeard']);
  expect(posted(life.feed({ kind: 'otherMasterHeard' }))).toEqual([]);
  life.becomes('FAULT');
  expect(posted(life.feed({ kind: 'otherMasterHeard' }))).toEqual(['otherMasterHeard']);
});
