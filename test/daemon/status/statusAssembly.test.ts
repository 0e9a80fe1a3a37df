import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '../../../src/base/logger.js';
import { seconds, microseconds } from '../../../src/base/time.js';
import { loadNodeText, type LoadResult } from '../../../src/config/loadNode.js';
import { systemLoadPorts } from '../../../src/config/systemPorts.js';
import { History } from '../../../src/daemon/disk/history.js';
import { isoTime } from '../../../src/base/isoTime.js';
import { natProblems } from '../../../src/daemon/host/natWatch.js';
import { RoleRecorder } from '../../../src/daemon/roles/roleRecorder.js';
import {
  syncProblems,
  instanceProblems,
  latenessProblems,
} from '../../../src/daemon/status/problems.js';
import { planReload, Reloader } from '../../../src/daemon/reload.js';
import {
  assembleStatus,
  findProblems,
  type StatusSource,
} from '../../../src/daemon/status/statusAssembly.js';
import type { StatusAnswer } from '../../../src/control/statusAnswer.js';
import type { SyncStatus } from '../../../src/sync/messages.js';
import type { RefusedSender } from '../../../src/sync/links/refusedSenders.js';
import type { InstanceSnapshot } from '../../../src/vrrp/status/snapshot.js';
import {
  sampleCounts,
  sampleInstance,
  sampleSync,
  sampleUnit,
} from '../../support/daemon/statusParts.js';

const instance = sampleInstance;
const unit = sampleUnit;
const sync = sampleSync;
const counts = sampleCounts;
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
  lateness: { p50Ms: 0, p99Ms: 0, maxMs: 0 },
  rssBytes: 1,
  further: [],
  peerWasKeepstate: false,
};

/** Without a memory: what is seen now. */
const answer = (given: StatusSource): StatusAnswer =>
  assembleStatus(given, { problems: findProblems(given), endedProblems: [] });

const syncCodes = (change: Partial<SyncStatus>): string[] =>
  syncProblems({ status: { ...sync, ...change }, downBecause: undefined }, now).map((p) => p.code);
const instanceCodes = (change: Partial<InstanceSnapshot>): string[] =>
  instanceProblems({ ...instance, ...change }, wallClock).map((p) => p.code);

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

  test('microseconds become ISO 8601', () => {
    expect(isoTime(microseconds(1_500))).toBe('1970-01-01T00:00:00.001Z');
  });
});

