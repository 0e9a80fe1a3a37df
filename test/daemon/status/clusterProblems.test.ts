/** What one node knows to be wrong with two. */
import { microseconds, seconds, subtractTime, type Microseconds } from '../../../src/base/time.js';
import { clusterProblems, type ClusterView } from '../../../src/daemon/status/clusterProblems.js';
import { foreignAddresses, syncProblems } from '../../../src/daemon/status/problems.js';
import type { Finding } from '../../../src/daemon/problemTable/table.js';
import type { SyncStatus } from '../../../src/sync/messages.js';
import type { RoleName, UnitRole } from '../../../src/sync/wire/peerRoles.js';
import type { StateName } from '../../../src/vrrp/machine/actions.js';
import { sampleInstance, sampleSync, sampleUnit } from '../../support/daemon/statusSamples.js';

const now = seconds(1_000);
const wallClock = seconds(1_700_000_000);
/** The wall clock, so many seconds ago. */
const wallAgo = (ago: number): Microseconds => subtractTime(wallClock, seconds(ago));

interface Given {
  readonly state?: StateName;
  /** How long this node has its role, seconds. */
  readonly for?: number;
  readonly peer?: RoleName;
  readonly peerFor?: number;
  /** When the peer said so, seconds ago. */
  readonly saidAgo?: number;
  readonly sync?: Partial<SyncStatus>;
  readonly peerOf?: Partial<SyncStatus['peer']>;
  readonly unitName?: string;
  readonly view?: Partial<ClusterView>;
}

function view(given: Given): ClusterView {
  const { state = 'MASTER', for: age = 100, peer, peerFor = 100, saidAgo = 0.5 } = given;
  const saidAt = microseconds(now - saidAgo * 1_000_000);
  const role: UnitRole = {
    ...{ name: given.unitName ?? 'VI', vrid: 51, state: peer ?? 'BACKUP', priority: 100 },
    since: microseconds(now - peerFor * 1_000_000),
  };
  const roles =
    peer === undefined ? {} : { roles: { bound: role.name, units: [role] }, rolesAt: saidAt };
  const status = {
    ...sampleSync,
    ...given.sync,
    peer: { ...sampleSync.peer, ...roles, ...given.peerOf },
  };
  const instance = { ...sampleInstance, state, since: wallAgo(age) };
  return {
    router: {
      units: [{ ...sampleUnit, state, since: wallAgo(age) }],
      ...{ instances: [instance], statics: [], scripts: [] },
    },
    ...{ bound: 'VI', maintenance: false, status, peerWasKeepstate: true, now, wallClock },
    ...given.view,
  };
}

const found = (given: Given): readonly Finding[] => clusterProblems(view(given));
const codes = (given: Given): string[] => found(given).map(({ code }) => code);

describe('two masters', () => {
  test('are known by the word of the peer, even if VRRP does not pass', () => {
    expect(found({ peer: 'MASTER' })).toEqual([
      expect.objectContaining({
        ...{ code: 'two-masters', severity: 'error', subject: 'VI' },
        text: 'VI: this node and the peer fw2 are both MASTER, as it says itself',
      }),
    ]);
    expect(codes({ peer: 'MASTER', unitName: 'ANOTHER_NAME' })).toEqual(['two-masters']);
    expect(codes({ peer: 'BACKUP' })).toEqual([]);
    expect(codes({ peer: 'MASTER', state: 'BACKUP' })).toEqual([]);
    expect(codes({})).toEqual([]);
  });

  test('a role that moves is none: the word must be younger than both roles by some seconds', () => {
    // This node has just taken over from one that died: its last word still says MASTER.
    expect(codes({ peer: 'MASTER', for: 2, saidAgo: 3 })).toEqual([]);
    expect(codes({ peer: 'MASTER', for: 4, saidAgo: 3 })).toEqual([]);
    expect(codes({ peer: 'MASTER', for: 7, saidAgo: 3 })).toEqual(['two-masters']);
    // The peer has just preempted: its advertisement is on its way.
    expect(codes({ peer: 'MASTER', peerFor: 1, saidAgo: 1 })).toEqual([]);
  });

  test('a peer that is not heard any more, or is a conntrackd, says nothing', () => {
    expect(
      codes({ peer: 'MASTER', peerOf: { kind: 'conntrackd' }, view: { peerWasKeepstate: false } }),
    ).toEqual([]);
  });
});

describe('another MASTER that is heard and rejected', () => {
  const rejected = (reason: 'password' | 'ttl', ago: number, state: StateName = 'MASTER') => {
    const given = view({ state, peer: 'BACKUP' });
    const [instance] = given.router.instances;
    if (instance === undefined) throw new Error('the sample has one');
    const heard = { ...{ reason, text: 'password differs', remedy: 'auth_pass', count: 3 } };
    const problems = [{ ...heard, lastSeen: wallAgo(ago) }];
    return clusterProblems({
      ...given,
      router: { ...given.router, instances: [{ ...instance, problems }] },
    });
  };

  test('is an error that names the reason, as long as its advertisements come', () => {
    expect(rejected('password', 2)).toEqual([
      expect.objectContaining({
        ...{ code: 'master-rejected', severity: 'error', remedy: 'auth_pass', after: seconds(3) },
        text: 'VI: another router is heard as MASTER and rejected: password differs',
      }),
    ]);
    expect(rejected('password', 9)).toEqual([]);
  });

  test('is none for a BACKUP, nor for what an accident of the network looks like', () => {
    expect(rejected('ttl', 1)).toEqual([]);
    expect(rejected('password', 1, 'FAULT').map(({ code }) => code)).not.toContain(
      'master-rejected',
    );
  });
});

