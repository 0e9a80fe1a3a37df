import { seconds, microseconds } from '../../../src/base/time.js';
import {
  syncProblems,
  instanceProblems,
  latenessProblems,
} from '../../../src/daemon/status/problems.js';
import type { SyncStatus } from '../../../src/sync/messages.js';
import type { SealStatus } from '../../../src/sync/seal/sealStatus.js';
import type { RefusedSender } from '../../../src/sync/links/refusedSenders.js';
import type { InstanceSnapshot } from '../../../src/vrrp/status/snapshot.js';
import { sampleCounts, sampleInstance, sampleSync } from '../../support/daemon/statusSamples.js';

const instance = sampleInstance;
const sync = sampleSync;
const counts = sampleCounts;
const now = seconds(1_000);
const wallClock = seconds(1_700_000_000);

const syncCodes = (change: Partial<SyncStatus>): string[] =>
  syncProblems({ status: { ...sync, ...change }, downBecause: undefined }, now).map((p) => p.code);
const instanceCodes = (change: Partial<InstanceSnapshot>): string[] =>
  instanceProblems({ ...instance, ...change }, wallClock).map((p) => p.code);

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
    const zoned = { ...sync.peer, directionZonesSent: 3 };
    expect(syncCodes({ peer: { ...zoned, kind: 'conntrackd' } })).toEqual(['zones-not-replicated']);
    expect(syncCodes({ peer: { ...zoned, kind: 'keepstate' } })).toEqual([]);
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

  test('of a peer that is heard and hears nothing', () => {
    expect(syncCodes({ peer: { ...sync.peer, hearsNothing: true } })).toEqual([
      'peer-hears-nothing',
    ]);
  });

  test('of the sealed channels', () => {
    const seal: SealStatus = {
      ...{ activeKeyId: 1, keys: [{ id: 1, fingerprint: 'f' }], auth: 'enforce', encrypts: true },
      ...{ isPeerSealed: true, heard: {}, refused: {} },
    };
    expect(syncCodes({ seal })).toEqual([]);
    const plain = { ...seal, auth: 'permissive', isPeerSealed: false } as const;
    expect(syncCodes({ seal: plain })).toEqual(['sync-not-sealed']);
    expect(syncCodes({ seal: { ...plain, isPeerSealed: true } })).toEqual([]);
    const refused = { ...seal, refused: { wrong: 3 }, refusedAt: now };
    expect(syncCodes({ seal: refused })).toEqual(['sync-seal-refused']);
    expect(syncCodes({ seal: { ...refused, refusedAt: seconds(900) } })).toEqual([]);
    const unknown = { ...seal, isPeerSealed: false };
    expect(syncCodes({ seal: unknown, state: 'peer-lost' })).toContain('sync-key-unknown');
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

  test('of the loop', () => {
    expect(latenessProblems(20)).toEqual([]);
    expect(latenessProblems(900).map((one) => one.code)).toEqual(['late']);
  });
});
