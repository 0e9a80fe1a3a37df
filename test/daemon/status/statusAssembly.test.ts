import { seconds } from '../../../src/base/time.js';
import {
  assembleStatus,
  findProblems,
  type StatusSource,
} from '../../../src/daemon/status/statusAssembly.js';
import type { StatusAnswer } from '../../../src/control/statusAnswer.js';
import { sampleInstance, sampleSync, sampleUnit } from '../../support/daemon/statusSamples.js';

const instance = sampleInstance;
const unit = sampleUnit;
const sync = sampleSync;
const now = seconds(1_000);
const wallClock = seconds(1_700_000_000);

const source: StatusSource = {
  version: '1',
  node: 'fw1',
  pid: 1,
  configFile: 'f',
  startedAt: wallClock,
  now,
  wallClock,
  router: { units: [unit], instances: [instance], statics: [], scripts: [] },
  bound: 'VI',
  phase: 'steady',
  maintenance: false,
  sync: { status: sync, downBecause: undefined, restarts: 0, listingPath: '/l', mode: 'FTFW' },
  statistics: undefined,
  lateness: { p50Ms: 0, p99Ms: 0, maxMs: 0 },
  rssBytes: 1,
  further: [],
  peerWasKeepstate: false,
};

/** Without a memory: what is seen now. */
const answer = (given: StatusSource): StatusAnswer =>
  assembleStatus(given, { problems: findProblems(given), endedProblems: [] });

describe('status', () => {
  test('has the names that tools read, with wall-clock times', () => {
    const status = answer(source);
    expect(status).toMatchObject({
      role: 'MASTER',
      since: '2023-11-14T22:13:15.000Z',
      reason: 'no master was heard',
      groups: [],
      instances: [
        {
          name: 'VI',
          interface: 'eth0',
          vrid: 51,
          priority: 100,
          effectivePriority: 100,
          vips: [{ address: '10.0.0.9/24', present: true, interface: 'eth1' }],
        },
      ],
      sync: {
        state: 'synchronised',
        mode: 'FTFW',
        internal: { entries: 10 },
        external: { entries: 10 },
        lastCommit: { entries: 5, failed: 0, durationMs: 2, at: '2023-11-14T22:13:10.000Z' },
        overruns: 0,
        peer: { lost: 0, malformed: 0, heardAgoMs: 1000 },
      },
      problems: [],
    });
    expect(JSON.parse(JSON.stringify(status))).toEqual(status);
    expect(status.sync?.peer).not.toHaveProperty('maintenance');
  });

  test('has the maintenance of the peer', () => {
    const resting = { ...sync, peer: { ...sync.peer, inMaintenance: true } };
    const given = { status: resting, downBecause: undefined, restarts: 0, listingPath: '/l' };
    const status = answer({ ...source, sync: { ...given, mode: 'FTFW' } });
    expect(status.sync?.peer).toMatchObject({ name: 'fw2', maintenance: true });
  });

  test('where nothing is bound, the worst state counts', () => {
    const units = [unit, { ...unit, name: 'B', state: 'FAULT' as const, reason: 'eth1 down' }];
    const status = answer({
      ...source,
      bound: undefined,
      router: { ...source.router, units },
    });
    expect(status).toMatchObject({ role: 'FAULT', reason: 'eth1 down' });
    expect(status.bound).toBeUndefined();
  });

  test('a worker that is down or not there yet has a state of its own', () => {
    const view = { status: undefined, restarts: 2, listingPath: '/l', mode: 'FTFW' };
    const down = answer({ ...source, sync: { ...view, downBecause: 'exit 1' } });
    expect(down.sync).toMatchObject({ state: 'down', worker: { restarts: 2 } });
    expect(down.problems.map((one) => one.code)).toEqual(['sync-down']);
    const starting = answer({ ...source, sync: { ...view, downBecause: undefined } });
    expect(starting.sync?.state).toBe('starting');
  });
});
