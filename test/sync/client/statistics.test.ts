/** The blocks of `conntrackd -s`, as conntrackd 1.4.7 prints them. */
import {
  generalStatistics,
  linkStatistics,
  networkStatistics,
  statisticsInput,
  type CountedEngine,
} from '../../../src/sync/client/statistics.js';
import type { LinkStatus, SyncStatus } from '../../../src/sync/messages.js';
import { CacheCounters } from '../../../src/sync/tables/cacheCounters.js';
import { sampleSync } from '../../support/daemon/statusSamples.js';

const link: LinkStatus = {
  interfaceName: 's1',
  kind: 'tcp',
  isActive: true,
  isUsable: true,
  isSending: true,
  isReceiving: false,
  bytesSent: 104,
  bytesReceived: 64,
  datagramsSent: 9,
  datagramsReceived: 5,
  sendErrors: 3,
  receiveErrors: 0,
};

/** What these blocks read of it. */
const status = (links: readonly LinkStatus[]): SyncStatus => ({ ...sampleSync, links });

const traffic = `                 104 Bytes sent                   64 Bytes recv
                   9 Pckts sent                    5 Pckts recv
                   3 Error send                    0 Error recv

`;

test('over TCP both connections are told: server is the peer’s, client is ours', () => {
  expect(networkStatistics(status([link]))).toContain(
    `TCP traffic (active device=s1) server=disconnected client=connected:\n${traffic}`,
  );
  expect(networkStatistics(status([{ ...link, isSending: false, isReceiving: true }]))).toContain(
    'server=connected client=disconnected:',
  );
});

test('each link has a block of its own', () => {
  const second = { ...link, interfaceName: 's2', isActive: false, isUsable: false };
  expect(linkStatistics(status([link, second]))).toBe(
    `TCP traffic device=s1 status=RUNNING role=ACTIVE:\n${traffic}` +
      `TCP traffic device=s2 status=DOWN role=BACKUP:\n${traffic}`,
  );
});

describe('the figures of flows and those of expectations', () => {
  const counted = (created: number): CacheCounters =>
    Object.assign(new CacheCounters(), { created });
  const cache = (flows: number, expectations: number): CountedEngine['external'] => ({
    table: { alive: flows, count: flows + 1 },
    counters: counted(flows),
    expectations: { count: expectations },
    expectationCounters: counted(expectations),
  });

  test.each([
    [false, [10, 11, 10], 20],
    [true, [3, 3, 3], 4],
  ])('are apart with both caches (of expectations: %s)', (ofExpectations, own, ofPeer) => {
    const external = cache(20, 4);
    const engine: CountedEngine = {
      internal: { ...cache(10, 3), fullTable: {} },
      external,
      externalMode: { store: external, injected: { isInjecting: false } },
    };
    const input = statisticsInput(engine, status([]), ofExpectations);
    const { active, total, counters } = input.internal;
    expect([active, total, counters.created]).toEqual(own);
    expect(input.external.counters.created).toBe(ofPeer);
  });

  test.each([
    [false, 500],
    [true, 6],
  ])('and where both are switched off (of expectations: %s)', (ofExpectations, created) => {
    const engine: CountedEngine = {
      internal: { ...cache(0, 0), fullTable: undefined },
      external: cache(0, 0),
      externalMode: {
        store: { counters: counted(500), expectationCounters: counted(6) },
        injected: { isInjecting: true },
      },
    };
    const text = generalStatistics(statisticsInput(engine, status([]), ofExpectations));
    const figure = String(created).padStart(12);
    expect(text).toContain(`external inject:\nconnections created:\t\t${figure}\tfailed:`);
  });
});