describe('no standby', () => {
  test.each<[string, Given, string | undefined]>([
    [
      'a peer that is absent',
      { sync: { state: 'peer-lost' }, peerOf: { kind: 'none' } },
      'the peer fw2 is absent',
    ],
    [
      'a peer in maintenance',
      { peerOf: { inMaintenance: true } },
      'the peer fw2 is in maintenance',
    ],
    ['a peer in FAULT', { peer: 'FAULT' }, 'the peer fw2 is in FAULT'],
    [
      'a peer that lacks flows',
      { sync: { state: 'synchronising' } },
      'the peer fw2 is not synchronised',
    ],
    ['a peer that is BACKUP', { peer: 'BACKUP' }, undefined],
    ['a peer of before, which says no role', {}, undefined],
    [
      'a node that is no MASTER',
      { state: 'BACKUP', peer: 'MASTER', peerOf: { inMaintenance: true } },
      undefined,
    ],
    ['nothing bound', { peerOf: { inMaintenance: true }, view: { bound: undefined } }, undefined],
    ['a worker that has not reported', { view: { status: undefined } }, undefined],
  ])('%s', (_what, given, why) => {
    const alone = found(given).filter(({ code }) => code === 'no-standby');
    expect(alone.map(({ text }) => text)).toEqual(
      why === undefined ? [] : [`VI: nobody could replace this MASTER: ${why}`],
    );
  });

  test('a resync takes moments: only a longer one is a problem', () => {
    expect(found({ sync: { state: 'synchronising' } })).toMatchObject([{ after: seconds(10) }]);
  });
});

describe('no master', () => {
  test('is known where both say that they are not, and no third one is heard', () => {
    const given: Given = { state: 'BACKUP', peer: 'FAULT', view: { maintenance: true } };
    expect(found(given)).toMatchObject([
      {
        code: 'no-master',
        text: 'VI: nobody is MASTER: this node is BACKUP (in maintenance), the peer fw2 is FAULT',
        after: seconds(10),
      },
      { code: 'maintenance' },
    ]);
    expect(codes({ state: 'BACKUP', peer: 'MASTER' })).toEqual([]);
    expect(codes({ state: 'BACKUP' })).toEqual([]);
    const base = view({ state: 'BACKUP', peer: 'FAULT' });
    const master = { address: '10.0.0.3', priority: 200, lastHeard: wallAgo(1) };
    const instances = base.router.instances.map((one) => ({ ...one, master }));
    expect(clusterProblems({ ...base, router: { ...base.router, instances } })).toEqual([]);
  });
});

describe('this node', () => {
  test('in maintenance says so, and more so as MASTER', () => {
    const texts = (state: StateName): (string | undefined)[] =>
      found({ state, peer: 'MASTER', peerFor: 0, view: { maintenance: true } }).map(
        ({ text }) => text,
      );
    expect(texts('BACKUP')).toEqual(['this node is in maintenance: it never takes the role']);
    expect(texts('MASTER')).toEqual(['this node is in maintenance and still MASTER of VI']);
  });

  test('has an address of its instance that somebody added', () => {
    const vip = {
      text: '10.0.0.9/24 dev eth1',
      state: 'absent',
      isPresent: true,
      isExcluded: false,
    } as const;
    const backup = { ...sampleInstance, state: 'BACKUP', vips: [vip] } as const;
    expect(foreignAddresses([backup])).toMatchObject([
      { code: 'vip-not-ours', subject: 'VI: 10.0.0.9/24 dev eth1', after: seconds(3) },
    ]);
    expect(foreignAddresses([{ ...backup, vips: [{ ...vip, isPresent: false }] }])).toEqual([]);
    expect(foreignAddresses([{ ...backup, state: 'MASTER' }])).toEqual([]);
    // Another instance of this node holds the same address.
    const holder = { ...sampleInstance, name: 'B', vips: [{ ...vip, state: 'set' }] } as const;
    expect(foreignAddresses([backup, holder])).toEqual([]);
  });
});

describe('a peer on one port of two', () => {
  const silent: Given = { peerOf: { kind: 'conntrackd' } };

  test('is a problem where it was a keepstate before', () => {
    expect(found(silent)).toMatchObject([{ code: 'peer-channel-silent', after: seconds(10) }]);
    expect(codes({ ...silent, view: { peerWasKeepstate: false } })).toEqual([]);
  });
});

test('a takeover that could not commit everything is told for a minute', () => {
  const commit = { entries: 10, failed: 3, tableFull: true, untried: 0, expectations: 0 };
  const rest = { expectationsFailed: 0, durationMs: 1, cancelled: false };
  const seen = (at: Microseconds) =>
    syncProblems(
      { status: { ...sampleSync, lastCommit: { ...commit, ...rest, at } }, downBecause: undefined },
      now,
    );
  expect(seen(subtractTime(now, seconds(59)))).toMatchObject([
    { code: 'commit-incomplete', text: expect.stringContaining('3 of 13 flows') as string },
  ]);
  expect(seen(subtractTime(now, seconds(61)))).toEqual([]);
});