describe('problems', () => {
  test('of the sync engine', () => {
    expect(syncCodes({})).toEqual([]);
    expect(syncCodes({ state: 'peer-lost' })).toEqual(['sync-peer-lost']);
    expect(syncCodes({ parity: 'different' })).toEqual(['parity']);
    expect(syncCodes({ kernel: { isApart: false, isEmptied: false } })).toEqual([]);
    expect(syncCodes({ kernel: { isApart: true, isEmptied: false } })).toEqual(['cache-differs']);
    expect(syncCodes({ kernel: { isApart: false, isEmptied: true } })).toEqual(['cache-differs']);
    expect(syncCodes({ internal: { ...counts, entries: 92 } })).toEqual(['table-full']);
    const stranger: RefusedSender = {
      address: '10.9.9.9',
      reason: 'address',
      door: 'peer',
      interfaceName: 'eth3',
      count: 1,
      last: now,
    };
    expect(syncCodes({ peer: { ...sync.peer, refused: [stranger] } })).toEqual(['sync-stranger']);
    const gone = { ...stranger, last: microseconds(now - 60_001_000) };
    expect(syncCodes({ peer: { ...sync.peer, refused: [gone] } })).toEqual([]);
    expect(syncCodes({ peer: { ...sync.peer, channelRefused: 'in use' } })).toEqual([
      'peer-channel-refused',
    ]);
    expect(syncCodes({ queues: { ...sync.queues, resendDropped: 1 } })).toEqual([
      'resend-overflow',
    ]);
    const link = {
      interfaceName: 'eth3',
      kind: 'udp',
      isActive: true,
      isUsable: false,
      bytesSent: 0,
      bytesReceived: 0,
      datagramsSent: 0,
      datagramsReceived: 0,
      sendErrors: 0,
      receiveErrors: 0,
    } as const;
    expect(syncCodes({ links: [link] })).toEqual(['sync-link-down']);
    const tcp = {
      ...link,
      kind: 'tcp',
      isUsable: true,
      isSending: false,
      isReceiving: true,
    } as const;
    expect(syncCodes({ links: [tcp] })).toEqual(['sync-link-unconnected']);
    expect(syncCodes({ links: [{ ...tcp, isSending: true, isReceiving: false }] })).toEqual([]);
  });

  test('of an instance', () => {
    expect(instanceCodes({})).toEqual([]);
    expect(instanceCodes({ faults: ['interface eth0 is down'] })).toEqual(['fault']);
    const [vip] = instance.vips;
    if (vip === undefined) throw new Error('the sample has a VIP');
    expect(instanceCodes({ vips: [{ ...vip, isPresent: false }] })).toEqual(['vip-missing']);
    expect(instanceCodes({ vips: [{ ...vip, isPresent: false }], vipsWait: true })).toEqual([]);
    const problem = { reason: 'password' as const, text: 't', remedy: 'r', count: 1 };
    const seen = (agoSeconds: number) => ({
      ...problem,
      lastSeen: microseconds(wallClock - agoSeconds * 1_000_000),
    });
    expect(instanceCodes({ problems: [seen(10)] })).toEqual(['password']);
    expect(instanceCodes({ problems: [seen(120)] })).toEqual([]);
    expect(instanceCodes({ problems: [problem] })).toEqual(['password']);
  });

  test('of a ruleset whose NAT stays on the node', () => {
    const rule = { outputInterface: 'wan', address: undefined } as const;
    expect(natProblems([]).map((one) => one.code)).toEqual([]);
    const found = natProblems([
      { ...rule, kind: 'masquerade' },
      { ...rule, kind: 'snat', address: '192.0.2.1' },
    ]);
    expect(found.map((one) => one.code)).toEqual(['masquerade', 'snat-stays']);
    expect(found[0]?.text).toContain('wan');
  });

  test('of a split: two masters are told for a while, and are one entry of the history', () => {
    const directory = mkdtempSync(join(tmpdir(), 'keepstate-split-'));
    try {
      let at = now;
      const history = new History(join(directory, 'h'), 9, silentLogger);
      const recorder = new RoleRecorder(history, { now: () => at, wallClock: () => wallClock });
      recorder.split('VI', '10.0.0.2 was MASTER too');
      recorder.split('VI', '10.1.0.2 was MASTER too');
      expect(recorder.problems()).toEqual([
        expect.objectContaining({
          code: 'two-masters',
          text: 'VI: two masters heard: 10.1.0.2 was MASTER too',
        }),
      ]);
      recorder.merged('VI', { created: 4, failed: 1, durationMs: 20 });
      expect(history.entries()).toEqual([
        expect.objectContaining({
          ...{ kind: 'sync', because: '10.0.0.2 was MASTER too' },
          ...{ flowsMerged: 4, flowsFailed: 1, mergeMs: 20 },
        }),
      ]);
      at = microseconds(now + 11_000_000);
      expect(recorder.problems()).toEqual([]);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test('of the loop', () => {
    expect(latenessProblems(20)).toEqual([]);
    expect(latenessProblems(900).map((one) => one.code)).toEqual(['late']);
  });
});

describe('reload', () => {
  const load = (text: string): LoadResult =>
    loadNodeText(text, 'f', systemLoadPorts({ machine: false }));
  const text = (more: string, globals = ''): string =>
    `global_defs {\n${globals}\n}\nvrrp_instance VI {\n interface eth0\n virtual_router_id 1\n ${more}\n}\n`;
  const current = load(text('priority 100')).settings!;

  test.each([
    ['the same file', text('priority 100'), 'nothing'],
    ['another priority', text('priority 90'), 'apply'],
    ['a wrong keyword', text('priorty 90'), 'refused'],
    ['another state directory', text('priority 100', 'state_directory /x'), 'refused'],
  ])('of %s', (_what, next, kind) => {
    expect(planReload(current, load(next)).kind).toBe(kind);
  });

  test('that fails half way is answered, and applied again although the file is the same', async () => {
    let settings = current;
    const applied: (string | undefined)[] = [];
    let trouble: string | undefined = 'no space';
    const reloader = new Reloader({
      load: () => load(text('priority 90')),
      logger: silentLogger,
      current: () => settings,
      apply: (next) => {
        settings = next;
        applied.push(trouble);
        return trouble === undefined ? Promise.resolve('done') : Promise.reject(new Error(trouble));
      },
    });
    expect(await reloader.reload()).toMatchObject({
      code: 'reload-failed',
      message: 'the reload failed: no space',
    });
    trouble = undefined;
    expect(await reloader.reload()).toEqual({ ok: true, result: { message: 'done' } });
    expect(await reloader.reload()).toMatchObject({
      result: { message: expect.stringContaining('nothing to do') as string },
    });
    expect(applied).toEqual(['no space', undefined]);
  });

  test('names what needs a restart', () => {
    const plan = planReload(current, load(text('priority 100', 'state_directory /x')));
    expect(plan).toMatchObject({
      refusal: { code: 'needs-restart', message: 'a reload cannot change: state_directory' },
    });
  });
});
